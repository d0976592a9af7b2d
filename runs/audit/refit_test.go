package audit

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"plumbline/data"
	"plumbline/data/audit"
	"plumbline/data/split"
	_ "plumbline/models/supervised"
)

// table has 2,000 rows, every second an attack, told by leak alone, by a and b together, or by nothing.
func table(leak, both bool) *data.Table {
	r := rand.New(rand.NewPCG(1, 2))
	t := &data.Table{Name: "t", Rows: 2000, Classes: []string{"ok", "worm"}, Columns: []data.Column{
		{Name: "noise", Type: data.Number}, {Name: "a", Type: data.Number}, {Name: "b", Type: data.Number}}}
	if leak {
		t.Columns = append(t.Columns, data.Column{Name: "leak", Type: data.Number})
	}
	for i := range t.Rows {
		attack := i%2 == 1
		t.Attack, t.Class = append(t.Attack, attack), append(t.Class, uint32(i%2))
		a, b := r.Float64()-0.5, r.Float64()-0.5
		if both && (a*b > 0) != attack { // opposite quadrants: neither tells anything alone
			a = -a
		}
		for k, v := range []float64{r.NormFloat64(), a, b, float64(i%2) + r.Float64()/4} {
			if k < len(t.Columns) {
				t.Columns[k].Num = append(t.Columns[k].Num, v)
			}
		}
	}
	t.Origins = []data.Origin{{Rows: t.Rows}}
	return t
}

func refit(t *testing.T, tb *data.Table) *Refit {
	t.Helper()
	spec := split.DefaultSplit()
	spec.Test, spec.Attacks = 0.5, "split"
	sp, err := spec.Apply(tb)
	if err != nil {
		t.Fatal(err)
	}
	rep, err := audit.Table(context.Background(), tb, sp)
	if err != nil {
		t.Fatal(err)
	}
	out, err := Forest(context.Background(), tb, rep, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestForestFindsWhatColumnsDoNot: a shortcut that one column is goes in the round of the named ones and leaves chance;
// one that two columns make is not named, and the forest finds it.
func TestForestFindsWhatColumnsDoNot(t *testing.T) {
	named := refit(t, table(true, false))
	if len(named.Rounds) != 2 || named.Rounds[0].AUROC != 1 || !slices.Equal(named.Rounds[1].Without, []string{"leak"}) ||
		named.Rounds[1].AUROC > 0.6 || named.Finding != "" {
		t.Errorf("%+v", named)
	}
	hidden := refit(t, table(true, true))
	if len(hidden.Rounds) < 2 || hidden.Rounds[1].AUROC < 0.9 {
		t.Errorf("%+v", hidden)
	}
	if hidden.Rounds[1].AUROC > solved && hidden.Finding == "" {
		t.Errorf("nothing is said of %+v", hidden)
	}
	nothing := refit(t, table(false, false))
	if len(nothing.Rounds) != 1 || nothing.Finding != "" || nothing.Train != 1000 || nothing.Test != 1000 {
		t.Errorf("%+v", nothing)
	}
}

// TestFinding: what the rounds come to is said.
func TestFinding(t *testing.T) {
	all, after := Round{AUROC: 1}, Round{AUROC: 1, Without: []string{"ttl"}}
	last := Round{AUROC: 0.9, Without: []string{"win"}}
	got := finding([]string{"ttl"}, after, last, []Round{all, after, last})
	if !strings.Contains(got, "without ttl a forest of depth 4 still reaches AUROC 1.0000; 0.9000 without win too") {
		t.Error(got)
	}
	got = finding(nil, all, all, []Round{all, all, all})
	if !strings.Contains(got, "with all columns") || !strings.Contains(got, "after 2 more columns") {
		t.Error(got)
	}
	if got := finding([]string{"ttl"}, last, last, []Round{all, last}); got != "" {
		t.Error(got)
	}
}

func TestRefitNeedsBothKinds(t *testing.T) {
	tb := table(false, false)
	tb.Attack = nil
	if _, err := Forest(context.Background(), tb, &audit.Report{}, 1, 1); !errors.Is(err, ErrNoClasses) {
		t.Error(err)
	}
}
