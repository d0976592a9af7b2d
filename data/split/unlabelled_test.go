package split

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"plumbline/data"
)

// TestSplitWithoutLabels: rows that nobody labelled are split like rows that are all benign, and the split says so.
func TestSplitWithoutLabels(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	made := 0
	for range 100 {
		tb := randomTable(r)
		size := data.Column{Name: "size", Type: data.Number, Num: make([]float64, tb.Rows)}
		for i := range size.Num {
			size.Num[i] = float64(r.IntN(2 * tb.Rows))
		}
		tb.Columns = append(tb.Columns, size)
		for _, kind := range []string{"official", "random", "time", "group", "kfold", "repeated"} {
			s := DefaultSplit()
			s.Kind, s.Seed, s.Columns, s.Duplicates, s.Overlap = kind, r.Uint64(), []string{"host"}, "drop", "drop"
			plain, benign := *tb, *tb
			plain.Attack, plain.Class, plain.Classes = nil, nil, nil
			benign.Attack, benign.Class, benign.Classes = make([]bool, tb.Rows), make([]uint32, tb.Rows), []string{"ok"}
			got, err := s.Apply(&plain)
			want, err2 := s.Apply(&benign)
			if (err == nil) != (err2 == nil) {
				t.Fatalf("%s: %v, of benign rows %v", kind, err, err2)
			}
			if err != nil {
				continue
			}
			made++
			if !strings.Contains(strings.Join(got.Warnings, "\n"), "has no labels") {
				t.Errorf("%s: warnings %q", kind, got.Warnings)
			}
			got.Warnings, want.Warnings = nil, nil
			if !reflect.DeepEqual(got, want) || plain.Attack != nil {
				t.Fatalf("%s: %+v, of benign rows %+v", kind, got, want)
			}
			if n := len(got.Unlabelled(&plain)); n != len(got.Train) {
				t.Errorf("%s: %d of %d training rows", kind, n, len(got.Train))
			}
		}
	}
	if made < 300 {
		t.Errorf("%d splits were made", made)
	}
	tb := randomTable(r)
	tb.Attack = nil
	for what, change := range map[string]func(*SplitSpec){
		"kind leave_out":  func(s *SplitSpec) { s.Kind, s.LeaveOut = "leave_out", []string{"scan"} },
		"attacks: family": func(s *SplitSpec) { s.Kind, s.Attacks = "kfold", "family" },
		"contamination":   func(s *SplitSpec) { s.Contamination = 0.1 },
	} {
		s := DefaultSplit()
		change(&s)
		if _, err := s.Apply(tb); !errors.Is(err, ErrSplit) || !strings.Contains(err.Error(), "no labels, which "+what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
