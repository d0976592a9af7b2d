package modeltest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"time"

	"plumbline/models"
)

// checkState: what Save writes, Load brings back, to the bit.
func checkState(s *subject) {
	d := s.trained()
	want := s.scores("", d, s.test())
	raw := s.saved("fitted", d)
	if !bytes.Equal(raw, s.saved("again", d)) {
		s.failf("Save twice gives different bytes")
	}
	s.same("after Save", s.scores("", d, s.test()), want)

	back := s.build(env(6, 3)) // the state does not lean on the seed of the one who reads it
	if err := s.load("fresh", back, raw); err != nil {
		s.fatalf("Load of what Save wrote: %v", err)
	}
	s.same("loaded", s.scores("", back, s.test()), want)
	if !bytes.Equal(raw, s.saved("loaded", back)) {
		s.failf("Save after Load gives different bytes")
	}

	used := s.fitted("other data", env(5, 1), s.other())
	if err := s.load("used", used, raw); err != nil {
		s.fatalf("Load into a fitted detector: %v", err)
	}
	s.same("loaded into a fitted detector", s.scores("", used, s.test()), want)

	full := errors.New("disk full")
	for _, room := range []int{0, 10, len(raw) / 2, len(raw) - 1} {
		if err := s.guard("Save", func() error { return d.Save(&limited{room, full}) }); !errors.Is(err, full) {
			s.failf("Save to a disk that is full after %d of %d bytes: error %v", room, len(raw), err)
		}
	}
	broken := errors.New("read error")
	fresh := s.build(env(5, 1))
	err := s.guard("Load", func() error {
		return fresh.Load(io.MultiReader(bytes.NewReader(raw[:len(raw)/2]), &limited{0, broken}))
	})
	if !errors.Is(err, broken) {
		s.failf("Load from a reader that breaks: error %v", err)
	}
}

// limited is a disk of n bytes, and a reader that breaks.
type limited struct {
	n   int
	err error
}

func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.n {
		n := l.n
		l.n = 0
		return n, l.err
	}
	l.n -= len(p)
	return len(p), nil
}

func (l *limited) Read([]byte) (int, error) { return 0, l.err }

// checkDamaged: bytes that are not what Save wrote are ErrState, and leave the detector unfitted or as it was.
func checkDamaged(s *subject) {
	raw := s.saved("fitted", s.trained())
	step := max(1, len(raw)/97)
	var foreign bytes.Buffer
	if err := models.WriteState(&foreign, s.info.Name+"_not", struct{}{}, nil); err != nil {
		s.fatalf("%v", err)
	}
	cases := map[string][]byte{
		"nothing": nil, "text": []byte("not a model\n"), "another model's state": foreign.Bytes(),
		"something after the end": append(slices.Clone(raw), 0), "itself twice": append(slices.Clone(raw), raw...),
	}
	for n := 0; n < len(raw); n += step {
		cases[fmt.Sprintf("the first %d of %d bytes", n, len(raw))] = raw[:n]
		flipped := slices.Clone(raw)
		flipped[n] ^= 1 << (n % 8)
		cases[fmt.Sprintf("a flipped bit in byte %d", n)] = flipped
	}
	fresh := s.build(env(5, 1))
	used := s.fitted("other data", env(5, 1), s.other())
	want := s.scores("", used, s.test())
	for name, b := range cases {
		if err := s.load(name, fresh, b); !errors.Is(err, models.ErrState) && !errors.Is(err, errPanic) {
			s.failf("Load of %s: error %v, want one that wraps ErrState", name, err)
		}
		s.load(name, used, b)
	}
	if _, err := s.score("after failed Loads", fresh, s.test()); !errors.Is(err, models.ErrNotFitted) {
		s.failf("Score after Loads that failed: error %v, want ErrNotFitted", err)
	}
	got, err := s.score("after failed Loads", used, s.test())
	switch {
	case errors.Is(err, models.ErrNotFitted):
	case err != nil:
		s.failf("Score after Loads that failed into a fitted detector: %v", err)
	default:
		s.same("after Loads that failed into a fitted detector", got, want)
	}
}

// checkHostile: a state that is whole by its checksum but whose lengths, indices and numbers do not fit each other
// is refused, or at the worst scores nonsense; it neither panics nor hangs.
func checkHostile(s *subject) {
	raw := s.saved("fitted", s.trained())
	var meta json.RawMessage
	arrays, err := models.ReadState(bytes.NewReader(raw), s.info.Name, &meta)
	if err != nil {
		s.fatalf("Save does not write with models.WriteState under the model's own name: %v", err)
	}
	try := func(what string, meta json.RawMessage, arrays models.Arrays) {
		var b bytes.Buffer
		if err := models.WriteState(&b, s.info.Name, meta, arrays); err != nil {
			s.fatalf("%v", err)
		}
		d := s.build(env(5, 1))
		done := make(chan struct{})
		go func() {
			defer close(done)
			switch err := s.load(what, d, b.Bytes()); {
			case errors.Is(err, errPanic):
			case err != nil && !errors.Is(err, models.ErrState):
				s.failf("Load of %s: error %v does not wrap ErrState", what, err)
			case err == nil:
				s.guard(what+": Score", func() error {
					_, err := d.Score(timeout(5*time.Second),
						first(s.test(), 5))
					return err
				})
			}
		}()
		select {
		case <-done:
		case <-time.After(30 * time.Second):
			s.fatalf("Load and Score of %s do not end", what)
		}
	}
	try("the state itself", meta, arrays)
	for _, name := range slices.Sorted(maps.Keys(arrays)) {
		for what, a := range spoilt(arrays[name]) {
			changed := maps.Clone(arrays)
			if changed[name] = a; a == nil {
				delete(changed, name)
			}
			try(fmt.Sprintf("a state whose array %q is %s", name, what), meta, changed)
		}
	}
	for _, m := range spoiltJSON(meta) {
		try(fmt.Sprintf("a state of meta %.200s", m), m, arrays)
	}
}

// spoilt is versions of an array that no longer fit the rest; nil stands for leaving it out.
func spoilt(a any) map[string]any {
	out := map[string]any{"missing": nil, "of bytes": []uint8{1, 2, 3}, "of doubles": []float64{1, 2, 3}}
	switch a := a.(type) {
	case []float32:
		resized(out, a, float32(math.NaN()), float32(math.Inf(1)), -1, 1e30)
	case []float64:
		resized(out, a, math.NaN(), math.Inf(-1), -1, 1e300)
	case []int32:
		resized(out, a, -1, 0, 1, math.MaxInt32, math.MinInt32)
	case []uint8:
		resized(out, a, 0, 255)
	}
	return out
}

func resized[T any](out map[string]any, a []T, values ...T) {
	out["empty"] = []T{}
	if len(a) == 0 {
		return
	}
	out["one too short"] = a[:len(a)-1]
	out["one too long"] = append(slices.Clone(a), a[0])
	out["reversed"] = slices.Clone(a)
	slices.Reverse(out["reversed"].([]T))
	for _, v := range values {
		begun, ended := slices.Clone(a), slices.Clone(a)
		begun[0], ended[len(a)-1] = v, v
		out[fmt.Sprintf("with %v first", v)] = begun
		out[fmt.Sprintf("with %v last", v)] = ended
		out[fmt.Sprintf("all %v", v)] = slices.Repeat([]T{v}, len(a))
	}
}

// spoiltJSON is versions of a JSON value with one of its leaves changed, for at most some sixty leaves.
func spoiltJSON(raw json.RawMessage) []json.RawMessage {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return nil
	}
	out := []json.RawMessage{json.RawMessage(`null`), json.RawMessage(`{}`), json.RawMessage(`[]`),
		json.RawMessage(`{"no_such_key":1}`)}
	// Large enough to show that a length is trusted, and refused by the allocator rather than obeyed.
	const huge = json.Number("1152921504606846976")
	leaves := 0
	var walk func(at any, put func(any))
	walk = func(at any, put func(any)) {
		for _, with := range []any{json.Number("-1"), json.Number("0"), json.Number("7"), json.Number("1000000"), huge,
			"text", nil, []any{}} {
			if leaves > 60 {
				return
			}
			put(with)
			if b, err := json.Marshal(v); err == nil {
				out = append(out, b)
			}
			put(at)
		}
		leaves++
		switch at := at.(type) {
		case map[string]any:
			for _, k := range slices.Sorted(maps.Keys(at)) {
				walk(at[k], func(x any) { at[k] = x })
			}
		case []any:
			for i := range at {
				if i < 2 || i == len(at)-1 {
					walk(at[i], func(x any) { at[i] = x })
				}
			}
		}
	}
	walk(v, func(x any) { v = x })
	return out
}
