package flows

import (
	"context"
	"sync/atomic"
)

// room is the bound of open connections over all tables of a stream. It is exact, whatever the number of workers: as
// long as the packets that are on their way could not pass it, workers take them side by side. Batches that could are
// taken one after the other, by one worker for all tables, and where a connection is one too many, the one whose last
// packet came before those of all others ends first.
type room struct {
	limit  int
	tables []*table
	tight  bool // whether one worker has all tables

	open   atomic.Int64 // connections, as of the batches that are done
	coming atomic.Int64 // packets of the others, each of which may begin one
}

// admit says whether a batch of n packets that is sent now is to be taken alone. What is coming is looked at first: of
// a batch that is no longer, what it opened is counted.
func (r *room) admit(n int) (alone bool) {
	coming := r.coming.Add(int64(n))
	return r.open.Load()+coming > int64(r.limit)
}

// yield ends the connection that was silent for longest where no further one may be open.
func (r *room) yield() {
	open := 0
	for _, t := range r.tables {
		open += t.open
	}
	if open < r.limit {
		return
	}
	var from *table
	for _, t := range r.tables {
		if t.oldest != none && (from == nil || t.silentSince() < from.silentSince()) {
			from = t
		}
	}
	from.evicted++
	from.end(from.oldest, EndEvicted)
}

// silentSince is the number of the last packet of the connection that was silent for longest.
func (t *table) silentSince() uint64 { return t.conn(t.oldest).table.latest }

// alone waits until all workers have come to a batch. The last of them takes it while the others wait. False: the work
// was stopped.
func (b *builder) alone(ctx context.Context, t *batch) bool {
	t.lock.Lock()
	t.waiting++
	last := t.waiting == b.workers
	t.lock.Unlock()
	if !last {
		select {
		case <-t.taken:
			return true
		case <-ctx.Done():
			return false
		}
	}
	t.waiting, b.room.tight = 0, true
	b.take(t, allTables)
	b.room.tight = false
	close(t.taken)
	return true
}
