package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"plumbline/runs/bundle"
	"plumbline/runs/record"
)

// served is the models that are served. A request takes one, and keeps it whatever is read again meanwhile.
type served struct {
	places []*place
	names  []string
	again  sync.Mutex // one look at the files at a time
}

// place is where a model stands.
type place struct {
	model atomic.Pointer[Model]
	path  string
	seen  string // stamp of the file that the model is from, or that could not be read
	fault atomic.Pointer[string]
}

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// newServed reads the models.
func newServed(sources []Source) (*served, error) {
	s := &served{}
	for _, src := range sources {
		p := &place{path: src.Path, seen: stamp(src.Path)}
		m, err := open(src.Name, src.Path)
		if err != nil {
			return nil, err
		}
		if m.Path != src.Path { // RUNDIR/CELL
			p.path, p.seen = m.Path, stamp(m.Path)
		}
		switch {
		case !nameForm.MatchString(m.Name):
			return nil, fmt.Errorf("serve: %w: the name %q: want letters, digits, dots, dashes", ErrOptions, m.Name)
		case slices.Contains(s.names, m.Name):
			return nil, fmt.Errorf("serve: %w: two models are named %s: name them with NAME=FILE", ErrOptions, m.Name)
		}
		p.model.Store(m)
		s.places, s.names = append(s.places, p), append(s.names, m.Name)
	}
	return s, nil
}

// find is the model of a name, "" for the only one; nil where there is none. It lists the names.
func (s *served) find(name string) (*Model, []string) {
	for i, n := range s.names {
		if n == name || name == "" && len(s.names) == 1 {
			return s.places[i].model.Load(), s.names
		}
	}
	return nil, s.names
}

// all is the models in their order.
func (s *served) all() (out []*Model) {
	for _, p := range s.places {
		out = append(out, p.model.Load())
	}
	return out
}

// reload reads the models again whose files have changed, and says of each what came of it. One that cannot be read
// leaves the model that there is.
func (s *served) reload(say func(m *Model, err error)) {
	s.again.Lock()
	defer s.again.Unlock()
	for i, p := range s.places {
		now := stamp(p.path)
		if now == p.seen {
			continue
		}
		m, err := open(s.names[i], p.path)
		if after := stamp(p.path); after != now { // it is being written
			continue
		}
		p.seen = now
		if err != nil {
			text := err.Error()
			p.fault.Store(&text)
			say(p.model.Load(), err)
			continue
		}
		p.fault.Store(nil)
		p.model.Store(m)
		say(m, nil)
	}
}

// watch looks at the files now and then until the context ends.
func (s *served) watch(ctx context.Context, every time.Duration, say func(m *Model, err error)) {
	if every < 0 {
		return
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.reload(say)
		case <-ctx.Done():
			return
		}
	}
}

// stamp changes when a model's file is written again: its size, its time, and which file it is.
func stamp(path string) string {
	if st, err := os.Stat(path); err == nil && st.IsDir() {
		path = filepath.Join(path, "bundle.json")
	}
	st, err := os.Stat(path)
	if err != nil {
		return "absent"
	}
	return fmt.Sprint(st.Size(), " ", st.ModTime().UnixNano(), " ", inode(st))
}

// metricsOf is the metrics that a model's run left; nil of none.
func metricsOf(b *bundle.Bundle) (json.RawMessage, error) {
	if b.Metrics != nil {
		return json.Marshal(b.Metrics)
	}
	raw, err := record.ReadFile(filepath.Join(b.Path, "metrics.json"), record.MaxJSON)
	if err != nil || !json.Valid(raw) { // a cell without metrics, or a model file
		return nil, nil
	}
	return raw, nil
}

// nameOf is the name of a model that nobody named: that of its file, or of its data and model for a cell's folder.
func nameOf(b *bundle.Bundle) string {
	if b.Provenance != nil {
		base := filepath.Base(b.Path)
		return strings.TrimSuffix(base, filepath.Ext(base))
	}
	return b.Data + "-" + b.Label
}

func itoa(n int) string { return strconv.Itoa(n) }
