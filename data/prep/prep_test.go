package prep_test

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/data/prep"
)

var nan = math.NaN()

// table: rows 0–3 are benign training rows, 4 is an attack in training, 5–7 are test rows.
func table() *data.Table {
	return &data.Table{
		Name: "t", Rows: 8,
		Columns: []data.Column{
			{
				Name:   "proto",
				Type:   data.Category,
				Levels: []string{"udp", "tcp", "gre", "icmp"},
				Code:   []uint32{1, 0, 1, data.Missing, 2, 3, 0, data.Missing},
			},
			{Name: "size", Type: data.Number, Num: []float64{1, 2, 3, nan, 100, 7, nan, -1}},
			{Name: "flat", Type: data.Number, Num: []float64{5, 5, 5, 5, 6, 5, 8, 5}},
			{Name: "at", Type: data.Time, Nanos: []int64{3, 1, 2, 4, 5, 6, 7, 8}},
			{Name: "host", Type: data.Address, Levels: []string{"a", "b"}, Code: []uint32{0, 0, 1, 0, 1, 0, 0, 1}},
		},
		Attack: []bool{
			false,
			false,
			false,
			false,
			true,
			false,
			true,
			false,
		}, Class: []uint32{0, 0, 0, 0, 1, 0, 1, 0}, Classes: []string{"ok", "bad"},
	}
}

var rows = prep.Rows{Benign: []int32{0, 1, 2, 3}, All: []int32{0, 1, 2, 3, 4}}

func decode(t testing.TB, text string) (prep.Spec, error) {
	t.Helper()
	doc, err := settings.Parse("p.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return prep.Decode(doc)
}

func matrix(t testing.TB, text string, apply []int32) (*data.Set, *prep.Pipeline, error) {
	t.Helper()
	s, err := decode(t, text)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Fit(context.Background(), table(), rows, 2)
	if err != nil {
		return nil, nil, err
	}
	set, err := p.Apply(context.Background(), table(), apply, 2)
	return set, p, err
}

func TestStepsByHand(t *testing.T) {
	all := []int32{0, 3, 4, 5, 6}
	sd := math.Sqrt(0.5) // of 1 2 3 and the median 2: population
	for _, c := range []struct {
		name, steps string
		columns     []string
		want        []float64 // rows 0, 3, 4, 5, 6
	}{
		{"median", "[{step: select, columns: [size]}, impute]", []string{"size"}, []float64{1, 2, 100, 7, 2}},
		{"constant", "[{step: select, columns: [size]}, {step: impute, number: constant, value: -9}]", []string{"size"},
			[]float64{1, -9, 100, 7, -9}},
		{"mean over all training rows", "[{step: select, columns: [size]}, {step: impute, number: mean, fit: train}]",
			[]string{"size"}, []float64{1, 26.5, 100, 7, 26.5}},
		{"below", "[{step: select, columns: [size]}, {step: impute, number: below}]", []string{"size"},
			[]float64{1, 0, 100, 7, 0}}, // 0: the smallest training value less one
		{"zscore", "[{step: select, columns: [size, flat]}, impute, {step: scale, kind: zscore}]",
			[]string{"size", "flat"}, []float64{-1 / sd, 0, 0, 0, 98 / sd, 1, 5 / sd, 0, 0, 3}},
		{"minmax, a constant only shifted",
			"[{step: select, columns: [size, flat]}, impute, {step: scale, kind: minmax}]", []string{"size", "flat"},
			[]float64{0, 0, .5, 0, 49.5, 1, 3, 0, .5, 3}},
		{"maxabs", "[{step: select, columns: [size]}, impute, {step: scale, kind: maxabs}]", []string{"size"},
			[]float64{1. / 3, 2. / 3, 100. / 3, 7. / 3, 2. / 3}},
		{"robust", "[{step: select, columns: [size]}, impute, {step: scale, kind: robust}]", []string{"size"},
			[]float64{-2, 0, 196, 10, 0}}, // quartiles of 1 2 2 3: 1.75, 2, 2.25
		{"quantile", "[{step: select, columns: [size]}, impute, {step: scale, kind: quantile}]", []string{"size"},
			[]float64{0, .5, 1, 1, .5}},
		{"log1p keeps the sign",
			"[{step: select, columns: [size]}, {step: impute, number: constant, value: -3}, log1p]", []string{"size"},
			[]float64{math.Log(2), -math.Log(4), math.Log(101), math.Log(8), -math.Log(4)}},
		{"clip to fixed limits", "[{step: select, columns: [size]}, impute, {step: clip, min: 1.5, max: 8}]",
			[]string{"size"}, []float64{1.5, 2, 8, 7, 2}},
		{"clip to quantiles", "[{step: select, columns: [size]}, impute, {step: clip, low: 0, high: 1}]",
			[]string{"size"}, []float64{1, 2, 3, 3, 2}},
		{"one-hot of benign rows: unseen and missing are zeros", "[{step: select, columns: [proto]}, onehot]",
			[]string{"proto=tcp", "proto=udp"}, []float64{1, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
		{"one-hot of all training rows", "[{step: select, columns: [proto]}, {step: onehot, fit: train}]",
			[]string{"proto=gre", "proto=tcp", "proto=udp"}, []float64{0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}},
		{"missing as a level", "[{step: select, columns: [proto]}, impute, onehot]",
			[]string{"proto=(missing)", "proto=tcp", "proto=udp"},
			[]float64{0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
		{"missing as the most frequent",
			"[{step: select, columns: [proto]}, {step: impute, category: frequent}, onehot]",
			[]string{"proto=tcp", "proto=udp"}, []float64{1, 0, 1, 0, 0, 0, 0, 0, 0, 1}},
		{"two levels in one column", "[{step: select, columns: [proto]}, {step: onehot, drop_binary: true}]",
			[]string{"proto=udp"}, []float64{0, 0, 0, 0, 1}},
		{"numbers first; scaling reaches the dummies",
			"[{step: drop, columns: [flat]}, impute, onehot, {step: scale, kind: maxabs}]",
			[]string{"size", "proto=(missing)", "proto=tcp", "proto=udp"},
			[]float64{1. / 3, 0, 1, 0, 2. / 3, 1, 0, 0, 100. / 3, 0, 0, 0, 7. / 3, 0, 0, 0, 2. / 3, 0, 0, 1}},
		{"log2 keeps the sign", "[{step: select, columns: [size]}, {step: impute, number: constant, value: -3}, log2]",
			[]string{"size"}, []float64{1, -2, math.Log2(101), 3, -2}},
		{"low variance goes", "[{step: drop, columns: [proto]}, impute, {step: drop_low_variance, threshold: 0.1}]",
			[]string{"size"}, []float64{1, 2, 100, 7, 2}},
		{"constant columns go", "[{step: drop, columns: [proto]}, impute, drop_constant]", []string{"size"},
			[]float64{1, 2, 100, 7, 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			set, p, err := matrix(t, c.steps, all)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(set.ColumnNames(), c.columns) || set.N != 5 || set.D != len(c.columns) {
				t.Fatalf("columns %q, want %q", set.ColumnNames(), c.columns)
			}
			for i, w := range c.want {
				if math.Abs(float64(set.X[i])-w) > 1e-6*math.Max(1, math.Abs(w)) {
					t.Fatalf("matrix %v, want %v", set.X, c.want)
				}
			}
			if !slices.Equal(set.Attack, []bool{false, false, true, false, true}) || !slices.Equal(set.Rows, all) {
				t.Errorf("truth %v, rows %v", set.Attack, set.Rows)
			}
			raw, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			var back prep.Pipeline
			if err := json.Unmarshal(raw, &back); err != nil {
				t.Fatal(err)
			}
			again, err := back.Apply(context.Background(), table(), all, 1)
			if err != nil || !slices.Equal(again.X, set.X) {
				t.Errorf("after saving: %v, %v", again, err)
			}
		})
	}
}

// TestFeatures: a column says what it is: a number, or a level of a category, under whatever names.
func TestFeatures(t *testing.T) {
	set, p, err := matrix(
		t,
		"[{step: select, columns: [size, proto]}, impute, onehot, {step: scale, kind: zscore}]",
		[]int32{0},
	)
	if err != nil {
		t.Fatal(err)
	}
	want := []data.Feature{
		{Name: "size", Source: "size"},
		{Name: "proto=(missing)", Source: "proto", Kind: data.Level, Level: "(missing)"},
		{Name: "proto=tcp", Source: "proto", Kind: data.Level, Level: "tcp"},
		{Name: "proto=udp", Source: "proto", Kind: data.Level, Level: "udp"},
	}
	if !slices.Equal(set.Features, want) || !slices.Equal(p.Features(), want) {
		t.Errorf("features %v, want %v", set.Features, want)
	}
}

func TestQuantileToNormal(t *testing.T) {
	set, _, err := matrix(t, "[{step: select, columns: [size]}, impute, {step: scale, kind: normal}]", []int32{0, 3, 4})
	if err != nil {
		t.Fatal(err)
	}
	// Φ⁻¹ of ½ is 0; the ends are kept one in ten million away: ±5.199337582290661 (tables)
	for i, want := range []float64{-5.1993375, 0, 5.1993375} {
		if math.Abs(float64(set.X[i])-want) > 1e-5 {
			t.Errorf("value %d is %v, want %v", i, set.X[i], want)
		}
	}
}

func TestPrepErrors(t *testing.T) {
	for _, c := range []struct{ name, steps, want string }{
		{"missing without impute", "[{step: select, columns: [size]}]", "column size: value NaN"},
		{"categories without one-hot", "[impute]", "column proto holds categories"},
		{"nothing left", "[{step: drop, columns: [proto, size, flat]}]", "no columns are left"},
		{"unknown column", "[{step: drop, columns: [sise]}]", `no column "sise"; did you mean "size"?`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, _, err := matrix(t, c.steps, []int32{3}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	for _, c := range []struct{ name, steps, want string }{
		{"unknown step", "[imputt]", `p.yaml:1:2: 0: unknown step "imputt"; did you mean "impute"?`},
		{"no name", "[{kind: zscore}]", "want the name of the step"},
		{"unknown key", "[{step: scale, kinds: zscore}]", `did you mean "kind"?`},
		{"unknown kind", "[{step: scale, kind: zsore}]", `did you mean "zscore"?`},
		{"no columns", "[drop, {step: select}]", "the step needs columns"},
		{"limits crossed", "[{step: clip, low: 0.9, high: 0.1}]", "above the upper"},
		{"no list", "{step: impute}", "want a list of steps"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := decode(t, c.steps); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func traces(t *testing.T, text string) prep.TraceSpec {
	t.Helper()
	doc, err := settings.Parse("t.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s := prep.DefaultTraces()
	if ps := doc.Decode(&s); len(ps) > 0 {
		t.Fatal(ps)
	}
	return s
}

func TestTraces(t *testing.T) {
	s := traces(t, "{key: [host], symbols: [proto, {column: size, bins: 2}], window: {length: 2, stride: 1}}")
	tr, err := s.Fit(context.Background(), table(), rows)
	if err != nil {
		t.Fatal(err)
	}
	// sizes 1 2 3 have the median 2: class 0 up to it, 1 above
	if want := []string{"-|-", "tcp|0", "tcp|1", "udp|0"}; !slices.Equal(tr.Alphabet, want) {
		t.Fatalf("alphabet %q, want %q", tr.Alphabet, want)
	}
	set, err := tr.Apply(context.Background(), table(), []int32{0, 1, 2, 3, 4}, nil)
	if err != nil {
		t.Fatal(err)
	}
	// host a by time: rows 1, 0, 3; host b: rows 2, 4 (gre is no symbol of benign training)
	type window struct {
		Key     string
		Symbols []int32
		Rows    []int32
	}
	var got []window
	for _, w := range set.Traces {
		got = append(got, window{Key: w.Key, Symbols: w.Symbols, Rows: w.Rows})
	}
	want := []window{
		{Key: "a", Symbols: []int32{3, 1}, Rows: []int32{1, 0}},
		{Key: "a", Symbols: []int32{1, 0}, Rows: []int32{0, 3}},
		{Key: "b", Symbols: []int32{2, data.UnknownSymbol}, Rows: []int32{2, 4}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if !slices.Equal(set.Attack, []bool{false, false, true}) || set.N != 3 {
		t.Errorf("truth %v", set.Attack)
	}
	raw, err := json.Marshal(tr)
	if err != nil {
		t.Fatal(err)
	}
	var back prep.Tracer
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	again, err := back.Apply(context.Background(), table(), []int32{0, 1, 2, 3, 4}, nil)
	if err != nil || cmp.Diff(set, again) != "" {
		t.Errorf("after saving: %v, %v", again, err)
	}
}

// TestSymbolsOfOddLevels: levels that hold the separator, or read like a missing or another level, keep
// symbols of their own.
func TestSymbolsOfOddLevels(t *testing.T) {
	level := []string{"a|b", "c", "a", "b|c", "-", "(other)", `\`, "rare"}
	tb := &data.Table{
		Name:    "x",
		Rows:    6,
		Classes: []string{"ok"},
		Attack:  make([]bool, 6),
		Class:   make([]uint32, 6),
		Columns: []data.Column{
			{Name: "host", Type: data.Address, Levels: []string{"h"}, Code: make([]uint32, 6)},
			{Name: "p", Type: data.Category, Levels: level, Code: []uint32{0, 2, 4, data.Missing, 5, 6}},
			{Name: "q", Type: data.Category, Levels: level, Code: []uint32{1, 3, 1, 1, 1, 1}}},
	}
	tr, err := traces(
		t,
		"{key: [host], symbols: [p, q]}",
	).Fit(context.Background(), tb, prep.Rows{Benign: []int32{0, 1, 2, 3, 4, 5}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`-|c`, `\(other)|c`, `\-|c`, `\\|c`, `a\|b|c`, `a|b\|c`}
	if !slices.Equal(tr.Alphabet, want) {
		t.Errorf("alphabet %q, want %q", tr.Alphabet, want)
	}
}

// TestEveryRowIsInATrace: whatever window and stride.
func TestEveryRowIsInATrace(t *testing.T) {
	for _, text := range []string{"{length: 0, stride: 1}", "{length: 1, stride: 1}", "{length: 2, stride: 2}",
		"{length: 3, stride: 2}", "{length: 50, stride: 7}"} {
		s := traces(t, "{key: [host], symbols: [proto], label: any, window: "+text+"}")
		tr, err := s.Fit(context.Background(), table(), rows)
		if err != nil {
			t.Fatal(err)
		}
		all := []int32{0, 1, 2, 3, 4, 5, 6, 7}
		set, err := tr.Apply(context.Background(), table(), all, nil)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[int32]bool{}
		for i, w := range set.Traces {
			attack := false
			for _, r := range w.Rows {
				seen[r] = true
				attack = attack || table().Attack[r]
			}
			if set.Attack[i] != attack {
				t.Errorf("%s: window %d: attack %v", text, i, set.Attack[i])
			}
		}
		if len(seen) != len(all) {
			t.Errorf("%s: %d of %d rows are in a window", text, len(seen), len(all))
		}
	}
}

func TestTraceErrors(t *testing.T) {
	for text, want := range map[string]string{
		"{key: [host], symbols: [proto], window: {length: 2, stride: 3}}": "leaves events out",
		"{key: [host]}":                                 "need a key and symbols",
		"{key: [hots], symbols: [proto]}":               `no column "hots"`,
		"{key: [host], symbols: [at]}":                  "column at of type time",
		"{key: [host], symbols: [proto], order: proto}": "no time or number column",
	} {
		tr, err := traces(t, text).Fit(context.Background(), table(), rows)
		if err == nil {
			_, err = tr.Apply(context.Background(), table(), rows.All, nil)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
}

func TestTraceEvents(t *testing.T) {
	_, p, err := matrix(t, "[{step: select, columns: [size]}, impute]", nil)
	if err != nil {
		t.Fatal(err)
	}
	s := traces(t, "{key: [host], symbols: [proto], events: true}")
	tr, err := s.Fit(context.Background(), table(), rows)
	if err != nil {
		t.Fatal(err)
	}
	set, err := tr.Apply(context.Background(), table(), []int32{0, 1, 2, 3}, p)
	if err != nil || set.D != 1 || !slices.Equal(set.Traces[0].Events, []float32{2, 1, 2}) ||
		!slices.Equal(set.Traces[1].Events, []float32{3}) {
		t.Errorf("%+v, %v", set, err)
	}
}

func FuzzPipelineJSON(f *testing.F) {
	f.Add(`{"outputs":[{"name":"size","source":"size","ops":[{"op":"fill","a":2},{"op":"affine","a":1,"b":2}]}]}`)
	f.Add(`{"outputs":[{"name":"proto=tcp","source":"proto","level":"tcp","dummy":true}]}`)
	f.Add(`{"outputs":[{"name":"q","source":"size","ops":[{"op":"quantile","table":[1,1,2],"b":1}]}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var p prep.Pipeline
		if json.Unmarshal([]byte(text), &p) != nil {
			return
		}
		set, err := p.Apply(context.Background(), table(), []int32{0, 3, 5}, 1)
		if err == nil && len(set.X) != 3*len(p.Outputs) {
			t.Fatalf("%d values for %d columns", len(set.X), len(p.Outputs))
		}
	})
}

func FuzzTracerJSON(f *testing.F) {
	f.Add(
		`{"spec":{"Key":["host"],"Window":{"Length":2,"Stride":1}},"parts":[{"column":"proto","levels":["tcp"]}],"alphabet":["tcp"]}`,
	)
	f.Fuzz(func(t *testing.T, text string) {
		var tr prep.Tracer
		if json.Unmarshal([]byte(text), &tr) != nil {
			return
		}
		_, _ = tr.Apply(context.Background(), table(), []int32{0, 3, 5}, nil)
	})
}

func FuzzDecode(f *testing.F) {
	f.Add("[impute, {step: scale, kind: robust, columns: [size]}, onehot]")
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := settings.Parse("f", []byte(text))
		if err != nil {
			return
		}
		s, err := prep.Decode(doc)
		if err != nil {
			return
		}
		p, err := s.Fit(context.Background(), table(), rows, 1)
		if err != nil {
			return
		}
		_, _ = p.Apply(context.Background(), table(), []int32{0, 3, 6}, 1)
	})
}

func TestDuplicateColumns(t *testing.T) {
	tb := table()
	again := data.Column{Name: "again", Type: data.Number, Num: append([]float64(nil), tb.Columns[1].Num...)}
	again.Num[5] = 99 // differs in a test row only
	tb.Columns = append(tb.Columns, again)
	s, err := decode(t, "[{step: drop, columns: [proto]}, drop_duplicate_columns, impute]")
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Fit(context.Background(), tb, rows, 2)
	if err != nil || !slices.Equal(p.Columns(), []string{"size", "flat"}) ||
		!strings.Contains(strings.Join(p.Notes, " "), "again equals an earlier column") {
		t.Errorf("%q, %q, %v", p.Columns(), p.Notes, err)
	}
}

func TestGroupPorts(t *testing.T) {
	tb := table()
	tb.Columns = []data.Column{
		{Name: "port", Type: data.Number, Num: []float64{80, 443, 1000, 3389, 50000, nan, 0, 20}},
	}
	s, err := decode(t, "[{step: group_ports, columns: [port]}]")
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Fit(context.Background(), tb, rows, 1)
	if err != nil {
		t.Fatal(err)
	}
	set, err := p.Apply(context.Background(), tb, []int32{0, 1, 2, 3, 4, 5, 6, 7}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range set.Features {
		if f.Kind != data.Level || f.Source != "port" || f.Name != "port="+f.Level {
			t.Errorf("feature %v", f)
		}
	}
	var got []string
	for i := range set.N {
		name := "-"
		for j, v := range set.Row(i) {
			if v == 1 {
				name = strings.TrimPrefix(name, "-") + set.Features[j].Level
			}
		}
		got = append(got, name)
	}
	if want := []string{"http", "https", "well-known", "rdp", "dynamic", "-", "well-known", "ftp"}; !slices.Equal(
		got,
		want,
	) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestPower: the transform by hand, and an exponent that no other beats: log-normal values are best near 0.
func TestPower(t *testing.T) {
	tb := table()
	n := 400
	var v []float64
	var all []int32
	for i := range n { // quantiles of a log-normal minus 1
		z := math.Sqrt2 * math.Erfinv(2*(float64(i)+0.5)/float64(n)-1)
		v = append(v, math.Exp(z)-1)
		all = append(all, int32(i))
	}
	tb.Rows, tb.Columns, tb.Attack, tb.Class = n, []data.Column{
		{Name: "x", Type: data.Number, Num: v},
	}, make(
		[]bool,
		n,
	), make(
		[]uint32,
		n,
	)
	s, err := decode(t, "[power]")
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Fit(context.Background(), tb, prep.Rows{Benign: all, All: all}, 1)
	if err != nil {
		t.Fatal(err)
	}
	lambda := p.Outputs[0].Ops[0].A
	// for values above −1 of this kind ψ is ln(1+v) at λ = 0 on the positive side; the negative side pulls it off
	if math.Abs(lambda) > 0.5 {
		t.Errorf("λ = %v", lambda)
	}
	set, err := p.Apply(context.Background(), tb, all, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{0, 100, 399} {
		want := (math.Pow(v[i]+1, lambda) - 1) / lambda
		if v[i] < 0 {
			want = -(math.Pow(1-v[i], 2-lambda) - 1) / (2 - lambda)
		}
		if math.Abs(float64(set.X[i])-want) > 1e-5*math.Max(1, math.Abs(want)) {
			t.Errorf("value %v becomes %v, want %v", v[i], set.X[i], want)
		}
	}
}

func TestSymbolLimits(t *testing.T) {
	tb := table()
	for kind, want := range map[string][]string{
		"{column: size, kind: log2}":              {"-", "1", "2", "3"}, // limits 0, 1, 2: 1 → 1, 2 → 2, 3 → 3
		"{column: size, kind: kmeans, bins: 2}":   {"-", "0", "1"},      // centres 1 and 2.5 or 1.5 and 3
		"{column: size, kind: quantile, bins: 2}": {"-", "0", "1"},
		// sums of squares 2, ½, 0, …: three lie farthest below the line
		"{column: size, kind: kmeans, bins: 0}": {"-", "0", "1", "2"},
	} {
		tr, err := traces(t, "{key: [host], symbols: ["+kind+"]}").Fit(context.Background(), tb, rows)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(tr.Alphabet, want) {
			t.Errorf("%s: alphabet %q, want %q", kind, tr.Alphabet, want)
		}
	}
}

// TestNative: for models that take them, native steps leave missing numbers as they are, through the steps that follow,
// and make codes of categories; for the others they do what they do without native.
func TestNative(t *testing.T) {
	text := "[{step: impute, native: true}, {step: onehot, native: true, max_levels: 2}, " +
		"{step: scale, kind: minmax, fit: train}]"
	spec, err := decode(t, text)
	if err != nil || !spec.Native() {
		t.Fatalf("native %v, %v", spec.Native(), err)
	}
	tb := table()
	p, err := spec.FitNative(context.Background(), tb, rows, 2)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	again := &prep.Pipeline{}
	if err := json.Unmarshal(raw, again); err != nil {
		t.Fatal(err)
	}
	for _, q := range []*prep.Pipeline{p, again} {
		s, err := q.Apply(context.Background(), tb, []int32{0, 1, 3, 4, 5, 6}, 1)
		if err != nil {
			t.Fatal(err)
		}
		// tcp has two rows, (missing) and udp have one each: of equals the first is kept
		want := []float32{1, 0, 0, float32(nan), float32(1. / 99), 0, 0, float32(nan), 0, float32(nan), 1, 1,
			float32(nan), float32(6. / 99), 0, float32(nan), float32(nan), 3}
		if diff := cmp.Diff(want, s.X, cmp.Comparer(func(a, b float32) bool {
			return a != a && b != b || math.Abs(float64(a-b)) < 1e-6
		})); diff != "" {
			t.Errorf("%v", diff)
		}
		features := []data.Feature{{Name: "proto", Source: "proto", Kind: data.Code}, {Name: "size", Source: "size"},
			{Name: "flat", Source: "flat"}}
		if diff := cmp.Diff(features, s.Features); diff != "" {
			t.Error(diff)
		}
	}
	plain, _, err := matrix(t, strings.ReplaceAll(text, "native: true, ", ""), []int32{0, 3, 6})
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := matrix(t, text, []int32{0, 3, 6})
	if diff := cmp.Diff(plain, other); diff != "" || err != nil {
		t.Errorf("%v, %v", diff, err)
	}
	if _, err := decode(t, "[{step: impute, native: true}, project]"); err == nil ||
		!strings.Contains(err.Error(), "native") {
		t.Errorf("components of missing values: %v", err)
	}
}
