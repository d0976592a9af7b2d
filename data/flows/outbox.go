package flows

import (
	"cmp"
	"slices"
	"sync/atomic"
)

// outbox is the records of a worker's tables between two ticks.
type outbox struct {
	list  []record
	spare []record // room for the next list

	written atomic.Pointer[[]record] // records that are written, and not taken back yet
}

// record is one that waits to be written. Its connection is nobody else's until it is given back.
type record struct {
	number uint64 // of the connection
	c      *Conn
	table  *table // whose connection it is
	at     uint32 // where it stands in the table's slabs; none: it is a copy
}

func (o *outbox) add(c *Conn, t *table, at uint32) {
	o.list = append(o.list, record{c.Number, c, t, at})
}

// take gives the records since the last time, by the first packets of their connections.
func (o *outbox) take() []record {
	list := o.list
	o.list, o.spare = o.spare[:0], nil
	slices.SortFunc(list, compareRecords)
	return list
}

func compareRecords(a, b record) int {
	if a.number != b.number {
		return cmp.Compare(a.number, b.number)
	}
	return cmp.Or(cmp.Compare(a.c.Depth, b.c.Depth), cmp.Compare(a.c.Records, b.c.Records))
}

// giveBack says that these records are written. It is called by another goroutine than that of the tables, which takes
// them back when it comes by.
func (o *outbox) giveBack(list []record) {
	if more := o.written.Swap(nil); more != nil {
		list = append(*more, list...)
	}
	o.written.Store(&list)
}

// reclaim gives connections that are written back to their tables.
func (o *outbox) reclaim() {
	list := o.written.Swap(nil)
	if list == nil {
		return
	}
	for _, r := range *list {
		r.table.release(r.c, r.at)
	}
	clear(*list)
	o.spare = *list
}
