package automata

import (
	"context"
	"fmt"
	"io"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/automata/machine"
)

// learntMachine is what the detectors on one learnt machine share.
type learntMachine struct {
	name  string
	env   models.Env
	spec  machine.LearnSpec
	mach  *machine.Machine
	visit []int64 // training visits of each state
	rep   *machine.Replayer
}

// fit learns the machine from whole traces and counts the visits of its states.
func (d *learntMachine) fit(ctx context.Context, train *data.Set, missing machine.OnMissingEdge) error {
	d.mach, d.rep = nil, nil
	if err := models.CheckTraces(d.name, train, 1); err != nil {
		return err
	}
	events := 0
	for i := range train.Traces {
		for j, a := range train.Traces[i].Symbols {
			if a == data.UnknownSymbol {
				return fmt.Errorf("%s: %w: trace %d, event %d has no symbol", d.name, models.ErrInput, i, j)
			}
		}
		events += len(train.Traces[i].Symbols)
	}
	if events == 0 {
		return fmt.Errorf("%s: %w: %d traces without a symbol", d.name, models.ErrInput, train.N)
	}
	words := func(yield func([]int32, int32) bool) {
		for i := range train.Traces {
			if !yield(train.Traces[i].Symbols, 0) {
				return
			}
		}
	}
	n := 0
	m, err := machine.Learn(ctx, d.spec, words, append([]string(nil), train.Alphabet...), []string{"benign"}, func(machine.Step) {
		n++
		d.env.Progress(models.Epoch{N: n, Loss: nan, ValidLoss: nan, Rate: nan, Samples: train.N})
	})
	if err != nil {
		return fmt.Errorf("%s: %w", d.name, err)
	}
	d.use(m, missing)
	d.visit = make([]int64, len(m.States))
	var states []int32
	for i := range train.Traces {
		if i%1024 == 0 && ctx.Err() != nil {
			return fmt.Errorf("%s: %w", d.name, ctx.Err())
		}
		states = d.replay(train.Traces[i].Symbols, states)
		for _, q := range states {
			if q >= 0 {
				d.visit[q]++
			}
		}
	}
	return nil
}

var nan = func() float64 { var z float64; return z / z }()

func (d *learntMachine) use(m *machine.Machine, missing machine.OnMissingEdge) {
	d.mach = m
	d.rep = machine.NewReplayer(m, max(d.spec.Correction, 1e-9), d.spec.FinalProb, missing, d.spec.Compat)
}

func (d *learntMachine) replay(word, states []int32) []int32 {
	if cap(states) < len(word) {
		states = make([]int32, len(word))
	}
	states = states[:len(word)]
	d.rep.Replay(word, states, nil)
	return states
}

// cause names a state that is met at a position; a state below 0 is none, as in an empty word.
func (d *learntMachine) cause(at int, state int32) models.Cause {
	if state < 0 {
		return models.Cause{Name: "no state", Event: at}
	}
	return models.Cause{Name: fmt.Sprintf("state %d", d.mach.States[state].ID), Event: at}
}

// check holds a set to be scored against the machine.
func (d *learntMachine) check(s *data.Set) error {
	if d.mach == nil {
		return fmt.Errorf("%s: %w", d.name, models.ErrNotFitted)
	}
	if err := models.CheckTraces(d.name, s, 0); err != nil {
		return err
	}
	if len(s.Alphabet) != len(d.mach.Alphabet) {
		return fmt.Errorf("%s: %w: an alphabet of %d symbols, fitted on %d", d.name, models.ErrInput, len(s.Alphabet), len(d.mach.Alphabet))
	}
	return nil
}

func (d *learntMachine) Save(w io.Writer) error {
	if d.mach == nil {
		return fmt.Errorf("%s: save: %w", d.name, models.ErrNotFitted)
	}
	a := d.mach.Arrays()
	visits := make([]float64, len(d.visit))
	for i, v := range d.visit {
		visits[i] = float64(v)
	}
	a["visits"] = visits
	return models.WriteState(w, d.name, machine.Names{Alphabet: d.mach.Alphabet, Types: d.mach.Types}, a)
}

func (d *learntMachine) load(r io.Reader, missing machine.OnMissingEdge) error {
	var meta machine.Names
	a, err := models.ReadState(r, d.name, &meta)
	if err != nil {
		return err
	}
	m, err := machine.Restore(meta, a)
	if err != nil {
		return fmt.Errorf("%s: load: %w", d.name, err)
	}
	visits, err := models.Array[float64](a, "visits", len(m.States))
	if err != nil {
		return fmt.Errorf("%s: load: %w", d.name, err)
	}
	counts := make([]int64, len(visits))
	for i, v := range visits {
		if !(v >= 0 && v <= 1<<53) {
			return fmt.Errorf("%s: load: %w: %v visits", d.name, models.ErrState, v)
		}
		counts[i] = int64(v)
	}
	d.use(m, missing)
	d.visit = counts
	return nil
}
