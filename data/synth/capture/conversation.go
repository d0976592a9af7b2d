package capture

import "math/rand/v2"

// segmentSize is how much a TCP segment carries at most: 1,500 bytes without the headers and time stamps.
const segmentSize = mtu - 40 - 12

// end is one of the two of a TCP connection.
type end struct {
	host *host
	port uint16
	next uint32 // sequence number of what it sends next
	echo uint32 // latest time stamp of the other that it has
}

// conversation is a TCP connection as it passes by between the two ends. Its clock is the time at which the latest
// packet passed.
type conversation struct {
	w              *world
	r              *rand.Rand
	client, server end
	six            bool
	now            int64
	pace           float64 // µs a byte
	trouble        float64 // share of segments that are lost, overtaken, seen twice or not at all
	hidden         int     // packets of the beginning that are not seen, for a capture that began in the middle
	oneWay         int8    // 1: only the client's packets are seen, -1: only the server's
	tos            uint8
}

// connect prepares a connection; nothing is sent yet.
func (w *world) connect(r *rand.Rand, at int64, client *host, server *host, port uint16) *conversation {
	c := &conversation{w: w, r: r, now: at,
		client: end{host: client, port: ephemeral(r), next: r.Uint32()},
		server: end{host: server, port: port, next: r.Uint32()},
		pace:   1 / lognormal(r, 12, 0.5), trouble: 0.004}
	if !server.inside && server.v4.As4()[0] != 10 {
		c.pace, c.trouble = 1/lognormal(r, 3, 0.7), 0.012
	}
	return c
}

// ends are the sender and the receiver of a direction.
func (c *conversation) ends(fromClient bool) (from, to *end) {
	if fromClient {
		return &c.client, &c.server
	}
	return &c.server, &c.client
}

// pass lets a packet pass by at a time, with the sender's sequence number and the receiver's that it acknowledges.
func (c *conversation) pass(
	at int64, fromClient bool, flags uint8, sequence, ack uint32, content []byte, length int,
) packet {
	from, to := c.ends(fromClient)
	p := packet{at: at, from: from.host, to: to.host, six: c.six, proto: protoTCP, sport: from.port, dport: to.port,
		sequence: sequence, flags: flags, window: 501, content: content, length: length, echo: from.echo,
		fill: sequence ^ from.host.clock, tos: c.tos}
	if flags&flagACK != 0 {
		p.ack = ack
	}
	if flags&flagSYN != 0 {
		p.window = 64240
	}
	if flags&flagRST != 0 {
		p.window = 0
	}
	to.echo = p.stamp()
	if c.hidden > 0 {
		c.hidden--
		return p
	}
	if c.oneWay == 1 && !fromClient || c.oneWay == -1 && fromClient {
		return p
	}
	c.w.send(p)
	return p
}

// answer is when the receiver's immediate answer to a packet passes by.
func (c *conversation) answer(at int64, fromClient bool) int64 {
	_, to := c.ends(fromClient)
	return at + 2*to.host.delay + int64(10+c.r.IntN(40))
}

// control sends a segment without data at the clock's time.
func (c *conversation) control(fromClient bool, flags uint8) {
	from, to := c.ends(fromClient)
	c.pass(c.now, fromClient, flags, from.next, to.next, nil, 0)
	if flags&(flagSYN|flagFIN) != 0 {
		from.next++
	}
}

// open shakes hands.
func (c *conversation) open() {
	c.control(true, flagSYN)
	c.now = c.answer(c.now, true)
	c.control(false, flagSYN|flagACK)
	c.now = c.answer(c.now, false)
	c.control(true, flagACK)
}

// unanswered repeats the first segment as often as said, at longer and longer intervals.
func (c *conversation) unanswered(tries int) {
	at := c.now
	for k := range tries {
		c.pass(at, true, flagSYN, c.client.next, 0, nil, 0)
		at += int64(1e6)<<k + int64(c.r.IntN(20000))
	}
}

// refused is a first segment that a reset answers.
func (c *conversation) refused() {
	c.control(true, flagSYN)
	c.now = c.answer(c.now, true)
	c.pass(c.now, false, flagRST|flagACK, 0, c.client.next, nil, 0)
}

// wait lets time go by before the next message. The receiver of the last one begins it if turn is true, after the way
// there and back.
func (c *conversation) wait(think int64, turn, lastFromClient bool) {
	c.now += think
	if turn {
		c.now = c.answer(c.now, lastFromClient)
	}
}

// say sends a message in segments, in bursts that grow from round trip to round trip, and the acknowledgements of every
// second segment. Some segments are lost and repeated, overtaken by the next, seen twice or not seen.
func (c *conversation) say(fromClient bool, content []byte, length int) {
	from, to := c.ends(fromClient)
	length = max(length, len(content))
	for burst := 10; length > 0; burst = min(2*burst, 64) {
		var times []int64
		var again []byte // content of the lost one
		lost := -1
		begin := from.next
		reached := begin
		for k := 0; k < burst && length > 0; k++ {
			n := min(length, segmentSize)
			length -= n
			c.now += 2 + int64(float64(c.pace*float64(n)))
			flags := uint8(flagACK)
			if length == 0 || k == burst-1 {
				flags |= flagPSH
			}
			at := c.now
			seen := true
			if chance(c.r, c.trouble) {
				switch u := c.r.IntN(10); {
				case u < 5 && lost < 0: // lost before it passes by, or after
					lost, again = k, content[:min(n, len(content))]
					seen = u >= 3
				case u < 7: // overtaken by the next ones
					at += int64(float64(c.pace*3*segmentSize)) + 30
				case u < 9: // on the wire twice
					if p := c.pass(at, fromClient, flags, reached, to.next, content, n); c.hidden == 0 && c.oneWay == 0 {
						p.at += 3
						p.copy = true
						c.w.send(p)
					}
					seen = false
				default:
					seen = false // the capture missed it, the receiver did not
				}
			}
			if seen {
				c.pass(at, fromClient, flags, reached, to.next, content, n)
			}
			content = content[min(n, len(content)):]
			times = append(times, at)
			reached += uint32(n)
		}
		c.acknowledge(fromClient, begin, reached, times, lost, again)
		from.next = reached
		if length > 0 {
			c.now = c.answer(c.now, !fromClient)
		}
	}
}

// acknowledge sends the receiver's acknowledgements of a burst of segments from begin to end that passed at the given
// times, and repeats the lost one.
func (c *conversation) acknowledge(fromClient bool, begin, end uint32, times []int64, lost int, content []byte) {
	_, to := c.ends(fromClient)
	ack := func(at int64, number uint32) int64 {
		at = c.answer(at, fromClient)
		c.pass(at, !fromClient, flagACK, to.next, number, nil, 0)
		return at
	}
	reach := func(k int) uint32 { return min(end-begin, uint32(k+1)*segmentSize) + begin }
	repeats := 0
	var last int64
	for k, at := range times {
		switch {
		case lost < 0 || k < lost:
			if k%2 == 1 || k == len(times)-1 {
				last = ack(at, reach(k))
			}
		case k > lost && repeats < 6:
			last = ack(at, begin+uint32(lost)*segmentSize)
			repeats++
		}
	}
	c.now = max(c.now, last)
	if lost < 0 {
		return
	}
	if repeats >= 3 { // three acknowledgements of the same number ask for it
		c.now = c.answer(c.now, !fromClient)
	} else {
		c.now = times[lost] + 200000 + int64(c.r.IntN(30000))
	}
	first := begin + uint32(lost)*segmentSize
	c.pass(c.now, fromClient, flagACK|flagPSH, first, to.next, content, int(reach(lost)-first))
	c.now = ack(c.now, end)
}

// Ways to end a connection.
const (
	finished   = iota // both say that they have no more
	aborted           // the client resets it
	cut               // the server resets it
	halfClosed        // the client says that it has no more, the server resets
	forgotten         // nobody ends it
)

func (c *conversation) close(how int, byClient bool) {
	switch how {
	case finished:
		c.control(byClient, flagFIN|flagACK)
		c.now = c.answer(c.now, byClient)
		if chance(c.r, 0.3) { // first an acknowledgement, a little later its own
			c.control(!byClient, flagACK)
			c.now += micros(c.r, 0.001, 1)
		}
		c.control(!byClient, flagFIN|flagACK)
		c.now = c.answer(c.now, !byClient)
		c.control(byClient, flagACK)
	case aborted:
		c.control(true, flagRST|flagACK)
	case cut:
		c.control(false, flagRST|flagACK)
	case halfClosed:
		c.control(true, flagFIN|flagACK)
		c.now = c.answer(c.now, true)
		c.control(false, flagRST|flagACK)
	}
}
