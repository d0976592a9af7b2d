package runs

import (
	"sync"
	"sync/atomic"
	"time"

	"plumbline/models"
)

// maxTrained is how many bytes of weights are kept of the cells of a fold.
const maxTrained = 64 << 20

// trained keeps the networks that cells of a fold have trained, for others that would train the same: an auto-encoder
// under several one-class models is trained once a seed. Where they take more than maxTrained bytes, the oldest go.
type trained struct {
	mu    sync.Mutex
	of    map[string]*models.Weights
	order []string // oldest first
	bytes int
}

func sizeOf(w *models.Weights) (bytes int) {
	const epoch = 56 // bytes of a models.Epoch, about
	for _, a := range w.Arrays {
		bytes += 4 * len(a)
	}
	return bytes + epoch*len(w.History)
}

// Find is what was kept under a key, or nil.
func (t *trained) Find(key string) *models.Weights {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.of[key]
}

// Keep takes weights, unless they alone are too large.
func (t *trained) Keep(key string, w *models.Weights) {
	size := sizeOf(w)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of[key] != nil || size > maxTrained { // two cells may train the same at one time
		return
	}
	if t.of == nil {
		t.of = map[string]*models.Weights{}
	}
	t.of[key], t.order, t.bytes = w, append(t.order, key), t.bytes+size
	for t.bytes > maxTrained {
		t.bytes -= sizeOf(t.of[t.order[0]])
		delete(t.of, t.order[0])
		t.order = t.order[1:]
	}
}

// spared is the trained networks as one cell sees them, with the time that they took elsewhere.
type spared struct {
	*trained
	time atomic.Int64 // time.Duration
}

// Find is that of trained, and counts.
func (s *spared) Find(key string) *models.Weights {
	w := s.trained.Find(key)
	if w != nil {
		s.time.Add(int64(w.Took))
	}
	return w
}

func (s *spared) seconds() float64 { return time.Duration(s.time.Load()).Seconds() }
