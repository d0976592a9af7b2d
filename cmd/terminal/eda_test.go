package terminal

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"plumbline/data"
	"plumbline/data/eda"
)

func TestSqueezed(t *testing.T) {
	for _, c := range []struct {
		values []float64
		n      int
		want   string
	}{
		{[]float64{0, 1, 7, 3.5}, 8, " ▂█▅"},
		{[]float64{1, 1, 6, 1, 0, 0, 3}, 3, "█▂▄"}, // 8, 1 and 3
		{[]float64{1e6, 1}, 2, "█▁"},
		{nil, 4, ""},
		{[]float64{0, 0}, 4, "  "},
	} {
		if got := squeezed(c.values, c.n); got != c.want {
			t.Errorf("squeezed(%v, %d) = %q, want %q", c.values, c.n, got, c.want)
		}
	}
}

// TestReading: elsewhere than on a terminal a plain line is written now and then, on one a line that moves.
func TestReading(t *testing.T) {
	var b bytes.Buffer
	r := NewReading(&b, false)
	r.Rows(10, 0)
	if b.Len() > 0 {
		t.Errorf("%q at once", b.String())
	}
	r.said = r.said.Add(-time.Hour)
	r.Rows(1234, 0)
	if b.String() != "1234 rows read\n" {
		t.Errorf("%q", b.String())
	}
	b.Reset()
	r.width = func() int { return 30 }
	r.said = r.said.Add(-time.Hour)
	r.Rows(2000, 0.5)
	r.Close()
	if got := b.String(); !strings.HasPrefix(got, "\r\x1b[K[##########..........] ") || len(got) > 50 {
		t.Errorf("%q", got)
	}
}

// TestEDAHostile: names and values from data steer no terminal, and bars are there where they are asked for.
func TestEDAHostile(t *testing.T) {
	const evil = "\x1b[31m\u202eevil\n"
	table := &data.Table{Name: evil, Rows: 4, Attack: []bool{true, false, true, false}, Class: []uint32{0, 1, 0, 1},
		Classes: []string{evil, "ok"}, Columns: []data.Column{
			{Name: "bytes" + evil, Type: data.Number, Num: []float64{1, 2, 3, 9}},
			{Name: "flag" + evil, Type: data.Category, Code: []uint32{0, 1, 0, 0}, Levels: []string{evil, "b"}},
		}}
	c := eda.NewCollector(eda.Options{})
	if err := c.Add(t.Context(), table); err != nil {
		t.Fatal(err)
	}
	rep, err := c.Report(t.Context(), eda.Request{})
	if err != nil {
		t.Fatal(err)
	}
	for _, bars := range []bool{false, true} {
		var b bytes.Buffer
		if err := EDA(&b, rep, bars); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		if strings.ContainsAny(text, "\x1b\u202e") {
			t.Errorf("the terminal is steered: %q", text)
		}
		if strings.Contains(text, "█") != bars {
			t.Errorf("bars %v: %s", bars, text)
		}
		for _, want := range []string{`\x1b[31m\u202eevil`, "TESTS (p adjusted for", "Holm"} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not printed: %s", want, text)
			}
		}
	}
}
