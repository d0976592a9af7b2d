package prepare

import (
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"

	"plumbline/configs/settings"
	"plumbline/data/cache"
	"plumbline/data/source"
	"plumbline/runs/experiment"
)

// CacheSlot is the place of a data set, or of one fold of it, in the cache. The zero slot is always empty and
// keeps nothing.
type CacheSlot struct {
	store *cache.Store
	key   string // hash of all that decides what is prepared
	about cache.About
	files []fileState // when the key was made
	log   *slog.Logger
	say   func(text string)
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

// NewCacheSlot is a data set's place in the cache; the version is that of the program. Simulated data needs none, nor
// does a run without a store. What keeps the key from being made, such as a file that is not there, is left for the
// reader to complain of. What is wrong with the cache goes into the log, and to say, which may be nil.
func NewCacheSlot(
	store *cache.Store, set *experiment.DataSet, find source.Finder, version string, log *slog.Logger,
	say func(text string),
) CacheSlot {
	if store == nil || set.Config.Generated() {
		return CacheSlot{}
	}
	s := CacheSlot{store: store, log: log, say: say, about: cache.About{Name: set.Config.Name, Version: version}}
	paths, err := set.Config.Paths(find)
	if err != nil {
		return CacheSlot{}
	}
	for _, p := range paths {
		st, err := stateOf(p)
		if err != nil {
			return CacheSlot{}
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
	decides := []any{set.Doc, set.Split, set.Traces, set.Unit, set.MinFlows}
	if set.Attacks > 0 {
		decides = append(decides, set.Attacks)
	}
	if m := set.Config.Pseudonyms(); m != nil {
		decides = append(decides, m.Text("cache")) // of this key alone
	}
	plain, err := settings.Marshal(decides)
	errs = append(errs, err)
	var steps []byte
	if set.Prep.Doc.Given() {
		steps, err = settings.Marshal(set.Prep.Doc)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		s.warn("key", err)
		return CacheSlot{}
	}
	s.key = cache.Key(append([]string{string(plain), string(steps)}, sums...)...)
	return s
}

func (s CacheSlot) warn(what string, err error) {
	s.log.Warn("cache", "data", s.about.Name, "what", what, "error", err.Error())
	if s.say != nil {
		s.say("prepared data is not kept, or made anew: " + err.Error())
	}
}
