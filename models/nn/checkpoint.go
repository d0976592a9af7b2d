package nn

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"math"
	"slices"
	"time"

	"plumbline/models"
)

// checkpointEvery is how long training goes on between two checkpoints. One that is interrupted leaves one at once.
var checkpointEvery = 30 * time.Second

// Resumable is a trainer whose training can go on in another one of the same network: with the same batches the
// two do the same, bit for bit.
type Resumable interface {
	// Averages are what the optimiser remembers, and the number of steps so far.
	Averages() (arrays [][]float32, steps int)
	// SetAverages takes over what Averages gave. Arrays of other sizes are an error.
	SetAverages(arrays [][]float32, steps int) error
	// SetParams takes weights over.
	SetParams(p Params) error
}

// checkpoint is a training after some epochs.
type checkpoint struct {
	epochs   int // that are done
	since    int // looks without a better held-out loss
	bestLoss float64
	best     Params // nil: none
	params   Params
	averages [][]float32
	steps    int
	centres  [][]float32
	history  []models.Epoch
}

type checkpointMeta struct {
	Epochs, Since, Steps               int
	Params, Best, Averages, Centres, N int
}

func (c *checkpoint) write() ([]byte, error) {
	arrays := models.Arrays{}
	put := func(kind string, list [][]float32) {
		for i, a := range list {
			arrays[fmt.Sprintf("%s %03d", kind, i)] = a
		}
	}
	put("params", c.params)
	put("best", c.best)
	put("averages", c.averages)
	put("centres", c.centres)
	var history []float64
	for _, e := range c.history {
		history = append(history, e.Loss, e.ValidLoss, e.Rate, float64(e.Samples), float64(e.Of))
	}
	arrays["history"], arrays["best loss"] = history, []float64{c.bestLoss}
	var b bytes.Buffer
	err := models.WriteState(&b, "checkpoint",
		checkpointMeta{c.epochs, c.since, c.steps, len(c.params), len(c.best), len(c.averages), len(c.centres),
			len(c.history)}, arrays)
	return b.Bytes(), err
}

func readCheckpoint(raw []byte) (*checkpoint, error) {
	var m checkpointMeta
	arrays, err := models.ReadState(bytes.NewReader(raw), "checkpoint", &m)
	if err != nil {
		return nil, err
	}
	c := &checkpoint{epochs: m.Epochs, since: m.Since, steps: m.Steps}
	var bad error
	take := func(kind string, n int) (out [][]float32) {
		if n < 0 || n > len(arrays) {
			bad = fmt.Errorf("%w: %d arrays of %s", models.ErrState, n, kind)
			return nil
		}
		for i := range n {
			a, err := models.Array[float32](arrays, fmt.Sprintf("%s %03d", kind, i), -1)
			if err != nil {
				bad = err
				return nil
			}
			out = append(out, a)
		}
		return out
	}
	c.params, c.best, c.averages, c.centres = take("params", m.Params), take("best", m.Best),
		take("averages", m.Averages), take("centres", m.Centres)
	history, err := models.Array[float64](arrays, "history", -1)
	if bad = errors.Join(bad, err); bad == nil &&
		(len(history) != 5*m.N || m.N != m.Epochs || m.Since < 0 || m.Steps < 0) {
		bad = fmt.Errorf("%w: %d epochs, a history of %d numbers", models.ErrState, m.Epochs, len(history))
	}
	best, err := models.Array[float64](arrays, "best loss", 1)
	if bad = errors.Join(bad, err); bad != nil {
		return nil, fmt.Errorf("checkpoint: %w", bad)
	}
	c.bestLoss = best[0]
	for i := range m.N {
		h := history[5*i:]
		c.history = append(c.history, models.Epoch{N: i + 1, Of: int(h[4]), Loss: h[0], ValidLoss: h[1], Rate: h[2],
			Samples: int(h[3])})
	}
	return c, nil
}

// fingerprint tells trainings apart by all they depend on: settings, network, seed and data. Numbers that JSON cannot
// hold are an error.
func fingerprint(seed uint64, cfg Training, description any, x, t []float32) (string, error) {
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	if err := writeDescription(sum, seed, cfg, description); err != nil {
		return "", err
	}
	first := sum.Sum32()
	sum.Reset()
	writeNumbers(sum, x)
	writeNumbers(sum, t)
	return fmt.Sprintf("%08x%08x", first, sum.Sum32()), nil
}

func writeDescription(to hash.Hash, of ...any) error {
	for _, v := range of {
		js, err := json.Marshal(v)
		if err != nil {
			return err
		}
		to.Write(js)
	}
	return nil
}

func writeNumbers(to hash.Hash, list []float32) {
	buf := make([]byte, 0, 1<<16)
	for part := range slices.Chunk(list, 1<<14) {
		buf = buf[:0]
		for _, v := range part {
			buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
		}
		to.Write(buf)
	}
}

// checkpointer saves a training now and then, and finds a saved one.
type checkpointer struct {
	store    models.Checkpoints // nil: none
	log, say func(message string, args ...any)
	name     string
	last     time.Time
	// latest is the training after its last whole epoch, where that has not been saved.
	latest *checkpoint
}

func (l loop) checkpointer(env models.Env, cfg Training, tr Trainer) *checkpointer {
	k := &checkpointer{log: env.Logger().Warn, say: env.Logger().Info}
	if _, ok := tr.(Resumable); !ok || env.Checkpoints == nil {
		return k
	}
	print, err := fingerprint(env.Seed, cfg, l.description, l.x, l.t)
	if err != nil {
		k.log("training leaves no checkpoints", "reason", err.Error())
		return k
	}
	k.store, k.last, k.name = env.Checkpoints, time.Now(), "network-"+print
	return k
}

// resume puts a saved training into the trainer. One that does not fit is passed over.
func (k *checkpointer) resume(tr Trainer, epochs int) *checkpoint {
	if k.store == nil {
		return nil
	}
	raw, err := k.store.Load(k.name)
	if raw == nil && err == nil {
		return nil
	}
	var c *checkpoint
	if err == nil {
		c, err = readCheckpoint(raw)
	}
	if err == nil && (c.epochs < 1 || c.epochs >= epochs) {
		err = fmt.Errorf("it is of epoch %d of %d", c.epochs, epochs)
	}
	if err == nil {
		err = c.put(tr)
	}
	if err != nil {
		k.log("checkpoint not used: training begins anew", "checkpoint", k.name, "reason", err.Error())
		return nil
	}
	k.say("training goes on from a checkpoint", "checkpoint", k.name, "epochs_done", c.epochs, "of", epochs)
	return c
}

// put brings a trainer to where the checkpoint is. After an error the trainer is as it was, but for centres, which a
// training that begins sets itself.
func (c *checkpoint) put(tr Trainer) error {
	r, p := tr.(Resumable), tr.Params()
	averages, _ := r.Averages()
	if !sameShape(c.params, p) || !sameShape(c.averages, averages) || c.best != nil && !sameShape(c.best, p) {
		return errors.New("it is of another network")
	}
	if c.centres != nil {
		m, ok := tr.(Centred)
		if !ok {
			return errors.New("it has centres, and the network has none")
		}
		if err := m.SetCentres(c.centres); err != nil {
			return err
		}
	}
	return errors.Join(r.SetAverages(c.averages, c.steps), r.SetParams(c.params))
}

func sameShape(a, b Params) bool {
	return slices.EqualFunc(a, b, func(p, q []float32) bool { return len(p) == len(q) })
}

// epoch remembers a training after an epoch, and saves it if it is time to.
func (k *checkpointer) epoch(tr Trainer, state *checkpoint) {
	if k.store == nil {
		return
	}
	state.params = tr.Params()
	state.averages, state.steps = tr.(Resumable).Averages()
	if m, ok := tr.(Centred); ok {
		for _, c := range m.Centres() {
			state.centres = append(state.centres, slices.Clone(c))
		}
	}
	if k.latest = state; time.Since(k.last) >= checkpointEvery {
		k.save()
	}
}

// save writes the training as it was after its last whole epoch, unless that was done.
func (k *checkpointer) save() {
	if k.latest == nil {
		return
	}
	raw, err := k.latest.write()
	if err == nil {
		err = k.store.Save(k.name, raw)
	}
	if err != nil {
		k.log("checkpoint not written", "checkpoint", k.name, "reason", err.Error())
	}
	k.latest, k.last = nil, time.Now()
}

func (t *fused) SetParams(p Params) error {
	if err := t.net.Shape(p); err != nil {
		return err
	}
	t.load(p)
	return nil
}

func (t *fusedSequence) SetParams(p Params) error {
	if err := t.s.Sequence.Shape(p); err != nil {
		return err
	}
	t.s.load(p, t.p)
	return nil
}

var (
	_ Resumable = (*fused)(nil)
	_ Resumable = (*fusedSequence)(nil)
)
