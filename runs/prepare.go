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

// prepared is one fold of a data set, ready for models, shared by all cells on it.
type prepared struct {
	set     *DataSet
	info    DataManifest
	classes []string
	pipe    *prep.Pipeline
	tracer  *prep.Tracer

	test, valid, trainUnits *units

	src   *source
	fold  int
	live  *live // nil until something is asked for that the cache does not have
	store shelf
	mu    sync.Mutex
	made  map[needs]*sets
}

// live is what only the table can tell of a fold.
type live struct {
	table  *data.Table
	split  *data.Split
	benign []int32 // rows that models without labels train on
}

// sets is what the models of one kind see.
type sets struct {
	train, valid, test *data.Set
	trainSum, testSum  string
	err                error
}

// source is a data set that is read when it is first needed.
type source struct {
	set     *DataSet
	finder  data.Finder
	workers int
	store   shelf // of the data set; the zero shelf keeps nothing

	mu     sync.Mutex
	table  *data.Table
	report *data.ReadReport
}

func (src *source) read(ctx context.Context) (*data.Table, *data.ReadReport, error) {
	src.mu.Lock()
	defer src.mu.Unlock()
	if src.table == nil {
		t, report, err := data.Read(ctx, src.set.Config, src.finder, src.workers)
		if err != nil {
			return nil, nil, err
		}
		src.table, src.report = t, report
	}
	return src.table, src.report, nil
}

// prepare takes a fold from the cache, or splits what was read and fits the preprocessing; the sets
// themselves are made when a model first asks.
func (src *source) prepare(ctx context.Context, fold int) (*prepared, error) {
	p := &prepared{set: src.set, src: src, fold: fold, store: src.store.fold(fold), made: map[needs]*sets{}}
	if p.takeHead() {
		return p, nil
	}
	l, err := p.alive(ctx)
	if err != nil {
		return nil, err
	}
	set, report := src.set, src.report
	rows := prep.Rows{Benign: l.benign, All: l.split.Train}
	if p.pipe, err = set.Prep.Fit(ctx, l.table, rows, src.workers); err != nil {
		return nil, fmt.Errorf("%s: %w", set.Config.Name, err)
	}
	if set.Traces != nil {
		if p.tracer, err = set.Traces.Fit(ctx, l.table, rows); err != nil {
			return nil, fmt.Errorf("%s: %w", set.Config.Name, err)
		}
	}
	for _, u := range []struct {
		to   **units
		rows []int32
	}{{&p.test, l.split.Test}, {&p.valid, l.split.Valid}, {&p.trainUnits, l.benign}} {
		if *u.to, err = set.Unit.units(l.table, u.rows); err != nil {
			return nil, err
		}
	}
	p.classes = l.table.Classes
	p.info = dataManifest(l, report, p.pipe)
	if fold == 0 {
		p.info.Warnings = append(p.info.Warnings, report.Warnings...)
	}
	p.info.Warnings = append(p.info.Warnings, l.split.Warnings...)
	p.keepHead()
	return p, nil
}

// alive reads and splits the data set, unless that was done.
func (p *prepared) alive(ctx context.Context) (*live, error) {
	if p.live != nil {
		return p.live, nil
	}
	t, _, err := p.src.read(ctx)
	if err != nil {
		return nil, err
	}
	split, err := p.set.Split.Fold(t, p.fold)
	if err != nil {
		return nil, err
	}
	if err := p.set.dropSmall(t, split); err != nil {
		return nil, err
	}
	l := &live{table: t, split: split, benign: split.Unlabelled(t)}
	if e := p.set.Evasion; e != nil {
		disguised, n, err := e.Apply(t, split)
		if err != nil {
			return nil, err
		}
		attacks := len(split.Test) - len(t.Benign(split.Test))
		split.Warnings = append(split.Warnings, fmt.Sprintf("evasion %s: %d of %d attacks in the test part are disguised", e.Kind, n, attacks))
		l.table = disguised
	}
	p.live = l
	return p.live, nil
}

// dropSmall takes the rows of units of too few flows out of the validation and test parts.
func (set *DataSet) dropSmall(t *data.Table, split *data.Split) error {
	if set.MinFlows < 2 {
		return nil
	}
	for _, part := range []struct {
		rows *[]int32
		name string
	}{{&split.Valid, "validation"}, {&split.Test, "test"}} {
		us, err := set.Unit.units(t, *part.rows)
		if err != nil {
			return err
		}
		flows := make([]int, len(us.first))
		for _, u := range us.unit {
			flows[u]++
		}
		var kept []int32
		for i, r := range us.rows {
			if flows[us.unit[i]] >= set.MinFlows {
				kept = append(kept, r)
			}
		}
		if small := len(*part.rows) - len(kept); small > 0 {
			split.Warnings = append(split.Warnings, fmt.Sprintf("min_flows %d: %d rows of smaller units are left out of the %s part", set.MinFlows, small, part.name))
		}
		*part.rows = kept
	}
	if len(split.Test) == 0 {
		return fmt.Errorf("runs: %s: no %v of the test part has %d flows (min_flows)", t.Name, set.Unit, set.MinFlows)
	}
	return nil
}

// sets is the train, validation and test sets for a model: train is benign and unlabelled unless the model
// learns from labels.
func (p *prepared) sets(ctx context.Context, needs needs) (*sets, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s, ok := p.made[needs]; ok {
		return s, s.err
	}
	s, err := p.make(ctx, needs)
	if err != nil {
		err = fmt.Errorf("%s: %w", p.set.Config.Name, err)
		if ctx.Err() == nil { // a cancelled attempt may be repeated
			p.made[needs] = &sets{err: err}
		}
		return nil, err
	}
	p.made[needs] = s
	return s, nil
}

func (p *prepared) make(ctx context.Context, needs needs) (*sets, error) {
	// validation and test do not depend on labels: share them between kinds of training
	other := needs
	other.labels = !needs.labels
	o := p.made[other]
	if o != nil && o.err != nil {
		o = nil
	}
	make := p.vectors
	if needs.traces {
		make = p.sequences
	}
	train, trainSum, err := make(ctx, trainPart(needs.labels))
	if err != nil {
		return nil, err
	}
	if !needs.labels {
		train = train.Unlabelled()
	}
	s := &sets{train: train, trainSum: trainSum}
	if o != nil {
		s.valid, s.test, s.testSum = o.valid, o.test, o.testSum
		return s, nil
	}
	if s.valid, _, err = make(ctx, partValid); err != nil {
		return nil, err
	}
	if s.test, s.testSum, err = make(ctx, partTest); err != nil {
		return nil, err
	}
	s.valid, s.test = s.valid.Unlabelled(), s.test.Unlabelled()
	return s, nil
}

// part is a part of a fold that models see as one set.
type part string

const (
	partBenign part = "train"          // for models without labels
	partTrain  part = "labelled train" // for models with labels
	partValid  part = "validation"
	partTest   part = "test"
)

func trainPart(labels bool) part {
	if labels {
		return partTrain
	}
	return partBenign
}

// rows is the table rows of a part.
func (l *live) rows(of part) []int32 {
	switch of {
	case partBenign:
		return l.benign
	case partTrain:
		return l.split.Train
	case partValid:
		return l.split.Valid
	}
	return l.split.Test
}

// vectors is a part as a matrix, and its check sum.
func (p *prepared) vectors(ctx context.Context, of part) (*data.Set, string, error) {
	if s, sum := p.takeVectors(of); s != nil {
		return s, sum, nil
	}
	l, err := p.alive(ctx)
	if err != nil {
		return nil, "", err
	}
	s, err := p.pipe.Apply(ctx, l.table, l.rows(of), p.src.workers)
	if err != nil {
		return nil, "", err
	}
	sum := checksum(s)
	p.keepVectors(of, s, sum)
	return s, sum, nil
}

// sequences is a part as traces, and its check sum.
func (p *prepared) sequences(ctx context.Context, of part) (*data.Set, string, error) {
	if s, sum := p.takeSequences(of); s != nil {
		return s, sum, nil
	}
	l, err := p.alive(ctx)
	if err != nil {
		return nil, "", err
	}
	q, err := p.tracer.Sequences(ctx, l.table, l.rows(of), p.pipe)
	if err != nil {
		return nil, "", err
	}
	s := p.tracer.Cut(q, p.classes)
	sum := checksum(s)
	p.keepSequences(of, q, sum)
	return s, sum, nil
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
