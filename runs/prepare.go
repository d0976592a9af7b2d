package runs

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"sync"

	"plumbline/data"
	"plumbline/data/prep"
)

// prepared is one data set read, split and prepared, shared by all cells on it.
type prepared struct {
	set      *DataSet
	table    *data.Table
	report   *data.ReadReport
	split    *data.Split
	benign   []int32 // benign training rows
	pipe     *prep.Pipeline
	tracer   *prep.Tracer
	workers  int
	warnings []string

	test, valid, trainUnits *units

	mu   sync.Mutex
	made map[string]*sets
}

// sets is what the models of one kind see.
type sets struct {
	train, valid, test *data.Set
	trainSum, testSum  string
	err                error
}

// source is a data set as it was read.
type source struct {
	table  *data.Table
	report *data.ReadReport
}

func read(ctx context.Context, set *DataSet, finder data.Finder, workers int) (*source, error) {
	t, report, err := data.Read(ctx, set.Config, finder, workers)
	return &source{t, report}, err
}

// prepare splits what was read (one fold of it) and fits the preprocessing; the sets themselves are made
// when a model first asks.
func (src *source) prepare(ctx context.Context, set *DataSet, fold, workers int) (*prepared, error) {
	p := &prepared{set: set, workers: workers, made: map[string]*sets{}, table: src.table, report: src.report}
	var err error
	if fold == 0 {
		p.warnings = append(p.warnings, p.report.Warnings...)
	}
	if p.split, err = set.Split.Fold(p.table, fold); err != nil {
		return nil, err
	}
	p.warnings = append(p.warnings, p.split.Warnings...)
	p.benign = p.split.Unlabelled(p.table)
	rows := prep.Rows{Benign: p.benign, All: p.split.Train}
	if p.pipe, err = set.Prep.Fit(ctx, p.table, rows, workers); err != nil {
		return nil, fmt.Errorf("%s: %w", set.Config.Name, err)
	}
	if set.Traces != nil {
		if p.tracer, err = set.Traces.Fit(ctx, p.table, rows); err != nil {
			return nil, fmt.Errorf("%s: %w", set.Config.Name, err)
		}
	}
	for _, u := range []struct {
		to   **units
		rows []int32
	}{{&p.test, p.split.Test}, {&p.valid, p.split.Valid}, {&p.trainUnits, p.benign}} {
		if *u.to, err = set.Unit.units(p.table, u.rows); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// sets is the train, validation and test sets for a model: train is benign and unlabelled unless the model
// learns from labels.
func (p *prepared) sets(ctx context.Context, needs needs) (*sets, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := fmt.Sprint(needs)
	if s, ok := p.made[key]; ok {
		return s, s.err
	}
	s := &sets{}
	apply := func(rows []int32) *data.Set {
		if s.err != nil {
			return nil
		}
		var out *data.Set
		if needs.traces {
			out, s.err = p.tracer.Apply(ctx, p.table, rows, p.pipe)
		} else {
			out, s.err = p.pipe.Apply(ctx, p.table, rows, p.workers)
		}
		return out
	}
	trainRows := p.benign
	if needs.labels {
		trainRows = p.split.Train
	}
	s.train = apply(trainRows)
	// scores of validation and test do not depend on labels: share them between kinds of training
	other := needs
	other.labels = !needs.labels
	if o, ok := p.made[fmt.Sprint(other)]; ok && o.err == nil && s.err == nil {
		s.valid, s.test, s.testSum = o.valid, o.test, o.testSum
	} else {
		s.valid, s.test = apply(p.split.Valid), apply(p.split.Test)
	}
	if s.err != nil {
		s.err = fmt.Errorf("%s: %w", p.set.Config.Name, s.err)
		if ctx.Err() == nil { // a cancelled attempt may be repeated
			p.made[key] = s
		}
		return nil, s.err
	}
	if !needs.labels {
		s.train = s.train.Unlabelled()
	}
	s.valid, s.test = s.valid.Unlabelled(), s.test.Unlabelled()
	s.trainSum = checksum(s.train)
	if s.testSum == "" {
		s.testSum = checksum(s.test)
	}
	p.made[key] = s
	return s, nil
}

// needs is which sets a model sees.
type needs struct{ traces, labels bool }

// checksum is a hash of the values that a model sees, so that two runs can be shown to have had the same.
func checksum(s *data.Set) string {
	h := sha256.New()
	fmt.Fprintf(h, "%v %d %d %d\n", s.Kind, s.N, s.D, len(s.Alphabet))
	hashFloats(h, s.X)
	for i := range s.Traces {
		t := &s.Traces[i]
		fmt.Fprintf(h, "%s %d\n", t.Key, len(t.Symbols))
		buf := make([]byte, 4*len(t.Symbols))
		for k, v := range t.Symbols {
			binary.LittleEndian.PutUint32(buf[4*k:], uint32(v))
		}
		h.Write(buf)
		hashFloats(h, t.Events)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func hashFloats(h io.Writer, x []float32) {
	var buf [4096]byte
	for len(x) > 0 {
		n := min(len(x), len(buf)/4)
		for k, v := range x[:n] {
			binary.LittleEndian.PutUint32(buf[4*k:], math.Float32bits(v))
		}
		h.Write(buf[:4*n])
		x = x[n:]
	}
}
