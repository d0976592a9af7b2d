package capture

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
)

// people lets every client work.
func (w *world) people() {
	w.hosts = map[netip.Addr]*host{}
	for k := range w.Clients {
		c := &person{world: w, host: w.at([4]byte{10, 0, 0, byte(k + 1)}), r: w.stream(streamPeople, uint64(k)),
			admin: k%10 == 3, developer: k%4 == 1, six: k%2 == 0}
		w.clients = append(w.clients, c.host)
		w.do(int64(c.r.Float64()*2e6), c.background)
		if w.Rate > 0 {
			w.do(c.pause(), c.session)
		}
	}
}

// person is a client at work. What it does next is decided when its time has come.
type person struct {
	*world
	host                  *host
	r                     *rand.Rand
	admin, developer, six bool
}

// pause is the time to the next session.
func (c *person) pause() int64 { return int64(c.r.ExpFloat64() / c.Rate * 60e6) }

// background is what a machine does on its own: names of hardware, time, announcements to all.
func (c *person) background() {
	at := c.current
	outside := &host{v4: netip.AddrFrom4([4]byte{10, 0, 0, 254}), mac: gateway, inside: true}
	c.send(packet{at: at, from: c.host, to: outside, proto: protoARP})
	c.send(packet{at: at + 60 + int64(c.r.IntN(200)), from: outside, to: c.host, proto: protoARP, flags: 1})
	d := &datagrams{w: c.world, r: c.r, client: c.host, server: c.at(timeServer), sport: 123, dport: 123, tos: 0xb8}
	sent := at + int64(c.r.IntN(5e6))
	d.send(sent, true, nil, 48)
	d.send(d.answered(sent, true), false, nil, 48)
	if chance(c.r, 0.5) {
		group := &host{v4: netip.AddrFrom4([4]byte{224, 0, 0, 251}), mac: gateway}
		m := &datagrams{w: c.world, r: c.r, client: c.host, server: group, sport: 5353, dport: 5353}
		for k := range 1 + c.r.IntN(3) {
			m.send(at+int64(k)*1e6+int64(c.r.IntN(1e5)), true, question(0, "_services._dns-sd._udp.local", 12), 0)
		}
	}
	c.do(at+micros(c.r, 64, 0.05), c.background)
}

// session is one of the things that people do, as often as in data/synth.
func (c *person) session() {
	at := c.current
	switch u := c.r.Float64(); {
	case u < 0.04:
		c.ping(at)
	case u < 0.52:
		c.browse(at)
	case u < 0.68:
		c.mail(at)
	case u < 0.80:
		c.files(at)
	case u < 0.88 && c.developer:
		c.query(at)
	case u < 0.93 && (c.admin || c.developer):
		c.shell(at)
	default:
		c.intranet(at)
	}
	c.do(at+c.pause(), c.session)
}

// site is a web server outside; the popular ones come first.
func (c *person) site() [4]byte {
	k := int(math.Floor(c.r.Float64() * c.r.Float64() * 240))
	return [4]byte{198, 51, byte(100 + k/120), byte(1 + k%120)}
}

// message is one of an exchange: who sends it, after what time of thought, how long it is.
type message struct {
	fromClient bool
	think      int64
	length     int
	content    []byte
}

// exchange is a connection with messages one after the other and an end. Some fail, as they do.
func (c *person) exchange(k *conversation, messages []message, how int) {
	switch u := c.r.Float64(); {
	case u < 0.008:
		k.unanswered(1 + c.r.IntN(4))
		return
	case u < 0.014:
		k.refused()
		return
	case u < 0.02: // the capture begins later, or sees one way only
		k.hidden = 3 + c.r.IntN(4)
	case u < 0.024:
		k.oneWay = 1 - 2*int8(c.r.IntN(2))
	}
	k.run(messages, how)
}

// run is a connection that is made, its messages, and its end.
func (k *conversation) run(messages []message, how int) {
	k.open()
	last := true
	for i, m := range messages {
		k.wait(m.think, m.fromClient != last && i > 0, last)
		k.say(m.fromClient, m.content, m.length)
		last = m.fromClient
	}
	k.wait(micros(k.r, 0.002, 1), false, last)
	k.close(how, chance(k.r, 0.7))
}

// ending is how most connections end.
func (c *person) ending() int {
	switch u := c.r.Float64(); {
	case u < 0.86:
		return finished
	case u < 0.93:
		return aborted
	case u < 0.95:
		return cut
	case u < 0.98:
		return halfClosed
	}
	return forgotten
}

// secured are the messages of a connection over TLS with the given lengths of questions and answers.
func (c *person) secured(questions, answers []int) []message {
	hello := []byte{0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3}
	reply := []byte{0x16, 3, 3, 0, 0x7a, 2, 0, 0, 0x76, 3, 3}
	m := []message{{true, micros(c.r, 0.0005, 0.5), 517, hello}, {false, micros(c.r, 0.002, 0.8), 1300 +
		c.r.IntN(2600), reply}, {true, micros(c.r, 0.001, 0.5), 64 + c.r.IntN(60), nil}}
	for k, q := range questions {
		m = append(m, message{true, micros(c.r, 0.03, 1.2), q, nil}, message{false, micros(c.r, 0.02, 1), answers[k], nil})
	}
	return m
}

func (c *person) browse(at int64) {
	site := c.site()
	at = c.lookup(c.r, at, c.host, fmt.Sprintf("www.site-%d-%d.example", site[2], site[3]))
	if chance(c.r, 0.12) { // HTTP/3: datagrams
		c.quic(at, c.world.at(site))
		return
	}
	for range 1 + c.r.IntN(4) {
		k := c.connect(c.r, at, c.host, c.world.at(site), 443)
		k.six = c.six && chance(c.r, 0.6)
		var messages []message
		if chance(c.r, 0.1) {
			k.server.port = 80
			messages = []message{{true, 300, size(c.r, 350, 0.5), []byte("GET / HTTP/1.1\r\n")},
				{false, micros(c.r, 0.03, 1), size(c.r, 9000, 1.4), []byte("HTTP/1.1 200 OK\r\n")}}
		} else {
			var questions, answers []int
			for range 1 + c.r.IntN(5) {
				questions, answers = append(questions, size(c.r, 300, 0.7)), append(answers, size(c.r, 6000, 1.5))
			}
			if chance(c.r, 0.03) { // a form or a picture is sent
				questions[0] += size(c.r, 150000, 1)
			}
			messages = c.secured(questions, answers)
		}
		c.exchange(k, messages, c.ending())
		at += micros(c.r, 0.2, 0.8)
	}
}

// quic is a visit over UDP: a few datagrams of full size, then smaller ones in both directions.
func (c *person) quic(at int64, site *host) {
	d := &datagrams{w: c.world, r: c.r, client: c.host, server: site, sport: ephemeral(c.r), dport: 443}
	d.send(at, true, nil, 1250)
	at = d.answered(at, true)
	for range 3 + c.r.IntN(20) {
		for range 1 + c.r.IntN(8) {
			d.send(at, false, nil, 1250)
			at += 150 + int64(c.r.IntN(300))
		}
		at = d.answered(at, false)
		d.send(at, true, nil, 30+c.r.IntN(60))
		at = d.answered(at, true) + micros(c.r, 0.01, 1)
	}
}

func (c *person) mail(at int64) {
	k := c.connect(c.r, at, c.host, c.world.at(mailServer), 993)
	questions, answers := []int{90, 60, 120, 40}, []int{150, 400, size(c.r, 9000, 1.6), 100}
	c.exchange(k, c.secured(questions, answers), c.ending())
	if chance(c.r, 0.3) {
		k := c.connect(c.r, at+micros(c.r, 20, 0.8), c.host, c.world.at(mailServer), 25)
		c.do(k.now, func() {
			c.exchange(k, []message{{false, micros(c.r, 0.01, 0.5), 60, []byte("220 mail.example ESMTP\r\n")},
				{true, 2000, 22, []byte("EHLO client.example\r\n")}, {false, 3000, 120, nil},
				{true, 3000, size(c.r, 7000, 1.5), nil}, {false, micros(c.r, 0.05, 1), 40, nil}, {true, 500, 6, []byte("QUIT\r\n")},
				{false, 500, 20, []byte("221 bye\r\n")}}, finished)
		})
	}
}

func (c *person) files(at int64) {
	k := c.connect(c.r, at, c.host, c.world.at(fileServer), 445)
	m := []message{{true, 500, 220, nil}, {false, 900, 280, nil}, {true, 700, 340, nil}, {false, 2000, 330, nil}}
	for range 1 + c.r.IntN(4) {
		if chance(c.r, 0.35) { // saved rather than opened
			m = append(m, message{true, micros(c.r, 2, 1.2), size(c.r, 20000, 1.5), nil}, message{false, 900, 84, nil})
		} else {
			m = append(m, message{true, micros(c.r, 2, 1.2), 117, nil}, message{false, 900, size(c.r, 20000, 1.5), nil})
		}
	}
	c.exchange(k, m, c.ending())
	if chance(c.r, 0.2) { // by the older way, in datagrams longer than a packet: fragments
		d := &datagrams{w: c.world, r: c.r, client: c.host, server: c.world.at(fileServer), sport: ephemeral(c.r),
			dport: 2049}
		d.send(at, true, nil, 2000+c.r.IntN(6000))
		d.send(d.answered(at, true), false, nil, 120)
	}
}

func (c *person) query(at int64) {
	k := c.connect(c.r, at, c.host, c.world.at(database), 3306)
	m := []message{{false, 500, 95, nil}, {true, 900, 190, nil}, {false, 800, 11, nil}}
	for range 2 + c.r.IntN(6) {
		m = append(m, message{true, micros(c.r, 0.8, 1.2), size(c.r, 250, 0.6), nil},
			message{false, micros(c.r, 0.004, 1), size(c.r, 2500, 1.5), nil})
	}
	c.exchange(k, m, c.ending())
}

func (c *person) shell(at int64) {
	at = c.lookup(c.r, at, c.host, "shell.office.example")
	k := c.connect(c.r, at, c.host, c.world.at(shellHost), 22)
	k.tos = 0x10
	m := append(shellOpening(c.r, "SSH-2.0-OpenSSH_9.6\r\n"), message{true, micros(c.r, 3, 0.4), 148, nil},
		message{false, micros(c.r, 0.02, 0.5), 28, nil}, message{true, 1500, 112, nil}, message{false, 4000, 500, nil})
	for range 5 + c.r.IntN(60) { // keys and what they show
		m = append(m, message{true, micros(c.r, 0.25, 0.9), 36, nil}, message{false, 1200, 36 + size(c.r, 60, 1.5), nil})
	}
	c.exchange(k, m, finished)
}

// shellOpening is SSH's up to the first try to log in: versions, offers of algorithms, keys, service.
func shellOpening(r *rand.Rand, version string) []message {
	return []message{{true, 800, len(version), []byte(version)}, {false, micros(r, 0.004, 0.4), 41,
		[]byte("SSH-2.0-OpenSSH_8.9p1 Ubuntu-3ubuntu0.10\r\n")[:41]}, {true, 600, 1504 + 8*r.IntN(4), nil},
		{false, 300, 1080, nil}, {true, micros(r, 0.003, 0.3), 48, nil}, {false, micros(r, 0.006, 0.3), 508, nil},
		{true, micros(r, 0.004, 0.3), 16, nil}, {true, 900, 44, nil}, {false, 400, 44, nil}}
}

func (c *person) intranet(at int64) {
	at = c.lookup(c.r, at, c.host, "intranet.office.example")
	for range 1 + c.r.IntN(4) {
		k := c.connect(c.r, at, c.host, c.world.at(intranet), 8080)
		c.exchange(k, []message{{true, 400, size(c.r, 420, 0.5), []byte("GET /page HTTP/1.1\r\n")}, {false,
			micros(c.r, 0.02, 1), size(c.r, 9000, 1.3), []byte("HTTP/1.1 200 OK\r\n")}}, c.ending())
		at += micros(c.r, 4, 0.8)
	}
}

func (c *person) ping(at int64) {
	d := &datagrams{w: c.world, r: c.r, client: c.host, server: c.world.at(c.site()), six: c.six}
	id := uint16(c.r.Uint32())
	for k := range 4 {
		d.ping(at+int64(k)*1e6+int64(c.r.IntN(2000)), id, uint32(k+1), chance(c.r, 0.97))
	}
}
