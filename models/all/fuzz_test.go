package all

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"testing"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/models"
)

// tiny is a training set that every model can learn from in no time: two classes, three columns or symbols.
func tiny(kind data.Kind) *data.Set {
	r := rand.New(rand.NewPCG(1, 1))
	s := &data.Set{Kind: kind, N: 24, D: 3, Features: data.Quantities("a", "b", "c"),
		Attack: make([]bool, 24), Class: make([]uint32, 24), Classes: []string{"benign", "scan"}}
	if kind == data.Traces {
		s.Alphabet = []string{"x", "y", "z"}
	}
	for i := range s.N {
		if i%6 == 5 {
			s.Attack[i], s.Class[i] = true, 1
		}
		var events []float32
		var symbols []int32
		for k := range 12 {
			events = append(events, float32(r.NormFloat64()), float32(i%3), float32(k%4))
			symbols = append(symbols, int32((i+k)%3))
		}
		if kind == data.Traces {
			s.Traces = append(s.Traces, data.Trace{Key: []string{"h", "g"}[i%2], Events: events, Symbols: symbols})
		} else {
			s.X = append(s.X, events[:3]...)
		}
	}
	return s
}

// quick is settings that keep a model small; a model takes those that it has.
var quick = []string{"epochs: 1", "hidden: [2]", "units: 2", "trees: 3", "max_samples: 8", "neighbours: 2", "k: 2",
	"clusters: 2", "key_events: 19", "window: 3", "units: [2]", "units: [2, 2]", "embed: 2", "of: 2",
	"base: [znorm, hbos]", "base: {model: ae, params: {epochs: 1}}", "group: 2"}

// small is a model's settings with those of quick that it takes.
func small(tb testing.TB, name string) models.Spec {
	tb.Helper()
	info, err := models.Lookup(name)
	if err != nil {
		tb.Fatal(err)
	}
	spec := info.Defaults()
	var taken []settings.Node
	for _, text := range quick {
		doc, err := settings.Parse("quick", []byte(text))
		if err != nil {
			tb.Fatal(err)
		}
		with, err := models.Decode(name, append(taken, doc)...)
		if err == nil {
			_, err = with.New(models.Env{}) // settings may not fit each other
		}
		if err == nil {
			spec, taken = with, append(taken, doc)
		}
	}
	return spec
}

// sealed is a state with the checksum that belongs to it.
func sealed(body []byte) []byte {
	sum := crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli))
	return binary.LittleEndian.AppendUint32(bytes.Clone(body), sum)
}

// FuzzLoad: a state whose checksum is right and whose contents are any bytes is refused with an error, or loads into
// a model that scores or refuses the set. Nothing panics, and nothing is allocated that the bytes do not hold.
func FuzzLoad(f *testing.F) {
	ctx := context.Background()
	names := models.Names()
	for i, name := range names {
		info, err := models.Lookup(name)
		if err != nil {
			f.Fatal(err)
		}
		det, err := small(f, name).New(models.Env{Seed: 1, Workers: 1})
		if err != nil {
			f.Fatal(err)
		}
		train := tiny(info.Needs.Input)
		if err := det.Fit(ctx, train); err != nil {
			f.Fatalf("%s: %v", name, err)
		}
		var state bytes.Buffer
		if err := det.Save(&state); err != nil {
			f.Fatalf("%s: %v", name, err)
		}
		body := state.Bytes()[:state.Len()-4]
		if len(body) > 1<<16 {
			f.Errorf("%s: a state of %d bytes is too large to fuzz: make the model smaller", name, len(body))
		}
		f.Add(uint8(i), body)
	}
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		name := names[int(which)%len(names)]
		info, err := models.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		det, err := small(t, name).New(models.Env{Seed: 1, Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := det.Load(bytes.NewReader(sealed(body))); err != nil {
			if !errors.Is(err, models.ErrState) {
				t.Fatalf("%s: error %v does not wrap ErrState", name, err)
			}
			if _, err := det.Score(ctx, tiny(info.Needs.Input)); !errors.Is(err, models.ErrNotFitted) {
				t.Fatalf("%s: after a refused state the error is %v", name, err)
			}
			return
		}
		set := tiny(info.Needs.Input)
		scores, err := det.Score(ctx, set)
		if err == nil && len(scores) != set.N {
			t.Fatalf("%s: %d scores of %d samples", name, len(scores), set.N)
		}
	})
}
