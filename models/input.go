package models

import (
	"fmt"
	"math"

	"plumbline/data"
)

// CheckVectors checks a set against what a vector model can work on: it must be non-nil, of kind Vectors,
// have at least one sample (zero are allowed when min is 0) and finite values. width is the number of
// columns that the model was fitted on, or 0 when fitting. Native models take missing values (NaN) and codes of
// categories, too. The error wraps ErrInput and names row and column.
func CheckVectors(model string, s *data.Set, width, min int, native bool) error {
	switch {
	case s == nil:
		return fmt.Errorf("%s: %w: no set given", model, ErrInput)
	case s.Kind != data.Vectors:
		return fmt.Errorf("%s: %w: works on %v, given %v", model, ErrInput, data.Vectors, s.Kind)
	case s.N < min:
		return fmt.Errorf("%s: %w: %d samples, needs at least %d", model, ErrInput, s.N, min)
	case s.N < 0 || s.D < 0 || len(s.X) != s.N*s.D:
		return fmt.Errorf("%s: %w: matrix of %d values does not have %d×%d", model, ErrInput, len(s.X), s.N, s.D)
	case s.D == 0:
		return fmt.Errorf("%s: %w: samples have no columns", model, ErrInput)
	case width > 0 && s.D != width:
		return fmt.Errorf("%s: %w: %d columns, fitted on %d", model, ErrInput, s.D, width)
	case len(s.Features) != 0 && len(s.Features) != s.D:
		return fmt.Errorf("%s: %w: %d column names for %d columns", model, ErrInput, len(s.Features), s.D)
	}
	if !native {
		for j, f := range s.Features {
			if f.Kind == data.Code {
				return fmt.Errorf("%s: %w: column %s holds codes of categories, which are no quantities", model, ErrInput,
					columnName(s, j))
			}
		}
	}
	for i, v := range s.X {
		if !finite(v) && !(native && v != v) {
			return fmt.Errorf("%s: %w: row %d, column %s is %v", model, ErrInput, i/s.D, columnName(s, i%s.D), v)
		}
	}
	return nil
}

// CheckTraces is CheckVectors for trace models. Symbols must be UnknownSymbol or index the alphabet, and
// Events, where present, be finite and of width D.
func CheckTraces(model string, s *data.Set, min int) error {
	switch {
	case s == nil:
		return fmt.Errorf("%s: %w: no set given", model, ErrInput)
	case s.Kind != data.Traces:
		return fmt.Errorf("%s: %w: works on %v, given %v", model, ErrInput, data.Traces, s.Kind)
	case s.N < min:
		return fmt.Errorf("%s: %w: %d traces, needs at least %d", model, ErrInput, s.N, min)
	case len(s.Traces) != s.N:
		return fmt.Errorf("%s: %w: %d traces, set says %d", model, ErrInput, len(s.Traces), s.N)
	}
	for i := range s.Traces {
		if err := checkTrace(s, &s.Traces[i]); err != nil {
			return fmt.Errorf("%s: %w: trace %d (%s): %w", model, ErrInput, i, s.Traces[i].Key, err)
		}
	}
	return nil
}

func checkTrace(s *data.Set, t *data.Trace) error {
	for j, sym := range t.Symbols {
		if sym != data.UnknownSymbol && (sym < 0 || int(sym) >= len(s.Alphabet)) {
			return fmt.Errorf("event %d has symbol %d, the alphabet has %d", j, sym, len(s.Alphabet))
		}
	}
	if t.Events == nil {
		return nil
	}
	if s.D <= 0 || len(t.Events)%s.D != 0 || (len(t.Symbols) > 0 && len(t.Events) != s.D*len(t.Symbols)) {
		return fmt.Errorf("%d event values for %d symbols of width %d", len(t.Events), len(t.Symbols), s.D)
	}
	for j, v := range t.Events {
		if !finite(v) {
			return fmt.Errorf("event %d, column %s is %v", j/s.D, columnName(s, j%s.D), v)
		}
	}
	return nil
}

// CheckEvents is for models of the events' values: no trace may have symbols alone.
func CheckEvents(model string, s *data.Set) error {
	for i := range s.Traces {
		if t := &s.Traces[i]; t.Events == nil && len(t.Symbols) > 0 {
			return fmt.Errorf("%s: %w: trace %d (%s) has symbols alone, and this model needs the events' values "+
				"(traces: {events: true})",
				model, ErrInput, i, t.Key)
		}
	}
	return nil
}

// CheckLabels is for models that declare Needs.Labels: the truth must be there, one per sample.
func CheckLabels(model string, s *data.Set) error {
	if len(s.Attack) != s.N {
		return fmt.Errorf("%s: %w: %d labels for %d samples", model, ErrInput, len(s.Attack), s.N)
	}
	return nil
}

func finite(v float32) bool { return math.Float32bits(v)&0x7f800000 != 0x7f800000 }

func columnName(s *data.Set, j int) string {
	if j < len(s.Features) {
		return fmt.Sprintf("%q", s.Features[j].Name)
	}
	return fmt.Sprint(j)
}
