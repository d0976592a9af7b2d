package watch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"plumbline/data"
	"plumbline/data/follow"
	"plumbline/data/source"
	"plumbline/models"
)

func loadState(det models.Detector, raw []byte) error { return det.Load(bytes.NewReader(raw)) }

// replaceWords is text with those of its words that have another form in it.
func replaceWords(text string, to map[string]string) string {
	words := strings.Split(text, " ")
	for i, word := range words {
		if now, ok := to[word]; ok {
			words[i] = now
		}
	}
	return strings.Join(words, " ")
}

// learnEvery is how often the state of a model that learns on is written at most, since all of it is.
const learnEvery = time.Second

// File watches a log as it grows, from where the store says that it was left, until the context ends; once: until its
// end.
func (w *Watcher) File(ctx context.Context, path string, once bool) error {
	var from *follow.Position
	if len(w.position) > 0 {
		from = &follow.Position{}
		if err := json.Unmarshal(w.position, from); err != nil {
			return fmt.Errorf("watch: %s: position: %w", w.stream, err)
		}
	}
	var config *source.Config
	f, err := follow.New(path, from, follow.Options{Once: once, Say: w.o.Say, Format: func(begin []byte) (follow.Format,
		error) {
		config = w.config.As(begin)
		return formatOf(config), nil
	}})
	if err != nil {
		return err
	}
	defer f.Close()
	var after *follow.Position // what was judged and is not written
	last := time.Now()
	for {
		wait, cancel := ctx, context.CancelFunc(func() {})
		if after != nil {
			wait, cancel = context.WithDeadline(ctx, last.Add(learnEvery))
		}
		p, err := f.Next(wait)
		cancel()
		switch {
		case err == nil:
			if err := w.piece(ctx, config, p); err != nil {
				return w.stopped(ctx, nil, err) // half a piece may be judged: the next start reads from the last commit
			}
			at := p.After
			after = &at
		case errors.Is(err, io.EOF):
			return w.stopped(ctx, after, nil)
		case after == nil || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded):
			return w.stopped(ctx, after, err)
		}
		if w.scorer.learns && time.Since(last) < learnEvery {
			continue
		}
		if err := w.Commit(ctx, after); err != nil {
			if ctx.Err() != nil { // in the middle of writing
				err = nil
			}
			return w.stopped(ctx, after, err)
		}
		after, last = nil, time.Now()
	}
}

// stopped writes what was judged and is not written; a context that ended is no error. It is given a few seconds.
func (w *Watcher) stopped(ctx context.Context, after *follow.Position, err error) error {
	if ctx.Err() != nil && (err == nil || errors.Is(err, ctx.Err())) {
		err = nil
	}
	if after == nil || err != nil {
		return err
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return w.Commit(end, after)
}

func formatOf(c *source.Config) follow.Format {
	head := c.Head()
	return follow.Format{FirstLine: head == source.FirstLine, Comments: head == source.Comments, LastEnd: c.LastEnd}
}

// piece judges the rows of a piece.
func (w *Watcher) piece(ctx context.Context, config *source.Config, p *follow.Piece) error {
	shift := p.Line - 1 - int64(bytes.Count(p.Head, []byte{'\n'}))
	rep, err := config.Piece(ctx, io.MultiReader(bytes.NewReader(p.Head), bytes.NewReader(p.Text)), p.Name,
		func(t *data.Table) error {
			return w.Table(ctx, t, func(row int) (string, int64) { return w.o.Stream, shift + int64(t.Lines[row]) })
		})
	if err != nil {
		return err
	}
	if rep.Bad > 0 {
		w.bad(int64(rep.Bad), fmt.Sprintf("%s:%d: %s", w.o.Stream, shift+int64(rep.Examples[0].Line),
			rep.Examples[0].Reason))
	}
	return nil
}

// Stream watches what a program writes, until its end or that of the context, at which what was read is still judged.
// What was read before a crash is lost; what scores depend on is kept.
func (w *Watcher) Stream(ctx context.Context, in io.Reader) error {
	var config *source.Config
	r := follow.NewReader(in, func(begin []byte) (follow.Format, error) {
		config = w.config.As(begin)
		return formatOf(config), nil
	})
	for {
		p, err := r.Next(ctx)
		switch {
		case errors.Is(err, io.EOF), err != nil && ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		if err := w.last(ctx, config, p); err != nil {
			return err
		}
	}
}

// last judges and writes a piece that cannot be read again, for a while also after the context has ended.
func (w *Watcher) last(ctx context.Context, config *source.Config, p *follow.Piece) error {
	ctx, cancel := lingering(ctx, endWait)
	defer cancel()
	if err := w.piece(ctx, config, p); err != nil {
		return err
	}
	return w.Commit(ctx, map[string]int64{"rows": w.rows})
}
