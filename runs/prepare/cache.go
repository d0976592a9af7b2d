package prepare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"plumbline/data"
	"plumbline/data/audit"
	"plumbline/data/cache"
	"plumbline/data/prep"
	"plumbline/data/profile"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
)

// fold is the place of one fold.
func (s CacheSlot) fold(k int) CacheSlot {
	s.key = cache.Key(s.key, fmt.Sprint("fold ", k))
	return s
}

// take is an entry whose meta is decoded into meta; nil when there is none.
func (s CacheSlot) take(what string, meta any) *cache.Entry {
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
func (s CacheSlot) keep(what string, meta any, arrays cache.Arrays) {
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
	Info     record.DataManifest `json:"info"`
	Schema   []data.Field        `json:"schema"`
	Classes  []string            `json:"classes"`
	Pipeline *prep.Pipeline      `json:"pipeline"`
	Native   *prep.Pipeline      `json:"native,omitempty"`
	Tracer   *prep.Tracer        `json:"tracer"`
	Profile  *profile.Profile    `json:"profile"`
	Keys     [3][]string         `json:"keys"`
}

var unitNamesInHead = [3]string{"test", "validation", "train"}

func (p *Prepared) unitSets() [3]**experiment.Units {
	return [3]**experiment.Units{&p.Test, &p.Valid, &p.TrainUnits}
}

func (p *Prepared) keepHead() {
	if p.store.store == nil {
		return
	}
	meta := headMeta{Info: p.Info, Schema: p.Schema, Classes: p.classes, Pipeline: p.Pipe, Native: p.native,
		Tracer: p.Tracer, Profile: p.Profile}
	arrays := cache.Arrays{}
	for i, to := range p.unitSets() {
		u, name := *to, unitNamesInHead[i]
		meta.Keys[i] = u.Keys
		arrays[name+".rows"], arrays[name+".unit"], arrays[name+".first"] = u.Rows, u.Unit, u.First
		arrays[name+".attack"], arrays[name+".class"] = bits(u.Truth.Attack), u.Truth.Class
		arrays[name+".time"], arrays[name+".source"] = halves(u.Time), u.Source
	}
	p.store.keep("head", meta, arrays)
}

// takeHead fills a fold from the cache and says whether it was there.
func (p *Prepared) takeHead() bool {
	var meta headMeta
	e := p.store.take("head", &meta)
	if e == nil || meta.Pipeline == nil || meta.Profile == nil || (meta.Tracer == nil) != (p.Set.Traces == nil) ||
		(meta.Native == nil) == p.Set.Prep.Native() {
		return false
	}
	for i, to := range p.unitSets() {
		get := entryReader{e: e}
		name := unitNamesInHead[i]
		u := &experiment.Units{Keys: meta.Keys[i]}
		u.Rows, u.Unit, u.First = get.ints(name+".rows"), get.ints(name+".unit"), get.ints(name+".first")
		u.Truth.Attack, u.Truth.Class, u.Truth.Names = get.bools(name+".attack"), get.codes(name+".class"), meta.Classes
		u.Time, u.Source = joined(get.ints(name+".time")), get.ints(name+".source")
		if get.err != nil {
			p.store.warn("head", get.err)
			return false
		}
		*to = u
	}
	p.Info, p.Schema, p.classes = meta.Info, meta.Schema, meta.Classes
	p.Pipe, p.native, p.Tracer, p.Profile = meta.Pipeline, meta.Native, meta.Tracer, meta.Profile
	return true
}

// halves is times as pairs of numbers that an entry can hold, the lower half first.
func halves(times []int64) (out []int32) {
	for _, t := range times {
		out = append(out, int32(t), int32(t>>32))
	}
	return out
}

// joined is what halves took apart.
func joined(halves []int32) (out []int64) {
	for i := 0; i+1 < len(halves); i += 2 {
		out = append(out, int64(halves[i+1])<<32|int64(uint32(halves[i])))
	}
	return out
}

// vectorsMeta is the meta of a matrix.
type vectorsMeta struct {
	N        int            `json:"n"`
	D        int            `json:"d"`
	Features []data.Feature `json:"features"`
	Sum      string         `json:"sum"`
}

func (p *Prepared) keepVectors(of part, native bool, s *data.Set, sum string) {
	if p.store.store == nil {
		return
	}
	p.store.keep(vectorsName(of, native), vectorsMeta{s.N, s.D, s.Features, sum},
		cache.Arrays{"x": s.X, "rows": s.Rows, "attack": bits(s.Attack), "class": s.Class})
}

// vectorsName is what the cache calls a matrix.
func vectorsName(of part, native bool) string {
	if native {
		return "native vectors, " + string(of)
	}
	return "vectors, " + string(of)
}

func (p *Prepared) takeVectors(of part, native bool) (*data.Set, string) {
	var meta vectorsMeta
	e := p.store.take(vectorsName(of, native), &meta)
	if e == nil {
		return nil, ""
	}
	get := entryReader{e: e}
	s := &data.Set{Kind: data.Vectors, N: meta.N, D: meta.D, Features: meta.Features, Classes: p.classes}
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
	Keys     []string       `json:"keys"`
	D        int            `json:"d"`
	Features []data.Feature `json:"features"`
	Sum      string         `json:"sum"`
}

func (p *Prepared) keepSequences(of part, q *prep.Sequences, sum string) {
	if p.store.store == nil {
		return
	}
	p.store.keep("traces, "+string(of), sequencesMeta{q.Keys, q.D, q.Features, sum}, cache.Arrays{
		"ends": q.Ends, "symbols": q.Symbols, "rows": q.Rows, "times": q.Times, "x": q.X,
		"attack": bits(q.Attack), "class": q.Class,
	})
}

func (p *Prepared) takeSequences(of part) (*data.Set, string) {
	var meta sequencesMeta
	e := p.store.take("traces, "+string(of), &meta)
	if e == nil {
		return nil, ""
	}
	get := entryReader{e: e}
	q := &prep.Sequences{Keys: meta.Keys, D: meta.D, Features: meta.Features}
	q.Ends, q.Symbols, q.Rows, q.X = get.ints("ends"), get.ints("symbols"), get.ints("rows"), get.floats("x")
	q.Attack, q.Class = get.bools("attack"), get.codes("class")
	if p.Tracer.Spec.Window.Timed() {
		q.Times = arrayOf[int64](&get, "times")
	}
	if get.err == nil && len(q.Ends) != len(q.Keys) {
		get.err = fmt.Errorf("%d traces, %d keys", len(q.Ends), len(q.Keys))
	}
	if get.err != nil {
		p.store.warn(string(of), get.err)
		return nil, ""
	}
	return p.Tracer.Cut(q, p.classes), meta.Sum
}

// Audit is the audit of the fold.
func (p *Prepared) Audit(ctx context.Context) (*audit.Report, error) {
	var report audit.Report
	if p.store.take("audit", &report) != nil {
		return &report, nil
	}
	l, err := p.alive(ctx)
	if err != nil {
		return nil, err
	}
	made, err := audit.Table(ctx, l.Table, l.split)
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
	if len(raw) == 0 {
		return nil // of a table without labels
	}
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
