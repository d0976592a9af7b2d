package watch

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"plumbline/runs/record"
)

// ErrWatched says that another process watches the same with the same model and store.
var ErrWatched = errors.New("another process watches this with the same model and store")

// alone has this process be the only one that watches a stream with a store, until done is called or it ends: two would
// each write over what the other remembers. It does so by a file beside the store.
func alone(store, stream string) (done func(), err error) {
	sum := sha256.Sum256([]byte(stream))
	path := store + "-" + hex.EncodeToString(sum[:4]) + ".lock"
	for {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o640)
		if err != nil {
			return nil, fmt.Errorf("watch: %w", err)
		}
		if record.Lock(f, false) {
			f.Close()
			return nil, fmt.Errorf("watch: %s: %w", stream, ErrWatched)
		}
		own, err := f.Stat()
		now, gone := os.Stat(path)
		if err == nil && gone == nil && os.SameFile(own, now) {
			return func() { os.Remove(path); f.Close() }, nil
		}
		f.Close() // who had it took it away meanwhile
	}
}
