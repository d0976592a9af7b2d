package watch

import (
	"cmp"
	"container/list"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// recent is values of the keys that were put last, up to a number and to bytes of memory, and which of them have
// changed or gone since they were saved.
type recent[V any] struct {
	most    int
	bytes   int64                   // that all may take; the latest is kept whatever it takes
	size    func(V) int64           // bytes of a value
	name    func(key string) string // under which a key is kept
	order   *list.List              // of *entry, the latest first
	at      map[string]*list.Element
	changed map[string]bool
	puts    uint64
	held    int64 // bytes
	gone    int64 // keys that were let go of
}

type entry[V any] struct {
	key   string
	value V
	seen  uint64 // number of the put
	bytes int64
}

// entryBytes is what an entry takes besides its key and value: itself, its place in the order and that in the map.
const entryBytes = 256

func newRecent[V any](b bounds, size func(V) int64) *recent[V] {
	return &recent[V]{most: b.entities, bytes: b.memory, size: size, name: b.name, order: list.New(),
		at: map[string]*list.Element{}, changed: map[string]bool{}}
}

// bounds is how much is remembered, and under which names.
type bounds struct {
	entities int
	memory   int64 // bytes
	name     func(key string) string
}

func (r *recent[V]) get(key string) (v V, ok bool) {
	if e := r.at[r.name(key)]; e != nil {
		return e.Value.(*entry[V]).value, true
	}
	return v, false
}

// put sets the value of a key, which becomes the latest. Those that were put longest ago make room.
func (r *recent[V]) put(key string, v V) {
	key = r.name(key)
	r.changed[key] = true
	r.puts++
	if e := r.at[key]; e != nil {
		of := e.Value.(*entry[V])
		r.held -= of.bytes
		of.value, of.seen = v, r.puts
		r.weigh(of)
		r.order.MoveToFront(e)
	} else {
		r.push(&entry[V]{key: key, value: v, seen: r.puts})
	}
	r.bound()
}

// push adds an entry as the latest.
func (r *recent[V]) push(e *entry[V]) {
	r.weigh(e)
	r.at[e.key] = r.order.PushFront(e)
}

func (r *recent[V]) weigh(e *entry[V]) {
	e.bytes = entryBytes + int64(len(e.key)) + r.size(e.value)
	r.held += e.bytes
}

// bound lets go of what there is no room for.
func (r *recent[V]) bound() {
	for len(r.at) > r.most || r.held > r.bytes && len(r.at) > 1 {
		old := r.order.Remove(r.order.Back()).(*entry[V])
		delete(r.at, old.key)
		r.held -= old.bytes
		r.changed[old.key] = true
		r.gone++
	}
}

// save adds what has changed to a state, under a prefix: the number of the put, then the value.
func (r *recent[V]) save(to map[string][]byte, prefix string, encode func(V) []byte) {
	for key := range r.changed {
		to[prefix+key] = nil
		if e := r.at[key]; e != nil {
			v := e.Value.(*entry[V])
			to[prefix+key] = append(binary.LittleEndian.AppendUint64(nil, v.seen), encode(v.value)...)
		}
	}
	clear(r.changed)
}

// load takes back what was saved, as far as there is room for it now, out of a state: it need not be in memory twice.
func (r *recent[V]) load(from map[string][]byte, prefix string, decode func([]byte) (V, error)) error {
	var all []*entry[V]
	for name, raw := range from {
		key, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		delete(from, name)
		if len(raw) < 8 {
			return fmt.Errorf("state of %q: %d bytes", key, len(raw))
		}
		v, err := decode(raw[8:])
		if err != nil {
			return fmt.Errorf("state of %q: %w", key, err)
		}
		all = append(all, &entry[V]{key: key, value: v, seen: binary.LittleEndian.Uint64(raw)})
	}
	slices.SortFunc(all, func(a, b *entry[V]) int { return cmp.Compare(a.seen, b.seen) })
	for _, e := range all {
		r.push(e)
		r.puts = e.seen
	}
	r.bound()
	return nil
}
