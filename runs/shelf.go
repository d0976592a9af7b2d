package runs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"plumbline/data"
	"plumbline/data/audit"
	"plumbline/data/cache"
	"plumbline/data/prep"
)

// shelf is the place of a data set, or of one fold of it, in the cache. The zero shelf is always empty and
// keeps nothing.
type shelf struct {
	store *cache.Store
	key   string // hash of all that decides what is prepared
	about cache.About
	files []fileState // when the key was made
	log   *slog.Logger
}

// fileState tells whether a file was touched since it was hashed.
type fileState struct {
	path string
	size int64
	time time.Time
}

func stateOf(path string) (fileState, error) {
	st, err := os.Stat(path)
	if err != nil {
		return fileState{}, err
	}
	return fileState{path, st.Size(), st.ModTime()}, nil
}

// programSum is the hash of the running program, since another one may prepare otherwise.
var programSum = sync.OnceValues(func() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	return cache.File(path)
})

// shelf is a data set's place in the cache. Simulated data needs none. What keeps the key from being made,
// such as a file that is not there, is left for the reader to complain of.
func (r *run) shelf(set *DataSet) shelf {
	if r.opt.Cache == nil || set.Config.Generated() {
		return shelf{}
	}
	s := shelf{store: r.opt.Cache, log: r.log, about: cache.About{Name: set.Config.Name, Version: r.manifest.Version}}
	paths, err := set.Config.Paths(r.exp.Finder)
	if err != nil {
		return shelf{}
	}
	for _, p := range paths {
		st, err := stateOf(p)
		if err != nil {
			return shelf{}
		}
		s.files = append(s.files, st)
	}
	sums := make([]string, len(paths)+1)
	errs := make([]error, len(sums))
	var wg sync.WaitGroup
	wg.Go(func() { sums[0], errs[0] = programSum() })
	for i, p := range paths {
		wg.Go(func() { sums[i+1], errs[i+1] = cache.File(p) })
	}
	wg.Wait()
	plain, err := yaml.Marshal([]any{plainNode(set.node), set.Split, set.Traces, set.Unit, set.MinFlows})
	errs = append(errs, err)
	steps := []byte(nil)
	if n := set.Prep.Doc.Node; n != nil {
		steps, err = yaml.Marshal(plainNode(n))
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		s.warn("key", err)
		return shelf{}
	}
	s.key = cache.Key(slices.Concat([]string{string(plain), string(steps)}, sums)...)
	return s
}

func (s shelf) warn(what string, err error) {
	s.log.Warn("cache", "data", s.about.Name, "what", what, "error", err.Error())
}

// fold is the place of one fold.
func (s shelf) fold(k int) shelf {
	s.key = cache.Key(s.key, fmt.Sprint("fold ", k))
	return s
}

// take is an entry whose meta is decoded into meta; nil when there is none.
func (s shelf) take(what string, meta any) *cache.Entry {
	if s.store == nil {
		return nil
	}
	e, err := s.store.Get(cache.Key(s.key, what))
	if err == nil {
		err = json.Unmarshal(e.Meta, meta)
	}
	if err != nil {
		if !errors.Is(err, cache.ErrMiss) {
			s.warn(what, err)
		}
		return nil
	}
	return e
}

// keep puts an entry, unless a file was touched since it was hashed. That it cannot is no error of the run.
func (s shelf) keep(what string, meta any, arrays cache.Arrays) {
	if s.store == nil {
		return
	}
	for _, f := range s.files {
		if now, err := stateOf(f.path); err != nil || now != f {
			return
		}
	}
	about := s.about
	about.Content = what
	if err := s.store.Put(cache.Key(s.key, what), about, meta, arrays); err != nil {
		s.warn(what, err)
	}
}

// headMeta is what the entry "head" of a fold holds besides the units.
type headMeta struct {
	Info     DataManifest   `json:"info"`
	Classes  []string       `json:"classes"`
	Pipeline *prep.Pipeline `json:"pipeline"`
	Tracer   *prep.Tracer   `json:"tracer"`
	Keys     [3][]string    `json:"keys"`
}

var unitNamesInHead = [3]string{"test", "validation", "train"}

func (p *prepared) unitSets() [3]**units {
	return [3]**units{&p.test, &p.valid, &p.trainUnits}
}

func (p *prepared) keepHead() {
	if p.store.store == nil {
		return
	}
	meta := headMeta{Info: p.info, Classes: p.classes, Pipeline: p.pipe, Tracer: p.tracer}
	arrays := cache.Arrays{}
	for i, to := range p.unitSets() {
		u, name := *to, unitNamesInHead[i]
		meta.Keys[i] = u.keys
		arrays[name+".rows"], arrays[name+".unit"], arrays[name+".first"] = u.rows, u.unit, u.first
		arrays[name+".attack"], arrays[name+".class"] = bits(u.truth.Attack), u.truth.Class
	}
	p.store.keep("head", meta, arrays)
}

// takeHead fills a fold from the cache and says whether it was there.
func (p *prepared) takeHead() bool {
	var meta headMeta
	e := p.store.take("head", &meta)
	if e == nil || meta.Pipeline == nil || (meta.Tracer == nil) != (p.set.Traces == nil) {
		return false
	}
	for i, to := range p.unitSets() {
		get := entryReader{e: e}
		name := unitNamesInHead[i]
		u := &units{keys: meta.Keys[i]}
		u.rows, u.unit, u.first = get.ints(name+".rows"), get.ints(name+".unit"), get.ints(name+".first")
		u.truth.Attack, u.truth.Class, u.truth.Names = get.bools(name+".attack"), get.codes(name+".class"), meta.Classes
		if get.err != nil {
			p.store.warn("head", get.err)
			return false
		}
		*to = u
	}
	p.info, p.classes, p.pipe, p.tracer = meta.Info, meta.Classes, meta.Pipeline, meta.Tracer
	return true
}

// vectorsMeta is the meta of a matrix.
type vectorsMeta struct {
	N       int      `json:"n"`
	D       int      `json:"d"`
	Columns []string `json:"columns"`
	Sum     string   `json:"sum"`
}

func (p *prepared) keepVectors(of part, s *data.Set, sum string) {
	if p.store.store == nil {
		return
	}
	p.store.keep("vectors, "+string(of), vectorsMeta{s.N, s.D, s.Columns, sum},
		cache.Arrays{"x": s.X, "rows": s.Rows, "attack": bits(s.Attack), "class": s.Class})
}

func (p *prepared) takeVectors(of part) (*data.Set, string) {
	var meta vectorsMeta
	e := p.store.take("vectors, "+string(of), &meta)
	if e == nil {
		return nil, ""
	}
	get := entryReader{e: e}
	s := &data.Set{Kind: data.Vectors, N: meta.N, D: meta.D, Columns: meta.Columns, Classes: p.classes}
	s.X, s.Rows, s.Attack, s.Class = get.floats("x"), get.ints("rows"), get.bools("attack"), get.codes("class")
	if get.err == nil && (len(s.X) != s.N*s.D || len(s.Rows) != s.N) {
		get.err = fmt.Errorf("%d values and %d rows, %d×%d are announced", len(s.X), len(s.Rows), s.N, s.D)
	}
	if get.err != nil {
		p.store.warn(string(of), get.err)
		return nil, ""
	}
	return s, meta.Sum
}

// sequencesMeta is the meta of sequences.
type sequencesMeta struct {
	Keys    []string `json:"keys"`
	D       int      `json:"d"`
	Columns []string `json:"columns"`
	Sum     string   `json:"sum"`
}

func (p *prepared) keepSequences(of part, q *prep.Sequences, sum string) {
	if p.store.store == nil {
		return
	}
	p.store.keep("traces, "+string(of), sequencesMeta{q.Keys, q.D, q.Columns, sum},
		cache.Arrays{"ends": q.Ends, "symbols": q.Symbols, "rows": q.Rows, "times": q.Times, "x": q.X, "attack": bits(q.Attack), "class": q.Class})
}

func (p *prepared) takeSequences(of part) (*data.Set, string) {
	var meta sequencesMeta
	e := p.store.take("traces, "+string(of), &meta)
	if e == nil {
		return nil, ""
	}
	get := entryReader{e: e}
	q := &prep.Sequences{Keys: meta.Keys, D: meta.D, Columns: meta.Columns}
	q.Ends, q.Symbols, q.Rows, q.X = get.ints("ends"), get.ints("symbols"), get.ints("rows"), get.floats("x")
	q.Attack, q.Class = get.bools("attack"), get.codes("class")
	if p.tracer.Spec.Window.Timed() {
		q.Times = arrayOf[int64](&get, "times")
	}
	if get.err == nil && len(q.Ends) != len(q.Keys) {
		get.err = fmt.Errorf("%d traces, %d keys", len(q.Ends), len(q.Keys))
	}
	if get.err != nil {
		p.store.warn(string(of), get.err)
		return nil, ""
	}
	return p.tracer.Cut(q, p.classes), meta.Sum
}

// audit is the audit of the fold.
func (p *prepared) audit(ctx context.Context) (*audit.Report, error) {
	var report audit.Report
	if p.store.take("audit", &report) != nil {
		return &report, nil
	}
	l, err := p.alive(ctx)
	if err != nil {
		return nil, err
	}
	made, err := audit.Table(ctx, l.table, l.split)
	if err == nil {
		p.store.keep("audit", made, nil)
	}
	return made, err
}

// entryReader reads arrays and remembers the first error.
type entryReader struct {
	e   *cache.Entry
	err error
}

func arrayOf[T float32 | int32 | int64 | uint32 | byte](r *entryReader, name string) []T {
	v, err := cache.Array[T](r.e, name, -1)
	if r.err == nil {
		r.err = err
	}
	return v
}

func (r *entryReader) floats(name string) []float32 { return arrayOf[float32](r, name) }
func (r *entryReader) ints(name string) []int32     { return arrayOf[int32](r, name) }
func (r *entryReader) codes(name string) []uint32   { return arrayOf[uint32](r, name) }

func (r *entryReader) bools(name string) []bool {
	raw := arrayOf[byte](r, name)
	out := make([]bool, len(raw))
	for i, b := range raw {
		out[i] = b != 0
	}
	return out
}

// bits is truths as bytes.
func bits(v []bool) []byte {
	out := make([]byte, len(v))
	for i, b := range v {
		if b {
			out[i] = 1
		}
	}
	return out
}
