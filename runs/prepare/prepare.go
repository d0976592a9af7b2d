package prepare

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"plumbline/data"
	"plumbline/data/noise"
	"plumbline/data/prep"
	"plumbline/data/profile"
	"plumbline/data/source"
	"plumbline/data/split"
	"plumbline/models"
	"plumbline/numeric/parallel"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
)

// Prepared is one fold of a data set, ready for models, shared by all cells on it.
type Prepared struct {
	Set     *experiment.DataSet
	Info    record.DataManifest
	Schema  []data.Field // of the table
	classes []string
	Pipe    *prep.Pipeline
	native  *prep.Pipeline // what native models see; nil: the same
	Tracer  *prep.Tracer
	Profile *profile.Profile // of the benign training rows in the columns that models see

	Test, Valid, TrainUnits *experiment.Units

	src   *Source
	fold  int
	live  *live // nil until something is asked for that the cache does not have
	store CacheSlot
	mu    sync.Mutex
	made  map[Needs]*Sets
}

// live is what only the table can tell of a fold.
type live struct {
	Table  *data.Table
	split  *split.Split
	benign []int32 // rows that models without labels train on
	// labelled is the table with the truth that models with labels are shown
	labelled *data.Table
}

// Sets is what the models of one kind see.
type Sets struct {
	Train, Valid, Test *data.Set
	TrainSum, TestSum  string
	err                error
}

// Source is a data set that is read when it is first needed.
type Source struct {
	Set     *experiment.DataSet
	Finder  source.Finder
	Workers int
	Memory  int64     // bytes that the table, what models see, and what one makes of it, may take together; 0: any
	Store   CacheSlot // of the data set; the zero slot keeps nothing
	// Reading and Read, which may be nil, are called before and after the files are read.
	Reading, Read func()

	mu     sync.Mutex
	table  *data.Table
	report *source.ReadReport
	fixed  bool // the table is all there is: there are no files
}

// FilesRead says whether the data files had to be read since the cache did not have what was asked for.
func (s *Source) FilesRead() bool { return s.report != nil }

func (src *Source) read(ctx context.Context) (*data.Table, *source.ReadReport, error) {
	src.mu.Lock()
	defer src.mu.Unlock()
	if src.table == nil {
		if src.Reading != nil {
			src.Reading()
		}
		finder := src.Finder
		finder.Memory = src.Memory
		t, report, err := source.Read(ctx, src.Set.Config, finder, src.Workers)
		if err != nil {
			return nil, nil, err
		}
		src.table, src.report = t, report
		if src.Read != nil {
			src.Read()
		}
	}
	return src.table, src.report, nil
}

// Prepare takes a fold from the cache, or splits what was read and fits the preprocessing; the sets
// themselves are made when a model first asks.
func (src *Source) Prepare(ctx context.Context, fold int) (*Prepared, error) {
	p := &Prepared{Set: src.Set, src: src, fold: fold, store: src.Store.fold(fold), made: map[Needs]*Sets{}}
	if p.takeHead() {
		return p, nil
	}
	l, err := p.alive(ctx)
	if err != nil {
		return nil, err
	}
	set, report := src.Set, src.report
	rows := prep.Rows{Benign: l.benign, All: l.known(), Learn: learner(src.Workers)}
	shown := l.Table
	if set.Split.LabelNoise > 0 { // no step sees the truth of what is mislabelled
		shown = l.labelled
	}
	if p.Pipe, err = set.Prep.Fit(ctx, shown, rows, src.Workers); err != nil {
		return nil, fmt.Errorf("%s: %w", set.Config.Name, err)
	}
	if set.Prep.Native() {
		if p.native, err = set.Prep.FitNative(ctx, l.Table, rows, src.Workers); err != nil {
			return nil, fmt.Errorf("%s: %w", set.Config.Name, err)
		}
	}
	if set.Traces != nil {
		if p.Tracer, err = set.Traces.Fit(ctx, l.Table, rows); err != nil {
			return nil, fmt.Errorf("%s: %w", set.Config.Name, err)
		}
	}
	for _, u := range []struct {
		to   **experiment.Units
		rows []int32
	}{{&p.Test, l.split.Test}, {&p.Valid, l.split.Valid}, {&p.TrainUnits, l.benign}} {
		if *u.to, err = set.Unit.Units(l.Table, u.rows); err != nil {
			return nil, err
		}
	}
	p.classes, p.Schema = l.Table.Classes, l.Table.Schema()
	p.Profile = profile.Of(l.Table, l.benign, p.seen())
	p.Info = dataManifest(l, report, p.Pipe)
	p.Info.Axis = set.Axis
	if fold == 0 {
		p.Info.Warnings = append(p.Info.Warnings, report.Warnings...)
	}
	p.Info.Warnings = append(p.Info.Warnings, l.split.Warnings...)
	p.Info.Warnings = slices.Concat(p.Info.Warnings, p.Pipe.Warnings, p.Pipe.Varying(l.Table, l.split.Test))
	p.keepHead()
	return p, nil
}

// seen is the columns of the table that models see in some way, each once.
func (p *Prepared) seen() []string {
	var names []string
	for _, pipe := range []*prep.Pipeline{p.Pipe, p.native} {
		if pipe != nil {
			for i := range pipe.Outputs {
				names = append(names, pipe.Outputs[i].Source)
			}
		}
	}
	if p.Tracer != nil {
		names = append(names, p.Tracer.Columns()...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// alive reads and splits the data set, unless that was done.
func (p *Prepared) alive(ctx context.Context) (*live, error) {
	if p.live != nil {
		return p.live, nil
	}
	t, _, err := p.src.read(ctx)
	if err != nil {
		return nil, err
	}
	split, err := p.Set.Split.Fold(t, p.fold)
	if err != nil {
		return nil, err
	}
	if err := dropSmall(p.Set, t, split); err != nil {
		return nil, err
	}
	if share := p.Set.Irrelevant; share > 0 {
		if t, err = noise.Columns(t, split.Train, share, p.Set.Split.Seed); err != nil {
			return nil, err
		}
	}
	l := &live{Table: t, split: split, benign: split.Unlabelled(t), labelled: t}
	if p.Set.Split.LabelNoise > 0 {
		l.labelled = masked(t, split)
	}
	if n := p.Set.Attacks; n > 0 {
		if err := l.show(p.Set.Split, p.fold, n); err != nil {
			return nil, err
		}
	}
	if e := p.Set.Evasion; e != nil {
		disguised, n, err := e.Apply(t, split)
		if err != nil {
			return nil, err
		}
		attacks := len(split.Test) - len(t.Benign(split.Test))
		split.Warnings = append(
			split.Warnings,
			fmt.Sprintf("evasion %s: %d of %d attacks in the test part are disguised", e.Kind, n, attacks),
		)
		l.Table = disguised
	}
	p.live = l
	return p.live, nil
}

// show leaves some attacks in what models with labels are shown. Where training has too few, those models fail, and
// others do not: there is then no attack.
func (l *live) show(spec split.SplitSpec, fold, n int) error {
	err := spec.Show(l.Table, l.split, fold, n)
	switch {
	case errors.Is(err, split.ErrSplit):
		l.split.Shown = []int32{}
		l.split.Warnings = append(l.split.Warnings, fmt.Sprintf("labels: %v", err))
	case err != nil:
		return err
	}
	if len(l.split.Contaminants) == 0 {
		return nil
	}
	l.labelled = masked(l.Table, l.split)
	return nil
}

// masked is the table with the truth that models with labels are shown: attacks that are taken for benign are so for
// them, too, but for those that are shown as attacks.
func masked(t *data.Table, sp *split.Split) *data.Table {
	out := *t
	out.Attack, out.Class = slices.Clone(t.Attack), slices.Clone(t.Class)
	benign := t.Benign(sp.Train)
	for _, r := range sp.Contaminants {
		if _, shown := slices.BinarySearch(sp.Shown, r); shown {
			continue
		}
		out.Attack[r] = false
		if out.Class != nil && len(benign) > 0 {
			out.Class[r] = out.Class[benign[0]]
		}
	}
	attack := slices.IndexFunc(sp.Train, func(r int32) bool { return t.Attack[r] })
	for _, r := range sp.Accused {
		out.Attack[r] = true
		if out.Class != nil && attack >= 0 {
			out.Class[r] = t.Class[sp.Train[attack]]
		}
	}
	return &out
}

// known is the training rows that preprocessing may look at with their truth: where few attacks are shown no others,
// nor attacks that are taken for benign.
func (l *live) known() []int32 {
	if l.split.Shown == nil || l.Table.Attack == nil {
		return l.split.Train
	}
	rows := append(l.Table.Benign(l.split.Train), l.split.Shown...)
	slices.Sort(rows)
	return rows
}

// dropSmall takes the rows of units of too few flows out of the validation and test parts.
func dropSmall(set *experiment.DataSet, t *data.Table, split *split.Split) error {
	if set.MinFlows < 2 {
		return nil
	}
	for _, part := range []struct {
		rows *[]int32
		name string
	}{{&split.Valid, "validation"}, {&split.Test, "test"}} {
		us, err := set.Unit.Units(t, *part.rows)
		if err != nil {
			return err
		}
		flows := make([]int, len(us.First))
		for _, u := range us.Unit {
			flows[u]++
		}
		var kept []int32
		for i, r := range us.Rows {
			if flows[us.Unit[i]] >= set.MinFlows {
				kept = append(kept, r)
			}
		}
		if small := len(*part.rows) - len(kept); small > 0 {
			split.Warnings = append(
				split.Warnings,
				fmt.Sprintf("min_flows %d: %d rows of smaller units are left out of the %s part", set.MinFlows, small, part.name),
			)
		}
		*part.rows = kept
	}
	if len(split.Test) == 0 {
		return fmt.Errorf("runs: %s: no %v of the test part has %d flows (min_flows)", t.Name, set.Unit, set.MinFlows)
	}
	return nil
}

// Sets is the train, validation and test sets for a model: train is benign and unlabelled unless the model
// learns from labels.
func (p *Prepared) Sets(ctx context.Context, needs Needs) (*Sets, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	needs.Native = needs.Native && p.native != nil
	if s, ok := p.made[needs]; ok {
		return s, s.err
	}
	err := p.fits(needs, p.beside(), p.src.Memory)
	var s *Sets
	if err == nil {
		if caught := parallel.Catch(func() { s, err = p.make(ctx, needs) }); caught != nil {
			err = caught // of all cells that need these sets, and of no other
		}
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", p.Set.Config.Name, err)
		if ctx.Err() == nil { // a cancelled attempt may be repeated
			p.made[needs] = &Sets{err: err}
		}
		return nil, err
	}
	p.made[needs] = s
	return s, nil
}

// MakeAll makes the sets of all these needs now, so that the table can go; what goes wrong is the error of
// [Prepared.Sets].
func (p *Prepared) MakeAll(ctx context.Context, all []Needs) {
	for _, needs := range all {
		_, _ = p.Sets(ctx, needs)
	}
}

// Release lets go of the table, which would stand beside the sets that were made of it. What asks for more, or for
// another fold, reads the files again.
func (p *Prepared) Release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.src.mu.Lock()
	defer p.src.mu.Unlock()
	if p.live = nil; !p.src.fixed {
		p.src.table = nil
	}
}

func (p *Prepared) make(ctx context.Context, needs Needs) (*Sets, error) {
	// validation and test do not depend on labels: share them between kinds of training
	other := needs
	other.Labels = !needs.Labels
	o := p.made[other]
	if o != nil && o.err != nil {
		o = nil
	}
	if needs.Labels && p.Set.Attacks > 0 && p.Info.Shown < p.Set.Attacks {
		return nil, fmt.Errorf("labels: %d labelled attacks are asked for, and training has fewer", p.Set.Attacks)
	}
	make := func(ctx context.Context, of part) (*data.Set, string, error) { return p.vectors(ctx, of, needs.Native) }
	if needs.Traces {
		make = p.sequences
	}
	train, trainSum, err := make(ctx, trainPart(needs.Labels))
	if err != nil {
		return nil, err
	}
	if !needs.Labels {
		train = train.Unlabelled()
	}
	s := &Sets{Train: train, TrainSum: trainSum}
	if o != nil {
		s.Valid, s.Test, s.TestSum = o.Valid, o.Test, o.TestSum
		return s, nil
	}
	if s.Valid, _, err = make(ctx, partValid); err != nil {
		return nil, err
	}
	if s.Test, s.TestSum, err = make(ctx, partTest); err != nil {
		return nil, err
	}
	s.Valid, s.Test = s.Valid.Unlabelled(), s.Test.Unlabelled()
	return s, nil
}

// ErrChanged says that the sets which cells share are not what they were when they were made.
var ErrChanged = errors.New(
	"the prepared data was changed while cells worked on it, so that none of their results holds",
)

// Unchanged sums the sets that models saw again. The error, about a set that is not what it was, wraps ErrChanged.
func (p *Prepared) Unchanged() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := map[string]bool{}
	for _, s := range p.made {
		if s.err != nil {
			continue
		}
		for _, one := range []struct {
			name string
			set  *data.Set
			sum  string
		}{{"training", s.Train, s.TrainSum}, {"test", s.Test, s.TestSum}} {
			if seen[one.sum] {
				continue
			}
			seen[one.sum] = true
			if now := checksum(one.set); now != one.sum {
				return fmt.Errorf("%s: %w: %s set, sha256 %.12s…, then %.12s…", p.Set.Config.Name, ErrChanged, one.name,
					one.sum, now)
			}
		}
	}
	return nil
}

// Needs is which sets a model sees.
type Needs struct{ Traces, Labels, Native bool }

func NeedsOf(n models.Needs) Needs { return Needs{n.Input == data.Traces, n.Labels.Any(), n.Native} }

// Pipeline is the preprocessing whose matrix a model of these needs sees.
func (p *Prepared) Pipeline(needs Needs) *prep.Pipeline {
	if needs.Native && p.native != nil {
		return p.native
	}
	return p.Pipe
}
