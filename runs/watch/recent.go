package watch

import (
	"cmp"
	"container/list"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// recent is values of the keys that were put last, up to a number, and which of them have changed or gone since they
// were saved.
type recent[V any] struct {
	most    int
	name    func(key string) string // under which a key is kept
	order   *list.List              // of *entry, the latest first
	at      map[string]*list.Element
	changed map[string]bool
	puts    uint64
	gone    int64 // keys that were let go of
}

type entry[V any] struct {
	key   string
	value V
	seen  uint64 // number of the put
}

func newRecent[V any](most int, name func(string) string) *recent[V] {
	return &recent[V]{most: most, name: name, order: list.New(), at: map[string]*list.Element{},
		changed: map[string]bool{}}
}

func (r *recent[V]) get(key string) (v V, ok bool) {
	if e := r.at[r.name(key)]; e != nil {
		return e.Value.(*entry[V]).value, true
	}
	return v, false
}

// put sets the value of a key, which becomes the latest. The one that was put longest ago makes room.
func (r *recent[V]) put(key string, v V) {
	key = r.name(key)
	r.changed[key] = true
	r.puts++
	if e := r.at[key]; e != nil {
		e.Value.(*entry[V]).value, e.Value.(*entry[V]).seen = v, r.puts
		r.order.MoveToFront(e)
		return
	}
	r.at[key] = r.order.PushFront(&entry[V]{key, v, r.puts})
	r.bound()
}

// bound lets go of what there is no room for.
func (r *recent[V]) bound() {
	for len(r.at) > r.most {
		old := r.order.Remove(r.order.Back()).(*entry[V])
		delete(r.at, old.key)
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

// load takes back what was saved, as far as there is room for it now.
func (r *recent[V]) load(from map[string][]byte, prefix string, decode func([]byte) (V, error)) error {
	var all []*entry[V]
	for key, raw := range from {
		key, ok := strings.CutPrefix(key, prefix)
		if !ok {
			continue
		}
		if len(raw) < 8 {
			return fmt.Errorf("state of %q: %d bytes", key, len(raw))
		}
		v, err := decode(raw[8:])
		if err != nil {
			return fmt.Errorf("state of %q: %w", key, err)
		}
		all = append(all, &entry[V]{key, v, binary.LittleEndian.Uint64(raw)})
	}
	slices.SortFunc(all, func(a, b *entry[V]) int { return cmp.Compare(a.seen, b.seen) })
	for _, e := range all {
		r.at[e.key] = r.order.PushFront(e)
		r.puts = e.seen
	}
	r.bound()
	return nil
}
