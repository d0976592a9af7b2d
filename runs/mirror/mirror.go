package mirror

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"plumbline/data/bucket"
	"plumbline/numeric/parallel"
	"plumbline/runs/record"
)

// Mirror is a folder of this machine that stands for a run directory in a bucket. It is safe for concurrent use.
type Mirror struct {
	Path   string // of the folder
	bucket *bucket.Bucket
	locked *os.File
	fresh  bool // nothing was sent yet

	mu      sync.Mutex
	growing map[string]int64 // files that are appended to, and how much of each was sent
	stop    chan struct{}
	stopped chan struct{}
}

func of(b *bucket.Bucket, dir string) *Mirror {
	return &Mirror{Path: dir, bucket: b, growing: map[string]int64{}}
}

// ErrBusy says that another process of this machine has the folder.
var ErrBusy = errors.New("another process of this machine is at work on this run")

// lock takes the folder for this process.
func (m *Mirror) lock() error {
	if err := os.MkdirAll(m.Path, 0o755); err != nil {
		return fmt.Errorf("mirror: %w", err)
	}
	f, err := os.OpenFile(m.Path+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return fmt.Errorf("mirror: %w", err)
	}
	if record.Lock(f, false) {
		f.Close()
		return fmt.Errorf("mirror: %s: %w", m.Address(), ErrBusy)
	}
	m.locked = f
	return nil
}

// Address is that of the run directory.
func (m *Mirror) Address() string { return m.bucket.Address("") }

// at is a file of the folder.
func (m *Mirror) at(name string) string { return filepath.Join(m.Path, filepath.FromSlash(name)) }

// Send hands a file of the run directory on, by its name with slashes, over the one that may be there. Whatever the
// process is told meanwhile, what was begun is brought to its end.
func (m *Mirror) Send(name string) error {
	ctx := context.Background()
	if m.fresh && name == experimentFile {
		raw, err := record.ReadFile(m.at(name), record.MaxJSON)
		if err == nil {
			err = m.bucket.Create(ctx, name, raw)
		}
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("mirror: somebody has begun %s in the same second: begin again", m.Address())
		}
		m.fresh = false
		return err
	}
	return m.bucket.Put(ctx, name, m.at(name))
}

// Gone tells that a file of the run directory was removed.
func (m *Mirror) Gone(name string) error { return m.bucket.Remove(context.Background(), name) }

// sideBySide is how many objects are fetched at the same time.
const sideBySide = 16

// Fetch makes a folder of the run directory, by its name with slashes, what it is in the bucket: files that are not
// there are removed.
func (m *Mirror) Fetch(ctx context.Context, folder string) error {
	return m.fetch(ctx, folder+"/", nil)
}

// fetch makes all files whose names begin with a text what they are in the bucket, but for some folders.
func (m *Mirror) fetch(ctx context.Context, begin string, but []string) error {
	objects, err := m.bucket.List(ctx, begin)
	if err != nil {
		return err
	}
	left := func(name string) bool {
		for _, folder := range but {
			if strings.HasPrefix(name, folder) {
				return true
			}
		}
		return false
	}
	there := make(map[string]bool, len(objects))
	wanted := objects[:0]
	for _, o := range objects {
		if left(o.Key) {
			continue
		}
		if !filepath.IsLocal(filepath.FromSlash(o.Key)) {
			return fmt.Errorf("mirror: %s: %q is no file of a run directory", m.Address(), o.Key)
		}
		there[o.Key] = true
		wanted = append(wanted, o)
	}
	err = m.files(begin, func(name string) error {
		if there[name] || left(name) {
			return nil
		}
		return os.Remove(m.at(name))
	})
	if err != nil {
		return fmt.Errorf("mirror: %w", err)
	}
	errs := make([]error, len(wanted))
	err = parallel.Blocks(ctx, sideBySide, len(wanted), 1, func(i, _ int) {
		if at := m.at(wanted[i].Key); !m.bucket.Same(ctx, wanted[i], at) {
			errs[i] = m.bucket.Get(ctx, wanted[i].Key, at)
		}
		if errors.Is(errs[i], fs.ErrNotExist) { // removed since
			errs[i] = nil
		}
	})
	return errors.Join(append(errs, err)...)
}

// files calls f for every file of the folder whose name begins with a text.
func (m *Mirror) files(begin string, f func(name string) error) error {
	top := m.at(begin)
	if !strings.HasSuffix(begin, "/") {
		top = filepath.Dir(filepath.Join(m.Path, begin+"x"))
	}
	err := filepath.WalkDir(top, func(at string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(m.Path, at)
		if name := filepath.ToSlash(rel); err == nil && strings.HasPrefix(name, begin) {
			return f(name)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// every is how often files that grow are sent.
const every = 10 * time.Second

// Grows says that a file is appended to from now on: it is sent every ten seconds, and by [Mirror.Grown] or
// [Mirror.Close] for the last time.
func (m *Mirror) Grows(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.growing[name]; !known {
		m.growing[name] = -1
	}
	if m.stop != nil {
		return
	}
	m.stop, m.stopped = make(chan struct{}), make(chan struct{})
	go func(stop, stopped chan struct{}) {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(every):
				m.sendGrown() // what fails is tried again the next time, and told at the end
			}
		}
	}(m.stop, m.stopped)
}

// Grown says that a file grows no longer, and sends the rest of it.
func (m *Mirror) Grown(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	err := m.sendRest(name)
	delete(m.growing, name)
	return err
}

func (m *Mirror) sendGrown() (err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name := range m.growing {
		err = errors.Join(err, m.sendRest(name))
	}
	return err
}

// sendRest sends a file that has grown since it was sent.
func (m *Mirror) sendRest(name string) error {
	sent, known := m.growing[name]
	st, err := os.Stat(m.at(name))
	if !known || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && st.Size() != sent {
		if err = m.Send(name); err == nil {
			m.growing[name] = st.Size()
		}
	}
	return err
}

// Close sends what has grown and gives the folder back.
func (m *Mirror) Close() error {
	m.mu.Lock()
	stop, stopped := m.stop, m.stopped
	m.stop = nil
	m.mu.Unlock()
	if stop != nil {
		close(stop)
		<-stopped
	}
	err := m.sendGrown()
	if m.locked != nil {
		err = errors.Join(err, m.locked.Close())
		m.locked = nil
	}
	return err
}
