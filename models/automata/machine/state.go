package machine

import (
	"errors"
	"fmt"

	"plumbline/models"
)

// Names is the part of a saved machine that is not arrays.
type Names struct {
	Alphabet []string `json:"alphabet"`
	Types    []string `json:"types"`
}

// Arrays is the machine as it is saved. The access words are not kept: only drawings use them.
func (m *Machine) Arrays() models.Arrays {
	n := len(m.States)
	states := make([]int32, 0, 6*n)
	for i := range m.States {
		s := &m.States[i]
		states = append(states, int32(s.ID), int32(s.Source), int32(s.Size), int32(s.Paths), int32(s.Final),
			int32(Bit(s.Red)|Bit(s.Sink)<<1|Bit(s.Blue)<<2))
	}
	return models.Arrays{
		"states": states, "start": m.Start, "on": m.On, "to": m.To,
		"count_start": m.CountStart, "count_on": m.CountOn, "count": m.Count,
	}
}

// Restore builds a machine from what was saved, and checks it. An error wraps models.ErrState.
func Restore(meta Names, a models.Arrays) (*Machine, error) {
	m := &Machine{Alphabet: meta.Alphabet, Types: meta.Types}
	var errs [7]error
	var states []int32
	states, errs[0] = models.Array[int32](a, "states", -1)
	m.Start, errs[1] = models.Array[int32](a, "start", len(states)/6+1)
	m.On, errs[2] = models.Array[int32](a, "on", -1)
	m.To, errs[3] = models.Array[int32](a, "to", len(m.On))
	m.CountStart, errs[4] = models.Array[int32](a, "count_start", len(states)/6+1)
	m.CountOn, errs[5] = models.Array[int32](a, "count_on", -1)
	m.Count, errs[6] = models.Array[int32](a, "count", len(m.CountOn))
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	if len(states) == 0 || len(states)%6 != 0 {
		return nil, fmt.Errorf("%w: %d state values", models.ErrState, len(states))
	}
	for i := 0; i < len(states); i += 6 {
		v := states[i : i+6]
		m.States = append(m.States, State{
			ID: int(v[0]), Source: int(v[1]), Size: int(v[2]), Paths: int(v[3]), Final: int(v[4]),
			Red: v[5]&1 != 0, Sink: v[5]&2 != 0, Blue: v[5]&4 != 0,
		})
		if v[2] < 0 || v[3] < 0 || v[4] < 0 {
			return nil, fmt.Errorf("%w: state %d has a negative counter", models.ErrState, v[0])
		}
	}
	symbols, n := int32(len(m.Alphabet)), int32(len(m.States))
	if !validLists(m.Start, m.On, symbols) || !validLists(m.CountStart, m.CountOn, symbols) {
		return nil, fmt.Errorf("%w: edges out of order or outside the alphabet", models.ErrState)
	}
	for i := range m.To {
		if m.To[i] < 0 || m.To[i] >= n {
			return nil, fmt.Errorf("%w: edge to state %d of %d", models.ErrState, m.To[i], n)
		}
	}
	for _, c := range m.Count {
		if c < 0 {
			return nil, fmt.Errorf("%w: negative count", models.ErrState)
		}
	}
	return m, nil
}

// validLists says whether start cuts on into ascending lists of symbols.
func validLists(start, on []int32, symbols int32) bool {
	if start[0] != 0 || int(start[len(start)-1]) != len(on) {
		return false
	}
	for q := 0; q+1 < len(start); q++ {
		if start[q] > start[q+1] || int(start[q+1]) > len(on) {
			return false
		}
		for i := start[q]; i < start[q+1]; i++ {
			if on[i] < 0 || on[i] >= symbols || i > start[q] && on[i] <= on[i-1] {
				return false
			}
		}
	}
	return true
}
