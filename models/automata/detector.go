package automata

import (
	"context"
	"fmt"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/automata/machine"
)

// learntMachine is what the detectors on one learnt machine share: the settings and, after fit or load, what was
// learned.
type learntMachine struct {
	name  string
	env   models.Env
	spec  machine.LearnSpec
	mach  *machine.Machine
	visit []int64 // training visits of each state
	rep   *machine.Replayer
}

// labels are those of the words that a machine is learnt from.
var labels = []string{"benign"}

// fit learns the machine from whole traces and counts the visits of its states.
func (d *learntMachine) fit(ctx context.Context, train *data.Set, missing machine.OnMissingEdge) error {
	events := 0
	for i := range train.Traces {
		for j, a := range train.Traces[i].Symbols {
			if a == data.UnknownSymbol {
				return fmt.Errorf("%w: trace %d, event %d has no symbol", models.ErrInput, i, j)
			}
		}
		events += len(train.Traces[i].Symbols)
	}
	if events == 0 {
		return fmt.Errorf("%w: %d traces without a symbol", models.ErrInput, train.N)
	}
	words := func(yield func([]int32, int32) bool) {
		for i := range train.Traces {
			if !yield(train.Traces[i].Symbols, 0) {
				return
			}
		}
	}
	n := 0
	m, err := machine.Learn(ctx, d.spec, words, append([]string(nil), train.Alphabet...), labels, func(machine.Step) {
		n++
		d.env.Progress(models.Epoch{N: n, Loss: nan, ValidLoss: nan, Rate: nan, Samples: train.N})
	})
	if err != nil {
		return err
	}
	d.use(m, missing)
	d.visit = make([]int64, len(m.States))
	var states []int32
	for i := range train.Traces {
		if i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
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

// arrays are the machine and the visits as they are saved.
func (d *learntMachine) arrays() models.Arrays {
	a := d.mach.Arrays()
	visits := make([]float64, len(d.visit))
	for i, v := range d.visit {
		visits[i] = float64(v)
	}
	a["visits"] = visits
	return a
}

// load restores what arrays gave.
func (d *learntMachine) load(a models.Arrays, alphabet []string, missing machine.OnMissingEdge) error {
	m, err := machine.Restore(machine.Names{Alphabet: alphabet, Types: labels}, a)
	if err != nil {
		return err
	}
	visits, err := models.Array[float64](a, "visits", len(m.States))
	if err != nil {
		return err
	}
	d.visit = make([]int64, len(visits))
	for i, v := range visits {
		if !(v >= 0 && v <= 1<<53) {
			return fmt.Errorf("%v visits", v)
		}
		d.visit[i] = int64(v)
	}
	d.use(m, missing)
	return nil
}
