package models

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"plumbline/configs/settings"
	"plumbline/data"
)

// Learned is what one Fit leaves behind. It is immutable, so that any number of goroutines may score.
type Learned interface {
	// Score is one finite number per sample of a set that has been checked against what was fitted.
	Score(ctx context.Context, s *data.Set) ([]float64, error)
	// State is what a file must hold to rebuild it: a struct for JSON (floats that JSON cannot hold belong in
	// arrays), and arrays. Neither need hold columns or alphabet: the file has them already.
	State() (meta any, arrays Arrays, err error)
}

// Reads says what of a set a model looks at, and so what must be there and be the same as in training.
type Reads uint8

const (
	ReadsRows    Reads = 1 << iota // the matrix of Vectors
	ReadsEvents                    // the values of the events of Traces
	ReadsSymbols                   // the symbols of Traces
)

// Method is what a model adds to the promises that all detectors keep alike.
type Method[L Learned] struct {
	Name   string
	Spec   Spec // the settings; read while the detector is built, not later
	Reads  Reads
	Labels bool // Fit needs the truth of each sample
	Min    int  // samples that Fit needs, at least 1
	Native bool // rows may lack values, and may have codes of categories
	// Fit learns from a set that has been checked. Its errors need not name the model.
	Fit func(ctx context.Context, train *data.Set) (L, error)
	// Load rebuilds from a file. Its errors need neither name the model nor wrap ErrState.
	Load func(s State) (L, error)
}

// Fitted is a [Detector] around a [Method]. What is the same for every model stands here: what is checked and
// when, what is forgotten, which error it is, and what a file says of the data and the settings that belong to
// it. A model with more to offer than a Detector embeds it and asks Ready for what was learned.
type Fitted[L Learned] struct {
	method Method[L]
	spec   string // hash of the settings
	now    *lastFit[L]
}

// lastFit is what was learned, and on what.
type lastFit[L Learned] struct {
	of L
	on trainedOn
}

// trainedOn is what a set must have in common with the training set.
type trainedOn struct {
	Spec     string         `json:"spec"`              // hash of the settings
	Columns  int            `json:"columns,omitempty"` // of rows or events
	Features []data.Feature `json:"features,omitempty"`
	Alphabet []string       `json:"alphabet,omitempty"`
}

// maxColumns bounds the columns that a file may claim, so that products of sizes cannot overflow.
const maxColumns = 1 << 24

// NewFitted is an unfitted detector. It panics where the method lacks something.
func NewFitted[L Learned](m Method[L]) *Fitted[L] {
	if m.Name == "" || m.Spec == nil || m.Reads == 0 || m.Min < 1 || m.Fit == nil || m.Load == nil {
		panic(fmt.Sprintf("models: %s: incomplete Method", m.Name))
	}
	return &Fitted[L]{method: m, spec: specHash(m.Spec)}
}

// Fit checks the set, learns from it and remembers its columns or alphabet.
func (f *Fitted[L]) Fit(ctx context.Context, train *data.Set) error {
	f.now = nil
	m := &f.method
	if err := m.check(train, nil, m.Min); err != nil {
		return err
	}
	if m.Labels {
		if err := CheckLabels(m.Name, train); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: fit: %w", m.Name, err)
	}
	of, err := m.Fit(ctx, train)
	if err != nil {
		return fmt.Errorf("%s: fit: %w", m.Name, err)
	}
	on := trainedOn{Spec: f.spec}
	if m.Reads&(ReadsRows|ReadsEvents) != 0 {
		on.Columns, on.Features = train.D, slices.Clone(train.Features)
	}
	if m.Reads&ReadsSymbols != 0 {
		on.Alphabet = slices.Clone(train.Alphabet)
	}
	f.now = &lastFit[L]{of, on}
	return nil
}

// Ready is what was learned, for a set that fits it: of the right kind, with the columns or the alphabet of
// the training set, which are the same features where both sets say what they are. Otherwise the error is ErrNotFitted
// or wraps
// ErrInput.
func (f *Fitted[L]) Ready(s *data.Set) (L, error) {
	of, err := f.Learned()
	if err == nil {
		err = f.method.check(s, &f.now.on, 0)
	}
	return of, err
}

// Learned is what Fit or Load left; before either the error is ErrNotFitted.
func (f *Fitted[L]) Learned() (of L, err error) {
	if f.now == nil {
		return of, fmt.Errorf("%s: %w", f.method.Name, ErrNotFitted)
	}
	return f.now.of, nil
}

// Score checks the set and scores it.
func (f *Fitted[L]) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	of, err := f.Ready(s)
	if err != nil {
		return nil, err
	}
	out, err := of.Score(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("%s: score: %w", f.method.Name, err)
	}
	return out, nil
}

// check compares a set with what the model reads and, unless on is nil, against what it was trained on.
func (m *Method[L]) check(s *data.Set, on *trainedOn, min int) error {
	if m.Reads&ReadsRows != 0 {
		width := 0
		if on != nil {
			width = on.Columns
		}
		if err := CheckVectors(m.Name, s, width, min, m.Native); err != nil || on == nil {
			return err
		}
		return same(m.Name, "column", s.Features, on.Features)
	}
	if err := CheckTraces(m.Name, s, min); err != nil {
		return err
	}
	if m.Reads&ReadsEvents != 0 {
		if err := CheckEvents(m.Name, s); err != nil {
			return err
		}
	}
	if on == nil || s.N == 0 {
		return nil
	}
	if m.Reads&ReadsEvents != 0 {
		if s.D != on.Columns {
			return fmt.Errorf("%s: %w: %d columns in an event, fitted on %d", m.Name, ErrInput, s.D, on.Columns)
		}
		if err := same(m.Name, "column", s.Features, on.Features); err != nil {
			return err
		}
	}
	if m.Reads&ReadsSymbols == 0 {
		return nil
	}
	if len(s.Alphabet) != len(on.Alphabet) {
		return fmt.Errorf("%s: %w: an alphabet of %d symbols, fitted on %d", m.Name, ErrInput, len(s.Alphabet),
			len(on.Alphabet))
	}
	return same(m.Name, "symbol", s.Alphabet, on.Alphabet)
}

// same checks columns or symbols against those of training, where both are known.
func same[T comparable](model, what string, got, want []T) error {
	if len(got) == 0 || len(want) == 0 {
		return nil
	}
	for j := range got {
		if got[j] != want[j] {
			return fmt.Errorf("%s: %w: %s %d is %v, fitted on %v", model, ErrInput, what, j, quoted(got[j]),
				quoted(want[j]))
		}
	}
	return nil
}

func quoted(v any) any {
	if s, ok := v.(string); ok {
		return strconv.Quote(s)
	}
	return v
}

// fileHead is the JSON of a saved detector.
type fileHead struct {
	trainedOn
	Model json.RawMessage `json:"model"`
}

// Save writes what was learned, what it was learned on, and the hash of the settings.
func (f *Fitted[L]) Save(w io.Writer) error {
	if f.now == nil {
		return fmt.Errorf("%s: save: %w", f.method.Name, ErrNotFitted)
	}
	meta, arrays, err := f.now.of.State()
	if err != nil {
		return fmt.Errorf("%s: save: %w", f.method.Name, err)
	}
	js, err := json.Marshal(meta)
	if err != nil {
		return fmt.Errorf("%s: save: %w", f.method.Name, err)
	}
	return WriteState(w, f.method.Name, fileHead{f.now.on, js}, arrays)
}

// Load restores what Save of the same model with the same settings wrote. Anything else leaves the detector as
// it was, with an error that wraps ErrState.
func (f *Fitted[L]) Load(r io.Reader) error {
	m := &f.method
	var head fileHead
	arrays, err := ReadState(r, m.Name, &head)
	if err != nil {
		return err
	}
	of, err := f.rebuild(head, arrays)
	if err != nil {
		if !errors.Is(err, ErrState) {
			err = fmt.Errorf("%w: %w", ErrState, err)
		}
		return fmt.Errorf("%s: load: %w", m.Name, err)
	}
	f.now = &lastFit[L]{of, head.trainedOn}
	return nil
}

func (f *Fitted[L]) rebuild(head fileHead, arrays Arrays) (of L, err error) {
	columns := f.method.Reads&(ReadsRows|ReadsEvents) != 0
	switch n := head.Columns; {
	case head.Spec != f.spec:
		return of, fmt.Errorf("fitted with other settings (their hash is %q, here %q)", head.Spec, f.spec)
	case columns && (n < 1 || n > maxColumns) || !columns && n != 0:
		return of, fmt.Errorf("%d columns", n)
	case len(head.Features) != 0 && len(head.Features) != n:
		return of, fmt.Errorf("%d features of %d columns", len(head.Features), n)
	case f.method.Reads&ReadsSymbols == 0 && len(head.Alphabet) > 0:
		return of, fmt.Errorf("an alphabet of %d symbols", len(head.Alphabet))
	}
	return f.method.Load(State{head.Columns, head.Features, head.Alphabet, arrays, head.Model})
}

// State is what a model finds in its file.
type State struct {
	Columns  int            // of the rows or events it was fitted on, from 1 to 2²⁴; 0 where it reads symbols alone
	Features []data.Feature // what they are, or none
	Alphabet []string       // of the symbols it was fitted on
	Arrays   Arrays
	meta     json.RawMessage
}

// Meta fills into from the JSON that Learned.State gave, and refuses keys that it does not have.
func (s State) Meta(into any) error { return decodeMeta(s.meta, into) }

// specHash tells settings apart: the SHA-256 of their YAML, in hexadecimal.
func specHash(spec Spec) string {
	text, err := settings.Marshal(spec)
	if err != nil {
		panic(fmt.Sprintf("models: settings of type %T do not become YAML: %v", spec, err))
	}
	return fmt.Sprintf("%x", sha256.Sum256(text))
}
