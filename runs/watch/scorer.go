package watch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"

	"plumbline/data"
	"plumbline/models"
	"plumbline/runs/bundle"
)

// ErrModel says that a model cannot judge rows as they come.
var ErrModel = errors.New("cannot watch with this model")

// learnRows is after how many rows a model that learns on does, so that what it has learned when it judges a row does
// not depend on how the rows came.
const learnRows = 256

// scorer gives rows their scores in the order in which they come.
type scorer struct {
	b      *bundle.Bundle
	det    models.Detector // the bundle's own, or one that learns on
	learns bool            // from every row, after it was judged
	queue  []float32       // rows that are not learned yet
	queued int             // how many
	tails  *tails          // nil: rows are judged one by one
	width  int             // values of an event
	stale  bool            // det has learned since its state was saved
}

// newScorer says in its error what cannot be watched. learn has a model that can go on learning do so.
func newScorer(b *bundle.Bundle, learn bool, most bounds) (*scorer, error) {
	s := &scorer{b: b, det: b.Detector}
	_, updates := b.Detector.(models.Updater)
	vectors := b.Info.Needs.Input == data.Vectors
	switch {
	case b.Info.Needs.Batch && !(updates && vectors):
		return nil, fmt.Errorf("%w: %s judges all rows of a file together; plumbline score and investigate do that",
			ErrModel, b.Model)
	case learn && !(updates && vectors):
		return nil, fmt.Errorf("%w: %s does not learn from a stream", ErrModel, b.Model)
	}
	if s.learns = updates && (learn || b.Info.Needs.Batch); s.learns {
		own, err := b.Spec.New(models.Env{Seed: b.Seed})
		if err != nil {
			return nil, err
		}
		state, err := s.save()
		if err != nil {
			return nil, err
		}
		if s.det = own; own.Load(bytes.NewReader(state)) != nil {
			return nil, fmt.Errorf("%w: %s cannot be copied", ErrModel, b.Model)
		}
	}
	if !vectors {
		s.tails = newTails(b.Tracer.Spec.Window, most)
		if b.Tracer.Spec.Events {
			s.width = len(b.Pipeline.Features())
		}
	}
	return s, nil
}

func (s *scorer) save() ([]byte, error) {
	var state bytes.Buffer
	if err := s.det.Save(&state); err != nil {
		return nil, fmt.Errorf("%s: %w", s.b.Model, err)
	}
	return state.Bytes(), nil
}

// scored is the scores of some rows.
type scored struct {
	set  *data.Set // a sample for each row: the row, or the window that ends with it
	raw  []float64
	keys []string // of the traces; nil: there are none
	// failed says why rows have no score whose windows cannot be judged
	failed map[int]error
}

// score judges the rows of a view in their order.
func (s *scorer) score(ctx context.Context, view *data.Table) (*scored, error) {
	rows := make([]int32, view.Rows)
	for i := range rows {
		rows[i] = int32(i)
	}
	out := &scored{}
	if s.tails != nil {
		return out, s.windows(ctx, view, rows, out)
	}
	var err error
	if out.set, err = s.b.Samples(ctx, view, rows); err != nil {
		return nil, err
	}
	out.raw, err = bundle.Score(ctx, s.det, out.set)
	return out, err
}

// mostWindows is how many bytes the windows take that are judged together, each of which has its own events.
const mostWindows = 64 << 20

// room is how many rows can be judged before those that were are learned, and how many windows together.
func (s *scorer) room() int {
	if s.tails != nil {
		event := eventBytes + 4 + 4*s.width
		return max(16, mostWindows/(event*s.tails.most))
	}
	if !s.learns || s.b.Info.Needs.Batch { // these learn each row as they score it
		return math.MaxInt
	}
	return learnRows - s.queued
}

// learn has a model that learns on learn the rows of a set that was scored.
func (s *scorer) learn(ctx context.Context, set *data.Set) error {
	if !s.learns {
		return nil
	}
	if !s.b.Info.Needs.Batch {
		s.queue, s.queued = append(s.queue, set.X...), s.queued+set.N
		if s.queued < learnRows {
			return nil
		}
		set = &data.Set{Kind: data.Vectors, N: s.queued, D: set.D, X: s.queue, Features: set.Features}
	}
	err := s.det.(models.Updater).Update(ctx, set)
	s.queue, s.queued, s.stale = nil, 0, true
	return err
}

// windows judges for each row the window of its trace that ends with it.
func (s *scorer) windows(ctx context.Context, view *data.Table, rows []int32, out *scored) error {
	q, err := s.b.Tracer.Sequences(ctx, view, rows, s.b.Pipeline)
	if err != nil {
		return err
	}
	at := make([]int, view.Rows) // place of each row in the sequences
	out.keys = make([]string, view.Rows)
	k := 0
	for i, r := range q.Rows {
		for i >= int(q.Ends[k]) {
			k++
		}
		at[r], out.keys[r] = i, q.Keys[k]
	}
	out.set = &data.Set{Kind: data.Traces, Alphabet: s.b.Tracer.Alphabet, D: q.D, Features: q.Features, N: view.Rows}
	for r, i := range at {
		e := event{symbol: q.Symbols[i]}
		if q.Times != nil {
			e.time = q.Times[i]
		}
		if q.D > 0 {
			e.x = q.X[i*q.D : (i+1)*q.D]
		}
		trace := s.tails.push(out.keys[r], e)
		trace.Rows = make([]int32, len(trace.Symbols)) // of earlier tables: only the last is known
		for k := range trace.Rows {
			trace.Rows[k] = int32(r)
		}
		out.set.Traces = append(out.set.Traces, trace)
	}
	if out.raw, err = bundle.Score(ctx, s.det, out.set); err != nil && ctx.Err() == nil {
		return s.apart(ctx, out)
	}
	return err
}

// apart judges windows one by one that cannot be judged together. They are not made again: their events are in the
// tails already.
func (s *scorer) apart(ctx context.Context, out *scored) error {
	out.raw, out.failed = make([]float64, out.set.N), map[int]error{}
	for i := range out.set.Traces {
		raw, err := bundle.Score(ctx, s.det, out.set.Subset([]int{i}))
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			out.failed[i] = err
		default:
			out.raw[i] = raw[0]
		}
	}
	return nil
}
