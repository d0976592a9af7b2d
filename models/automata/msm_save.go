package automata

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"plumbline/models"
	"plumbline/models/automata/machine"
)

// msmMeta is what a saved model must know besides its arrays.
type msmMeta struct{ Machines int }

// State is the machines, and what the models of their states learned.
func (m *msm) State() (any, models.Arrays, error) {
	arrays := models.Arrays{}
	for k, s := range m.machines {
		var low, high []float32
		var edges, seen []int32 // of each edge its state and target; of each state its events
		for q, state := range s.machine.States {
			for _, e := range state.Edges {
				low, high = append(low, e.Guard.Low...), append(high, e.Guard.High...)
				edges = append(edges, int32(q), e.Target)
			}
			st := &s.models[q]
			seen = append(seen, int32(min(st.n, math.MaxInt32)))
			if st.n < 3 {
				continue
			}
			name := fmt.Sprintf("%d/%d ", k, q)
			arrays[name+"ranks"] = st.ordered
			arrays[name+"scale"] = []float64{st.maximum, st.distance}
			switch {
			case st.det != nil:
				if err := m.spec.Model.Save(arrays, name+"model", st.det); err != nil {
					return nil, nil, fmt.Errorf("state %d: %w", q, err)
				}
			case m.spec.Rule == "quartile":
				arrays[name+"limits"], arrays[name+"counts"] = st.limits, st.counts
			default:
				arrays[name+"limits"] = st.limits
			}
		}
		name := fmt.Sprintf("%d ", k)
		arrays[name+"low"], arrays[name+"high"], arrays[name+"edges"], arrays[name+"events"] = low, high, edges, seen
	}
	return msmMeta{len(m.machines)}, arrays, nil
}

func (m msm) load(st models.State) (*msm, error) {
	var meta msmMeta
	if err := st.Meta(&meta); err != nil {
		return nil, err
	}
	if meta.Machines < 1 || meta.Machines > len(st.Arrays) {
		return nil, fmt.Errorf("%d machines", meta.Machines)
	}
	m.d = st.Columns
	for k := range meta.Machines {
		s, err := m.restore(st.Arrays, k)
		if err != nil {
			return nil, fmt.Errorf("machine %d: %w", k+1, err)
		}
		m.machines = append(m.machines, s)
	}
	return &m, nil
}

func (m *msm) restore(arrays models.Arrays, k int) (machineWithModels, error) {
	bad := func(format string, args ...any) (machineWithModels, error) {
		return machineWithModels{}, fmt.Errorf("%w: %s", models.ErrState, fmt.Sprintf(format, args...))
	}
	name := fmt.Sprintf("%d ", k)
	edges, err1 := models.Array[int32](arrays, name+"edges", -1)
	seen, err2 := models.Array[int32](arrays, name+"events", -1)
	low, err3 := models.Array[float32](arrays, name+"low", len(edges)/2*m.d)
	high, err4 := models.Array[float32](arrays, name+"high", len(edges)/2*m.d)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return machineWithModels{}, err
	}
	if len(seen) == 0 || len(seen) > machine.MaxStates || len(edges)%2 != 0 {
		return bad("%d states", len(seen))
	}
	s := machineWithModels{machine: &machine.GuardedMachine{D: m.d, States: make([]machine.GuardedState, len(seen))},
		models: make([]stateModel, len(seen))}
	for i := range len(edges) / 2 {
		from, to := edges[2*i], edges[2*i+1]
		if from < 0 || int(from) >= len(seen) || to < 0 || int(to) >= len(seen) {
			return bad("an edge from %d to %d of %d states", from, to, len(seen))
		}
		guard := machine.Hyperrectangle{Low: low[i*m.d : (i+1)*m.d], High: high[i*m.d : (i+1)*m.d]}
		for a := range guard.Low {
			if !(guard.Low[a] < guard.High[a]) {
				return bad("a guard from %v to %v", guard.Low[a], guard.High[a])
			}
		}
		s.machine.States[from].Edges = append(s.machine.States[from].Edges,
			machine.GuardedEdge{Guard: guard, Target: to})
	}
	for q := range s.models {
		st := &s.models[q]
		if st.n = int(seen[q]); st.n < 0 {
			return bad("%d events in a state", st.n)
		}
		if st.n < 3 {
			continue
		}
		if err := m.restoreStateModel(arrays, fmt.Sprintf("%d/%d ", k, q), st); err != nil {
			return machineWithModels{}, fmt.Errorf("state %d: %w", q, err)
		}
	}
	return s, nil
}

func (m *msm) restoreStateModel(arrays models.Arrays, name string, st *stateModel) (err error) {
	bad := func(what string, v any) error { return fmt.Errorf("%w: %s %v", models.ErrState, what, v) }
	if st.ordered, err = models.Array[float64](arrays, name+"ranks", -1); err != nil {
		return err
	}
	scale, err := models.Array[float64](arrays, name+"scale", 2)
	if err != nil {
		return err
	}
	if st.maximum, st.distance = scale[0], scale[1]; !(st.distance > 0) || math.IsInf(st.distance, 0) ||
		st.maximum-st.maximum != 0 {
		return bad("scores are scaled by", scale)
	}
	if len(st.ordered) == 0 || len(st.ordered) > maxRanks || !slices.IsSorted(st.ordered) ||
		slices.ContainsFunc(st.ordered, func(v float64) bool { return v-v != 0 }) {
		return bad("scores in training are", "not in order")
	}
	if m.spec.Rule == "model" {
		st.det, err = m.spec.Model.Load(arrays, name+"model", m.env, m.d)
		return err
	}
	per := 2
	if m.spec.Rule == "quartile" {
		per = 3
		if st.counts, err = models.Array[float64](arrays, name+"counts", 4*m.d); err != nil {
			return err
		}
	}
	if st.limits, err = models.Array[float64](arrays, name+"limits", per*m.d); err != nil {
		return err
	}
	for _, v := range slices.Concat(st.limits, st.counts) {
		if v-v != 0 {
			return bad("a limit is", v)
		}
	}
	for _, v := range st.counts {
		if v < 0 || v > float64(st.n) {
			return bad("a quarter's events are", v)
		}
	}
	return nil
}
