package automata

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/automata/machine"
)

func init() {
	models.Register(models.Info{
		Name: "entity_symbols",
		Doc: "State machines on symbols that judge whole entities, such as hosts: the score is how far an " +
			"entity's frequencies of states and symbols are from those of the benign entity that it is most like.",
		Paper: "symbolic baseline of V. Serentellos, Anomaly detection in network traffic using multivariate state " +
			"machines, thesis, TU Delft 2020",
		Needs:  models.Needs{Input: data.Traces, Batch: true},
		Seeded: models.Never,
		Defaults: func() models.Spec {
			return &EntitySymbolsSpec{LearnSpec: machine.Probable(), Per: "key", KeyEvents: 50}
		},
	})
}

// EntitySymbolsSpec configures entity_symbols. A machine is learnt from the symbols of the traces of each key, or one
// from all; p(q, a) is how large a share of its training events are symbol a in state q, and p'(q, a) that of the
// events of an entity, which is the traces of one key in a call of Score, replayed:
//
//	score = ½·Σ_{q,a} |p(q, a) − p'(q, a)|, the least of all machines, from 0 to 1
//
// It is proportional to the mean absolute difference that the thesis takes.
type EntitySymbolsSpec struct {
	machine.LearnSpec `yaml:",inline"`
	// one machine for all traces, or one for each key, such as a host
	Per string `yaml:"per" jsonschema:"enum=all,enum=key"`
	// with per: key, events that a key needs for a machine of its own
	KeyEvents int `yaml:"key_events" jsonschema:"minimum=1"`
}

// New checks the values.
func (s *EntitySymbolsSpec) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("entity_symbols", s); err != nil {
		return nil, err
	}
	if err := s.CheckBenign(); err != nil {
		return nil, fmt.Errorf("entity_symbols: %w: %w", models.ErrSpec, err)
	}
	m := entitySymbols{spec: *s, env: env}
	return models.NewFitted(models.Method[*entitySymbols]{
		Name: "entity_symbols", Spec: s, Reads: models.ReadsSymbols, Min: 1, Fit: m.fit, Load: m.load,
	}), nil
}

type entitySymbols struct {
	spec     EntitySymbolsSpec
	env      models.Env
	machines []*frequencyMachine
}

// frequencyMachine is a machine and the shares of its training events, by state and symbol.
type frequencyMachine struct {
	learntMachine
	share *contextCounts[int32]
}

func (d *entitySymbols) newMachine() *frequencyMachine {
	return &frequencyMachine{learntMachine: learntMachine{name: "entity_symbols", env: d.env, spec: d.spec.LearnSpec}}
}

func (d entitySymbols) fit(ctx context.Context, train *data.Set) (*entitySymbols, error) {
	groups, err := d.groups(train)
	if err != nil {
		return nil, err
	}
	for i, group := range groups {
		c := d.newMachine()
		c.env.Observe = nil // its steps are not those of all machines
		part := train.Subset(group)
		if err := c.fit(ctx, part, machine.Remain); err != nil {
			return nil, err
		}
		met := c.meetings(part.Traces)
		c.share = met.counts(met.total)
		d.machines = append(d.machines, c)
		d.env.Progress(models.Epoch{N: i + 1, Of: len(groups), Loss: nan, ValidLoss: nan, Rate: nan,
			Samples: len(group)})
	}
	return &d, nil
}

// groups is the traces of each machine.
func (d *entitySymbols) groups(s *data.Set) (out [][]int, err error) {
	if d.spec.Per == "all" {
		all := make([]int, s.N)
		for i := range all {
			all[i] = i
		}
		return [][]int{all}, nil
	}
	e := entitiesOf(s, func(i int) int { return len(s.Traces[i].Symbols) })
	byEntity := make([][]int, e.n)
	for i, id := range e.of {
		byEntity[id] = append(byEntity[id], i)
	}
	for id, group := range byEntity {
		if int(e.flows[id]) >= d.spec.KeyEvents {
			out = append(out, group)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: none of %d keys has %d events (key_events)", models.ErrInput, e.n, d.spec.KeyEvents)
	}
	return out, nil
}

// meetings counts the symbols that traces have in the states; one below 0 is no known symbol.
func (c *frequencyMachine) meetings(traces []data.Trace) *counter[int32] {
	met := newCounter[int32]()
	var states []int32
	for i := range traces {
		word := traces[i].Symbols
		states = c.replay(word, states)
		state := int32(0)
		for k, a := range word {
			met.add(state, max(a, data.UnknownSymbol))
			state = states[k]
		}
	}
	return met
}

// distance is that of the shares of some traces from those in training.
func (c *frequencyMachine) distance(traces []data.Trace) float64 {
	met := c.meetings(traces)
	if met.total == 0 {
		return 0
	}
	sum, left := 0.0, 1.0 // left: what of training no trace meets
	for k, at := range met.pairs {
		p := 0.0
		if state, known := c.share.find(at.context); known {
			p = c.share.of(state, at.symbol)
		}
		sum += math.Abs(met.times[k]/met.total - p)
		left -= p
	}
	return (sum + max(left, 0)) / 2
}

// Score gives an entity without a symbol 0.
func (d *entitySymbols) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	e := entitiesOf(s, func(int) int { return 0 })
	traces := make([][]data.Trace, e.n)
	for i, id := range e.of {
		traces[id] = append(traces[id], s.Traces[i])
	}
	scores := make([]float64, e.n)
	err := d.env.Blocks(ctx, e.n, 1, func(from, to int) {
		for id := from; id < to; id++ {
			for k, c := range d.machines {
				if v := c.distance(traces[id]); k == 0 || v < scores[id] {
					scores[id] = v
				}
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return e.spread(scores), nil
}

type symbolsMeta struct{ Machines int }

// State is the machines with the shares of their training events.
func (d *entitySymbols) State() (any, models.Arrays, error) {
	arrays := models.Arrays{}
	for k, c := range d.machines {
		name := fmt.Sprintf("%d ", k)
		arrays[name+"met"], arrays[name+"share"] = flat(c.share.pairs()), c.share.times
		for part, a := range c.arrays() {
			arrays[name+"machine "+part] = a
		}
	}
	return symbolsMeta{len(d.machines)}, arrays, nil
}

func (d entitySymbols) load(st models.State) (*entitySymbols, error) {
	var meta symbolsMeta
	if err := st.Meta(&meta); err != nil {
		return nil, err
	}
	if meta.Machines < 1 || meta.Machines > len(st.Arrays) {
		return nil, fmt.Errorf("%d machines", meta.Machines)
	}
	parts := make(map[string]models.Arrays, meta.Machines) // of each machine, by its number
	for name, a := range st.Arrays {
		k, part, _ := strings.Cut(name, " ")
		if parts[k] == nil {
			parts[k] = models.Arrays{}
		}
		parts[k][part] = a
	}
	for k := range meta.Machines {
		c := d.newMachine()
		if err := c.restore(parts[fmt.Sprint(k)], st.Alphabet); err != nil {
			return nil, fmt.Errorf("machine %d: %w", k+1, err)
		}
		d.machines = append(d.machines, c)
	}
	return &d, nil
}

func (c *frequencyMachine) restore(a models.Arrays, alphabet []string) error {
	share, err1 := models.Array[float64](a, "share", -1)
	at, err2 := models.Array[int32](a, "met", 2*len(share))
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	own := models.Arrays{}
	for name, values := range a {
		if part, of := strings.CutPrefix(name, "machine "); of {
			own[part] = values
		}
	}
	if err := c.load(own, alphabet, machine.Remain); err != nil {
		return err
	}
	var err error
	c.share, err = restoreCounts(paired(at), share, data.UnknownSymbol, len(alphabet), 1)
	return err
}
