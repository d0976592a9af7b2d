package synth

import "fmt"

// attack simulates one attack between the time of the first one and the end.
func (w *world) attack(kind string) {
	from, span := float64(w.AttackFrom*w.Hours), float64((1-w.AttackFrom)*w.Hours)
	start := func(latest float64) float64 { return from + float64(span*(0.02+float64(latest*w.r.Float64()))) }
	switch kind {
	case "scan":
		for range 3 {
			w.scan(w.host(w.r.IntN(w.Hosts)), start(0.9), 80+w.r.IntN(80))
		}
	case "bruteforce":
		for range 2 {
			w.bruteForce(w.host(w.r.IntN(w.Hosts)), start(0.8), 120+w.r.IntN(80))
		}
	case "flood":
		for range 3 {
			w.flood(w.host(w.r.IntN(w.Hosts)), start(0.9), 150+w.r.IntN(100))
		}
	case "beacon":
		for k := range 3 {
			w.beacon(w.host(w.r.IntN(w.Hosts)), k, start(0.1), from+span)
		}
	case "exfiltration":
		for k := range 2 {
			w.exfiltrate(w.host(w.r.IntN(w.Hosts)), k, start(0.2), from+span)
		}
	}
}

// scan knocks at ports of the servers and of other clients: most do not answer, some refuse.
func (w *world) scan(src string, hour float64, probes int) {
	for k := range probes {
		f := flow{src: src, dst: fmt.Sprintf("10.1.0.%d", 1+w.r.IntN(40)),
			dport: []int{21, 22, 23, 25, 80, 135, 139, 443, 445, 3306, 3389, 8080}[k%12], proto: "tcp", service: "-",
			class: "scan"}
		switch u := w.r.Float64(); {
		case u < 0.6:
			f.state, f.outPackets = "S0", 1+float64(w.r.IntN(2))
		case u < 0.92:
			f.state, f.duration, f.outPackets, f.inPackets = "REJ", w.lognormal(0.001, 0.5), 1, 1
		default:
			f.state, f.duration, f.outPackets, f.inPackets = "RSTO", w.lognormal(0.01, 0.5), 3, 1
		}
		w.add(hour, f)
		hour += w.lognormal(0.6, 0.8) / 3600
	}
}

// bruteForce guesses passwords of the remote shell: short sessions of nearly one size.
func (w *world) bruteForce(src string, hour float64, tries int) {
	for range tries {
		f := flow{src: src, dst: shellHost, dport: 22, proto: "tcp", service: "ssh", state: "SF",
			duration: w.lognormal(2.2, 0.35), out: 1400 + w.lognormal(500, 0.2), in: 1900 + w.lognormal(400, 0.2),
			class: "bruteforce"}
		if w.r.Float64() < 0.15 {
			f.state = "RSTO"
		}
		w.add(hour, f)
		hour += w.lognormal(2.5, 0.4) / 3600
	}
}

// flood asks the intranet server for pages without reading the answers.
func (w *world) flood(src string, hour float64, requests int) {
	for range requests {
		f := flow{src: src, dst: intranet, dport: 8080, proto: "tcp", service: "http", state: "RSTO",
			duration: w.lognormal(0.05, 0.7), out: 150 + w.lognormal(60, 0.3), in: w.lognormal(200, 0.8),
			class: "flood"}
		if w.r.Float64() < 0.4 {
			f.state, f.service, f.duration, f.out, f.in, f.inPackets, f.outPackets = "S0", "-", 0, 0, 0, 0,
				1+float64(w.r.IntN(2))
		}
		w.add(hour, f)
		hour += w.lognormal(0.05, 0.6) / 3600
	}
}

// beacon calls a control server every few minutes without asking for its name; each call resembles a
// short visit to a web page.
func (w *world) beacon(src string, k int, hour, end float64) {
	period := (3 + float64(3*w.r.Float64())) / 60
	for ; hour < end; hour += float64(period * (1 + float64(0.05*w.r.NormFloat64()))) {
		w.add(hour, flow{src: src, dst: fmt.Sprintf("192.0.2.%d", 10+k), dport: 443, proto: "tcp", service: "ssl",
			state: "SF", duration: w.lognormal(0.5, 0.2), out: 600 + w.lognormal(350, 0.15), in: 1300 +
				w.lognormal(900, 0.2), class: "beacon"})
	}
}

// exfiltrate sends files out in pieces, some an hour.
func (w *world) exfiltrate(src string, k int, hour, end float64) {
	for ; hour < end; hour += w.lognormal(0.08, 0.5) {
		w.add(hour, flow{src: src, dst: fmt.Sprintf("192.0.2.%d", 50+k), dport: 443, proto: "tcp", service: "ssl",
			state: "SF", duration: w.lognormal(6, 0.6), out: w.lognormal(400000, 0.8), in: 1500 +
				w.lognormal(4000, 0.5), class: "exfiltration"})
	}
}
