package flows

// index finds connections by hash: open addressing, at most three quarters full. A slot has the upper half of the hash,
// so that a connection is looked at only where it is likely the right one.
type index struct {
	slots []indexSlot
	mask  uint64
	used  int
}

type indexSlot struct {
	hash uint32
	conn uint32
}

const indexStart = 1 << 10

func (x *index) init() { x.resize(indexStart) }

func (x *index) resize(n int) {
	x.slots = make([]indexSlot, n)
	for i := range x.slots {
		x.slots[i].conn = none
	}
	x.mask = uint64(n - 1)
}

func (x *index) start(hash uint64) uint64 { return hash & x.mask }

func (x *index) next(i uint64) uint64 { return (i + 1) & x.mask }

// put adds a connection that is not there.
func (x *index) put(hash uint64, at uint32, t *table) {
	if x.used*4 >= len(x.slots)*3 {
		old := x.slots
		x.resize(len(old) * 2)
		for _, s := range old {
			if s.conn != none {
				x.place(t.conn(s.conn).table.hash, s.conn)
			}
		}
	}
	x.place(hash, at)
	x.used++
}

func (x *index) place(hash uint64, at uint32) {
	i := x.start(hash)
	for x.slots[i].conn != none {
		i = x.next(i)
	}
	x.slots[i] = indexSlot{uint32(hash >> 32), at}
}

// remove takes a connection out and moves those after it up, so that no slot is marked as left.
func (x *index) remove(hash uint64, at uint32, t *table) {
	i := x.start(hash)
	for x.slots[i].conn != at {
		i = x.next(i)
	}
	x.used--
	for j := x.next(i); x.slots[j].conn != none; j = x.next(j) {
		home := x.start(t.conn(x.slots[j].conn).table.hash)
		if (j-home)&x.mask >= (j-i)&x.mask {
			x.slots[i] = x.slots[j]
			i = j
		}
	}
	x.slots[i].conn = none
}
