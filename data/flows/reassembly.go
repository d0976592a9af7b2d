package flows

import "slices"

// Data of a TCP stream is put together by its sequence numbers alone, to tell what is missing of it.

// dataSent takes length bytes at seq.
func (e *Endpoint) dataSent(seq, length uint64) {
	if e.skip {
		return
	}
	to := seq + length
	if to > e.trimmed {
		e.upper = max(e.upper, to)
		e.insert(span{max(seq, e.trimmed), to})
	}
	if e.noDataAcked() && e.upper > e.delivered && e.upper-e.delivered > initialWindow {
		e.giveUp() // much after a hole, and never an acknowledgement
	} else if e.upper-min(e.upper, e.trimmed) > mostUnacknowledged && e.buffered() > mostUnacknowledged {
		e.giveUp()
	}
}

// insert adds data and delivers what has nothing missing before it.
func (e *Endpoint) insert(s span) {
	if s.from > e.delivered {
		if e.pending == nil {
			e.pending = &[]span{}
		}
		*e.pending = addSpan(*e.pending, s)
		if len(*e.pending) > mostPending {
			e.giveUp()
		}
		return
	}
	if s.to <= e.delivered {
		return
	}
	e.delivered = s.to
	e.absorb()
	if e.noDataAcked() && max(e.last, e.ack)-uint64(e.start) > initialWindow {
		e.trimmed = max(e.trimmed, e.delivered) // the peer's packets are not seen
	}
}

// addSpan puts a span among others, which are in order and do not touch.
func addSpan(list []span, s span) []span {
	i, _ := slices.BinarySearchFunc(list, s.from, func(x span, from uint64) int {
		if x.to < from {
			return -1
		}
		return 1
	})
	j := i
	for j < len(list) && list[j].from <= s.to {
		s = span{min(s.from, list[j].from), max(s.to, list[j].to)}
		j++
	}
	return slices.Replace(list, i, j, s)
}

// pieces is how many pieces after holes are kept of both ends.
func (t *TCP) pieces() (n int) {
	for i := range t.End {
		if p := t.End[i].pending; p != nil {
			n += len(*p)
		}
	}
	return n
}

// absorb delivers the pieces that follow what is delivered.
func (e *Endpoint) absorb() {
	if e.pending == nil {
		return
	}
	list := *e.pending
	n := 0
	for n < len(list) && list[n].from <= e.delivered {
		e.delivered = max(e.delivered, list[n].to)
		n++
	}
	if *e.pending = slices.Delete(list, 0, n); len(*e.pending) == 0 {
		e.pending = nil
	}
}

func (e *Endpoint) buffered() uint64 {
	n := e.delivered - min(e.delivered, e.trimmed)
	if e.pending != nil {
		for _, s := range *e.pending {
			n += s.to - s.from
		}
	}
	return n
}

// giveUp follows the data of the end no longer.
func (e *Endpoint) giveUp() {
	e.skip, e.pending, e.upper = true, nil, e.trimmed
}

// giveUp follows the data of the ends of which pieces are kept no longer.
func (t *TCP) giveUp() {
	for i := range t.End {
		if e := &t.End[i]; e.pending != nil {
			e.giveUp()
		}
	}
}

func (e *Endpoint) clean() bool {
	return e.State == Established || e.State == Closed && e.Before == Established
}

// ackReceived takes an acknowledgement of an end's data up to seq: what was not seen by then is missing.
func (c *Conn) ackReceived(of Side, seq uint64) {
	e := &c.TCP.End[of]
	if e.fins > 0 && seq >= e.finSeq {
		seq = e.finSeq - 1
	}
	if seq <= e.trimmed {
		return
	}
	if seq > e.delivered {
		c.undelivered(of, seq)
	}
	e.trimmed = seq
	if e.pending != nil && (*e.pending)[0].from == e.delivered {
		e.absorb()
	}
	c.checkEOF(of)
}

func (c *Conn) undelivered(of Side, to uint64) {
	e := &c.TCP.End[of]
	if to <= 2 && c.TCP.partial {
		return // the numbers before the first segment of a partial connection are a guess
	}
	if !e.skip {
		for e.pending != nil && (*e.pending)[0].from < to {
			from := (*e.pending)[0].from
			c.gap(of, from-e.delivered)
			e.delivered = from
			e.absorb()
		}
		if to > e.delivered {
			c.gap(of, to-e.delivered)
		}
	}
	e.delivered = max(e.delivered, to)
}

// gap counts bytes that are missing, where both ends are in a state in which that means something.
func (c *Conn) gap(of Side, bytes uint64) {
	e := &c.TCP.End[of]
	if !e.clean() || !c.TCP.End[of^1].clean() {
		return
	}
	e.gaps++
	c.scaled('G', of, e.gaps)
	c.TCP.Missed += bytes
}

// dataPending says whether data of an end that closes is still awaited.
func (e *Endpoint) dataPending(peer *Endpoint) bool {
	if e.skip {
		return false
	}
	delivered := uint64(e.start) + e.delivered
	if e.last < delivered {
		return false
	}
	if delivered != e.last-1 && delivered != e.last {
		return true
	}
	return e.State != Reset && peer.upper > peer.trimmed
}

// checkEOF finishes a close that waited, once there is no more data to come.
func (c *Conn) checkEOF(of Side) {
	e, peer := &c.TCP.End[of], &c.TCP.End[of^1]
	if e.didEOF || e.fins == 0 && e.State != Closed && e.State != Reset || e.dataPending(peer) {
		return
	}
	e.didEOF = true
	if c.TCP.deferred {
		c.closed(of)
		c.TCP.deferred = false
	}
}
