package capture

import (
	"container/heap"
	"math/rand/v2"
	"net/netip"
	"time"

	"plumbline/numeric/elementary"
)

// world is a simulation in progress. Times within it are microseconds since its start.
type world struct {
	Scenario
	end     int64
	current int64 // time of the event that happens
	events  events
	serial  uint64 // of the next event, which orders those of the same time
	file    *file
	truth   []Interval

	clients []*host
	hosts   map[netip.Addr]*host
}

// event is something to happen at a time: a packet to write, or a session to unfold.
type event struct {
	at     int64
	serial uint64
	packet *packet
	run    func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].serial < e[j].serial
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(v any)   { *e = append(*e, v.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	(*e)[len(*e)-1] = event{}
	*e = (*e)[:len(*e)-1]
	return last
}

func (w *world) put(e event) {
	if e.at >= w.end {
		return // whatever begins or passes by after the end
	}
	e.serial = w.serial
	w.serial++
	heap.Push(&w.events, e)
}

// do lets something happen at a time. Packets that it makes are not earlier.
func (w *world) do(at int64, run func()) { w.put(event{at: at, run: run}) }

func (w *world) send(p packet) { w.put(event{at: p.at, packet: &p}) }

func (w *world) run() error {
	for len(w.events) > 0 {
		e := heap.Pop(&w.events).(event)
		w.current = e.at
		if e.run != nil {
			e.run()
			continue
		}
		if err := w.file.write(w.Start.UnixMicro()+e.at, e.packet); err != nil {
			return err
		}
	}
	return w.file.flush()
}

func (w *world) instant(at int64) time.Time { return time.UnixMicro(w.Start.UnixMicro() + at) }

// attacked notes that packets between two addresses belong to an attack.
func (w *world) attacked(from, to int64, src, dst, class string) {
	if from < w.end {
		w.truth = append(w.truth, Interval{w.instant(from), w.instant(min(to, w.end)), src, dst, class})
	}
}

// host is a machine with its addresses. It counts the packets that it sends.
type host struct {
	v4, v6 netip.Addr
	mac    [6]byte
	ttl    uint8 // as packets have it where they are seen
	inside bool  // on the wire that is listened to, not after the gateway
	sent   uint16
	clock  uint32 // of its TCP time stamps
	delay  int64  // from the wire to it, one way
}

// address of a host for IPv4 or, if it has one, IPv6.
func (h *host) address(six bool) netip.Addr {
	if six {
		return h.v6
	}
	return h.v4
}

// gateway is the address on the wire of all that is outside.
var gateway = [6]byte{2, 0, 10, 0, 0, 254}

// at is the machine with an address. Those of 10.0.0.0/24 are on the wire, those of 10.1.0.0/24 one router away.
func (w *world) at(a [4]byte) *host {
	addr := netip.AddrFrom4(a)
	if h := w.hosts[addr]; h != nil {
		return h
	}
	r := rand.New(rand.NewPCG(w.Seed, uint64(a[0])<<24|uint64(a[1])<<16|uint64(a[2])<<8|uint64(a[3])))
	h := &host{v4: addr, mac: gateway, clock: r.Uint32(), sent: uint16(r.Uint32())}
	h.v6 = netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 12: a[0], 13: a[1], 14: a[2], 15: a[3]})
	switch {
	case a[0] == 10 && a[1] == 0:
		h.inside, h.mac, h.ttl, h.delay = true, [6]byte{2, 0, a[0], a[1], a[2], a[3]}, 64, 20+int64(r.IntN(60))
		if a[3]%3 == 0 {
			h.ttl = 128
		}
	case a[0] == 10:
		h.ttl, h.delay = 63, 100+int64(r.IntN(200))
	default:
		h.ttl, h.delay = uint8(64-8-r.IntN(8)), int64(lognormal(r, 4000, 0.8))+2000
	}
	w.hosts[addr] = h
	return h
}

var (
	nameServer = [4]byte{10, 1, 0, 1}
	mailServer = [4]byte{10, 1, 0, 2}
	fileServer = [4]byte{10, 1, 0, 3}
	database   = [4]byte{10, 1, 0, 4}
	intranet   = [4]byte{10, 1, 0, 5}
	timeServer = [4]byte{10, 1, 0, 6}
	shellHost  = [4]byte{10, 1, 0, 7}
)

// lognormal has the given median and spread (sd of the logarithm).
func lognormal(r *rand.Rand, median, spread float64) float64 {
	return median * elementary.Exp(float64(spread*r.NormFloat64()))
}

// micros is a lognormal time, from seconds to microseconds.
func micros(r *rand.Rand, median, spread float64) int64 {
	return int64(lognormal(r, median*1e6, spread))
}

// size is a lognormal number of bytes, at most 2 MB.
func size(r *rand.Rand, median, spread float64) int {
	return int(min(2e6, lognormal(r, median, spread)))
}

// chance is true with probability p.
func chance(r *rand.Rand, p float64) bool { return r.Float64() < p }

// ephemeral is a port of a client.
func ephemeral(r *rand.Rand) uint16 { return uint16(32768 + r.IntN(28232)) }
