package capture

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
)

// attack lets one kind of attack happen between the time of the first one and the end.
func (w *world) attack(kind string) {
	number := uint64(0)
	for k, name := range Attacks {
		if name == kind {
			number = uint64(k)
		}
	}
	r := w.stream(streamAttack, number)
	from := int64(w.AttackFrom * float64(w.end))
	span := float64(w.end - from)
	start := func(latest float64) int64 { return from + int64(span*(0.02+float64(latest*r.Float64()))) }
	client := func() *host { return w.clients[r.IntN(len(w.clients))] }
	for k := range 2 {
		src, at := client(), start(0.5)
		w.do(at, func() {
			switch kind {
			case "scan":
				w.scan(r, src, at, 150+r.IntN(150))
			case "udp_scan":
				w.udpScan(r, src, at, 60+r.IntN(60))
			case "sweep":
				w.sweep(r, src, at)
			case "flood":
				w.flood(r, at, 800+r.IntN(800), byte(k))
			case "bruteforce":
				w.guess(r, src, at, 60+r.IntN(60))
			case "beacon":
				w.beacon(r, src, at, byte(10+k))
			case "exfiltration":
				w.exfiltrate(r, src, at, byte(50+k))
			}
		})
	}
}

// scan knocks at ports of the servers: most do not answer, some refuse, on few somebody listens.
func (w *world) scan(r *rand.Rand, src *host, at int64, probes int) {
	ports := []uint16{21, 22, 23, 25, 80, 135, 139, 443, 445, 3306, 3389, 8080}
	begin := map[byte]int64{}
	for k := range probes {
		target := byte(20 + k/len(ports))
		dst := w.at([4]byte{10, 1, 0, target})
		if _, seen := begin[target]; !seen {
			begin[target] = at
		}
		c := w.connect(r, at, src, dst, ports[k%len(ports)])
		switch u := r.Float64(); {
		case u < 0.6:
			c.unanswered(1 + r.IntN(2))
		case u < 0.92:
			c.refused()
		default:
			c.open()
			c.now += 100 + int64(r.IntN(900))
			c.close(aborted, true)
		}
		at += micros(r, 0.05, 0.8)
		if k%len(ports) == len(ports)-1 || k == probes-1 {
			w.attacked(begin[target], at+4e6, src.v4.String(), dst.v4.String(), "scan")
		}
	}
}

// udpScan sends empty or short datagrams to ports; closed ones are reported, at most a few in a second.
func (w *world) udpScan(r *rand.Rand, src *host, at int64, probes int) {
	dst := w.at([4]byte{10, 1, 0, byte(60 + r.IntN(20))})
	begin, reported := at, int64(0)
	port := ephemeral(r)
	for range probes {
		d := &datagrams{w: w, r: r, client: src, server: dst, sport: port, dport: uint16(1 + r.IntN(2000))}
		length := []int{0, 8, 40}[r.IntN(3)]
		d.send(at, true, nil, length)
		if chance(r, 0.85) && at-reported > 200000 {
			d.closed(at, length)
			reported = at
		}
		at += micros(r, 0.08, 0.7)
	}
	w.attacked(begin, at+1e6, src.v4.String(), dst.v4.String(), "udp_scan")
}

// sweep pings all addresses of a network.
func (w *world) sweep(r *rand.Rand, src *host, at int64) {
	begin := at
	id := uint16(r.Uint32())
	for k := range 254 {
		d := &datagrams{w: w, r: r, client: src, server: w.at([4]byte{10, 1, 1, byte(k + 1)})}
		d.ping(at, id, uint32(k), chance(r, 0.2))
		at += micros(r, 0.02, 0.4)
	}
	w.attacked(begin, at+1e6, src.v4.String(), "10.1.1.0/24", "sweep")
}

// flood sends first segments to the intranet server from addresses of a network that do not exist.
func (w *world) flood(r *rand.Rand, at int64, segments int, network byte) {
	dst, begin := w.at(intranet), at
	for range segments {
		// the answers go the way that the questions came
		src := &host{v4: netip.AddrFrom4([4]byte{100, 64, network, byte(1 + r.IntN(254))}), ttl: uint8(40 + r.IntN(20)),
			mac: [6]byte{2, 0, 10, 0, 0, 253}, clock: r.Uint32(), sent: uint16(r.Uint32())}
		c := w.connect(r, at, src, dst, 8080)
		c.control(true, flagSYN)
		if chance(r, 0.3) { // as long as there is room for half-open ones
			c.now = c.answer(c.now, true)
			c.control(false, flagSYN|flagACK)
		}
		at += micros(r, 0.004, 0.8)
	}
	w.attacked(begin, at+1e6, fmt.Sprintf("100.64.%d.0/24", network), dst.v4.String(), "flood")
}

// guess tries passwords of the remote shell, three on a connection, two or three connections at a time.
func (w *world) guess(r *rand.Rand, src *host, at int64, connections int) {
	dst, begin, last := w.at(shellHost), at, at
	for range connections {
		c := w.connect(r, at, src, dst, 22)
		m := shellOpening(r, "SSH-2.0-libssh_0.10.5\r\n")
		m = append(m, message{true, 700, 60, nil}, message{false, micros(r, 0.004, 0.5), 52, nil})
		for range 1 + r.IntN(3) { // a refusal takes two seconds
			m = append(m, message{true, 900, 84 + 16*r.IntN(2), nil}, message{false, micros(r, 2, 0.1), 52, nil})
		}
		c.run(m, []int{finished, finished, cut, aborted}[r.IntN(4)])
		last = max(last, c.now)
		at += micros(r, 1, 0.4)
	}
	w.attacked(begin, last+1e6, src.v4.String(), dst.v4.String(), "bruteforce")
}

// beacon calls a control server outside again and again without asking for its name; each call is like a short visit
// to a web page.
func (w *world) beacon(r *rand.Rand, src *host, at int64, number byte) {
	dst := w.at([4]byte{192, 0, 2, number})
	period := 15 + float64(20*r.Float64())
	w.attacked(at, w.end, src.v4.String(), dst.v4.String(), "beacon")
	c := &person{world: w, host: src, r: r}
	var call func()
	call = func() {
		k := w.connect(r, w.current, src, dst, 443)
		k.run(c.secured([]int{size(r, 350, 0.15)}, []int{size(r, 900, 0.2)}), finished)
		w.do(w.current+micros(r, period, 0.05), call)
	}
	w.do(at, call)
}

// exfiltrate sends files out in pieces.
func (w *world) exfiltrate(r *rand.Rand, src *host, at int64, number byte) {
	dst := w.at([4]byte{192, 0, 2, number})
	w.attacked(at, w.end, src.v4.String(), dst.v4.String(), "exfiltration")
	c := &person{world: w, host: src, r: r}
	var piece func()
	piece = func() {
		k := w.connect(r, w.current, src, dst, 443)
		k.run(c.secured([]int{size(r, 200000, 0.8)}, []int{size(r, 400, 0.5)}), finished)
		w.do(w.current+micros(r, 20, 0.5), piece)
	}
	w.do(at, piece)
}
