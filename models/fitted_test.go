package models

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"plumbline/data"
)

// countSpec is a model that counts: samples in training, or the events of symbols.
type countSpec struct {
	Step  int `yaml:"step" jsonschema:"minimum=1"`
	reads Reads
}

func (s *countSpec) New(Env) (Detector, error) { return s.detector(), nil }

func (s *countSpec) detector() *Fitted[count] {
	return NewFitted(Method[count]{
		Name: "count", Spec: s, Reads: s.reads, Min: 2,
		Fit: func(_ context.Context, train *data.Set) (count, error) {
			if train.N > 3 {
				return count{}, errors.New("too much to count")
			}
			return count{train.N * s.Step}, nil
		},
		Load: func(st State) (c count, err error) {
			if err := st.Meta(&c); err != nil {
				return c, err
			}
			if c.N < 0 {
				return c, errors.New("fewer than none")
			}
			return c, nil
		},
	})
}

type count struct{ N int }

func (c count) Score(_ context.Context, s *data.Set) ([]float64, error) {
	out := make([]float64, s.N)
	for i := range out {
		out[i] = float64(c.N)
	}
	return out, nil
}

func (c count) State() (any, Arrays, error) { return c, nil, nil }

func TestFittedForgets(t *testing.T) {
	ctx := context.Background()
	d := (&countSpec{Step: 5, reads: ReadsRows}).detector()
	if _, err := d.Score(ctx, vectors()); !errors.Is(err, ErrNotFitted) {
		t.Errorf("Score before Fit: %v", err)
	}
	if err := d.Save(&bytes.Buffer{}); !errors.Is(err, ErrNotFitted) {
		t.Errorf("Save before Fit: %v", err)
	}
	if err := d.Fit(ctx, vectors()); err != nil {
		t.Fatal(err)
	}
	if out, err := d.Score(ctx, vectors()); err != nil || len(out) != 2 || out[1] != 10 {
		t.Errorf("scores %v, %v", out, err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	one, many := vectors(), vectors()
	one.N, one.X = 1, one.X[:2]
	many.N, many.X = 4, make([]float32, 8)
	for what, err := range map[string]error{
		"few samples":  d.Fit(ctx, one),
		"own error":    d.Fit(ctx, many),
		"cancellation": d.Fit(cancelled, vectors()),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "count: ") {
			t.Errorf("%s: error %v", what, err)
		}
		if _, err := d.Score(ctx, vectors()); !errors.Is(err, ErrNotFitted) {
			t.Errorf("Score after the Fit that failed for %s: %v", what, err)
		}
	}
}

// TestFittedRefusesOtherData: what was fitted on one data set does not score another that happens to be as wide.
func TestFittedRefusesOtherData(t *testing.T) {
	ctx := context.Background()
	narrow := func(s *data.Set) { s.N, s.D, s.Features = 4, 1, s.Features[:1] }
	swap := func(s *data.Set) { s.Features[0], s.Features[1] = s.Features[1], s.Features[0] }
	enlarge := func(s *data.Set) { s.Alphabet = append(s.Alphabet, "c") }
	others := map[Reads]map[string]func(*data.Set){
		ReadsRows: {
			`count: unusable input: column 1 is "pkts", fitted on "packets"`: func(s *data.Set) { s.Features[1].Name = "pkts" },
			`count: unusable input: 1 columns, fitted on 2`:                  narrow,
		},
		ReadsEvents: {
			`count: unusable input: column 0 is "packets", fitted on "bytes"`: swap,
			"": func(s *data.Set) { s.Alphabet[0] = "z" },
		},
		ReadsSymbols: {
			`count: unusable input: symbol 0 is "z", fitted on "a"`:        func(s *data.Set) { s.Alphabet[0] = "z" },
			`count: unusable input: an alphabet of 3 symbols, fitted on 2`: enlarge,
			"":                                    func(s *data.Set) { s.Features[0].Name = "octets" },
			`count: unusable input: no set given`: func(s *data.Set) { *s = data.Set{} },
		},
	}
	for reads, cases := range others {
		set := func() *data.Set {
			if reads == ReadsRows {
				return vectors()
			}
			return traces()
		}
		d := (&countSpec{Step: 1, reads: reads}).detector()
		if err := d.Fit(ctx, set()); err != nil {
			t.Fatal(err)
		}
		var saved bytes.Buffer
		if err := d.Save(&saved); err != nil {
			t.Fatal(err)
		}
		loaded := (&countSpec{Step: 1, reads: reads}).detector()
		if err := loaded.Load(&saved); err != nil {
			t.Fatal(err)
		}
		for want, change := range cases {
			for what, d := range map[string]Detector{"fitted": d, "loaded": loaded} {
				s := set()
				change(s)
				if s.Kind == 0 {
					s = nil
				}
				_, err := d.Score(ctx, s)
				if want == "" && err != nil || want != "" && (!errors.Is(err, ErrInput) || err.Error() != want) {
					t.Errorf("%s, reads %d: error %v, want %q", what, reads, err, want)
				}
			}
		}
		unnamed := set()
		unnamed.Features = nil
		if _, err := loaded.Score(ctx, unnamed); err != nil {
			t.Errorf("a set without names of columns: %v", err)
		}
	}
}

// TestFittedRefusesOtherSettings: a file belongs to the settings that it was fitted with.
func TestFittedRefusesOtherSettings(t *testing.T) {
	ctx := context.Background()
	d := (&countSpec{Step: 5, reads: ReadsRows}).detector()
	if err := d.Fit(ctx, vectors()); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := d.Save(&b); err != nil {
		t.Fatal(err)
	}
	raw := b.Bytes()
	other := (&countSpec{Step: 6, reads: ReadsRows}).detector()
	if err := other.Load(bytes.NewReader(raw)); !errors.Is(err, ErrState) ||
		!strings.Contains(err.Error(), "other settings") {
		t.Errorf("settings of another: %v", err)
	}
	if _, err := other.Learned(); !errors.Is(err, ErrNotFitted) {
		t.Errorf("after a refused Load: %v", err)
	}
	if err := other.Load(bytes.NewReader(bytes.Replace(raw, []byte("model 2"), []byte("model 1"), 1))); !errors.Is(err,
		ErrState) || !strings.Contains(err.Error(), "another version") {
		t.Errorf("another format: %v", err)
	}
	head := func(js string) []byte { // a sound file with other JSON
		var b bytes.Buffer
		if err := WriteState(&b, "count", jsonText(js), nil); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	spec := `"spec":"` + d.spec + `"`
	for js, says := range map[string]string{
		`{` + spec + `,"columns":2,"model":{"N":-1}}`:                          "fewer than none",
		`{` + spec + `,"columns":2,"model":{"M":1}}`:                           "unknown field",
		`{` + spec + `,"columns":0,"model":{"N":1}}`:                           "0 columns",
		`{` + spec + `,"columns":99999999,"model":{"N":1}}`:                    "99999999 columns",
		`{` + spec + `,"columns":2,"features":[{"name":"a"}],"model":{"N":1}}`: "1 features of 2 columns",
		`{` + spec + `,"columns":2,"alphabet":["a"],"model":{"N":1}}`:          "an alphabet of 1",
		`{` + spec + `,"columns":2,"model":{"N":1},"owner":"not for us"}`:      "unknown field",
	} {
		if err := d.Load(bytes.NewReader(head(js))); !errors.Is(err, ErrState) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %v, want one that says %q", js, err, says)
		}
	}
	if out, err := d.Score(ctx, vectors()); err != nil || out[0] != 10 {
		t.Errorf("after refused Loads: %v, %v", out, err)
	}
}

type jsonText string

func (j jsonText) MarshalJSON() ([]byte, error) { return []byte(j), nil }
