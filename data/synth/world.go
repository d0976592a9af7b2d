package synth

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// world is a simulation in progress.
type world struct {
	*Synth
	r     *rand.Rand
	flows []flow
}

const (
	nameServer = "10.1.0.1"
	mailServer = "10.1.0.2"
	fileServer = "10.1.0.3"
	database   = "10.1.0.4"
	intranet   = "10.1.0.5"
	timeServer = "10.1.0.6"
	shellHost  = "10.1.0.7"
)

func (w *world) host(h int) string { return fmt.Sprintf("10.0.0.%d", h+1) }

// site is a web server outside; the popular ones come first.
func (w *world) site() string {
	k := int(math.Floor(math.Pow(w.r.Float64(), 2.5) * 240))
	return fmt.Sprintf("198.51.%d.%d", 100+k/120, 1+k%120)
}

// lognormal has the given median and spread (sd of the logarithm).
func (w *world) lognormal(median, spread float64) float64 {
	return median * math.Exp(spread*w.r.NormFloat64())
}

func (w *world) instant(hour float64) int64 {
	return monday + int64(math.Round(hour*3600*1e6))*1000
}

// add completes a flow: whole bytes, packets that fit them, a duration in microseconds.
func (w *world) add(hour float64, f flow) {
	f.at = w.instant(hour)
	if f.sport == 0 {
		f.sport = 32768 + w.r.IntN(28232)
	}
	f.out, f.in = math.Round(f.out), math.Round(f.in)
	segments := func(b float64) float64 { return math.Ceil(b/1400) + 1 + float64(w.r.IntN(3)) }
	if f.outPackets == 0 {
		f.outPackets = segments(f.out)
		if f.proto == "tcp" {
			f.outPackets += math.Ceil(f.in / 2800)
		}
	}
	if f.inPackets == 0 && f.in > 0 {
		f.inPackets = segments(f.in)
	}
	f.duration = math.Round(f.duration*1e6) / 1e6
	if f.class == "" {
		f.class = "benign"
		w.mishap(&f)
	}
	w.flows = append(w.flows, f)
}

// mishap lets some benign connections fail, as they do.
func (w *world) mishap(f *flow) {
	if f.proto != "tcp" {
		return
	}
	switch u := w.r.Float64(); {
	case u < 0.008:
		f.state, f.duration, f.out, f.in, f.inPackets, f.outPackets = "S0", 0, 0, 0, 0, 1+float64(w.r.IntN(3))
	case u < 0.014:
		f.state, f.duration, f.out, f.in, f.inPackets, f.outPackets = "REJ", 0.001, 0, 0, 1, 1
	case u < 0.03:
		f.state = "RSTO"
	}
}

// client simulates one client's benign traffic.
func (w *world) client(h int) {
	src := w.host(h)
	admin, developer := h%10 == 3, h%4 == 1
	night := w.r.Float64() * 2 // when its updates come
	for hour := w.r.Float64() * 0.3; hour < w.Hours; hour += 17.07 / 60 {
		w.add(hour+float64(w.r.Float64()*0.002), flow{src: src, dst: timeServer, dport: 123, proto: "udp", service: "ntp",
			state: "SF", duration: w.lognormal(0.004, 0.3), out: 48, in: 48, outPackets: 1, inPackets: 1})
	}
	for day := 0.0; day*24 < w.Hours; day++ {
		if hour := float64(day*24) + 1 + night; hour < w.Hours {
			w.update(src, hour)
		}
	}
	for hour := 0.0; ; {
		hour += w.r.ExpFloat64() / w.Rate
		if hour >= w.Hours {
			return
		}
		if w.r.Float64() > activity(hour) {
			continue
		}
		switch u := w.r.Float64(); {
		case u < 0.52:
			w.browse(src, hour)
		case u < 0.70:
			w.mail(src, hour)
		case u < 0.84:
			w.files(src, hour)
		case u < 0.92 && developer:
			w.query(src, hour)
		case u < 0.96 && (admin || developer):
			w.shell(src, hour)
		default:
			w.intranet(src, hour)
		}
	}
}

func (w *world) lookup(src string, hour float64) float64 {
	w.add(hour, flow{src: src, dst: nameServer, dport: 53, proto: "udp", service: "dns", state: "SF",
		duration: w.lognormal(0.012, 0.8), out: 40 + float64(w.r.IntN(40)), in: 90 + w.lognormal(60, 0.6),
		outPackets: 1, inPackets: 1})
	return hour + w.lognormal(0.03, 0.5)/3600
}

func (w *world) browse(src string, hour float64) {
	pages := 1 + w.r.IntN(3)
	for range pages {
		hour = w.lookup(src, hour)
		site := w.site()
		for k := range 1 + w.r.IntN(4) {
			f := flow{src: src, dst: site, dport: 443, proto: "tcp", service: "ssl", state: "SF",
				duration: w.lognormal(1.2, 1.3), out: 500 + w.lognormal(900, 0.9), in: 1200 + w.lognormal(14000, 1.5)}
			if w.r.Float64() < 0.1 {
				f.dport, f.service = 80, "http"
			}
			if w.r.Float64() < 0.03 { // a form or picture sent
				f.out += w.lognormal(150000, 1)
			}
			w.add(hour+float64(k)*w.lognormal(0.2, 0.5)/3600, f)
		}
		hour += w.lognormal(35, 0.9) / 3600
	}
}

func (w *world) mail(src string, hour float64) {
	w.add(hour, flow{src: src, dst: mailServer, dport: 993, proto: "tcp", service: "imap", state: "SF",
		duration: w.lognormal(4, 1), out: 700 + w.lognormal(600, 0.5), in: 1500 + w.lognormal(9000, 1.6)})
	if w.r.Float64() < 0.3 {
		w.add(hour+w.lognormal(60, 0.8)/3600,
			flow{src: src, dst: mailServer, dport: 25, proto: "tcp", service: "smtp", state: "SF",
				duration: w.lognormal(1.5, 0.7), out: 1200 + w.lognormal(7000, 1.5), in: 400 + w.lognormal(300, 0.3)})
	}
}

func (w *world) files(src string, hour float64) {
	for range 1 + w.r.IntN(3) {
		f := flow{src: src, dst: fileServer, dport: 445, proto: "tcp", service: "smb", state: "SF",
			duration: w.lognormal(2.5, 1.2), out: 1500 + w.lognormal(3000, 1.2), in: 2500 + w.lognormal(50000, 1.9)}
		if w.r.Float64() < 0.35 { // saved rather than opened
			f.out, f.in = f.in, f.out
		}
		w.add(hour, f)
		hour += w.lognormal(90, 0.9) / 3600
	}
}

func (w *world) query(src string, hour float64) {
	for range 2 + w.r.IntN(5) {
		w.add(hour, flow{src: src, dst: database, dport: 3306, proto: "tcp", service: "mysql", state: "SF",
			duration: w.lognormal(0.4, 1), out: 300 + w.lognormal(400, 0.6), in: 400 + w.lognormal(2500, 1.5)})
		hour += w.lognormal(15, 0.8) / 3600
	}
}

func (w *world) shell(src string, hour float64) {
	hour = w.lookup(src, hour)
	w.add(hour, flow{src: src, dst: shellHost, dport: 22, proto: "tcp", service: "ssh", state: "SF",
		duration: w.lognormal(400, 1.2), out: 3500 + w.lognormal(15000, 1), in: 4000 + w.lognormal(40000, 1.2)})
}

func (w *world) intranet(src string, hour float64) {
	hour = w.lookup(src, hour)
	for range 1 + w.r.IntN(4) {
		w.add(hour, flow{src: src, dst: intranet, dport: 8080, proto: "tcp", service: "http", state: "SF",
			duration: w.lognormal(0.3, 0.9), out: 400 + w.lognormal(500, 0.6), in: 800 + w.lognormal(9000, 1.3)})
		hour += w.lognormal(8, 0.8) / 3600
	}
}

func (w *world) update(src string, hour float64) {
	hour = w.lookup(src, hour)
	for range 1 + w.r.IntN(3) {
		w.add(hour, flow{src: src, dst: fmt.Sprintf("203.0.113.%d", 1+w.r.IntN(4)), dport: 443, proto: "tcp",
			service: "ssl", state: "SF", duration: w.lognormal(45, 0.9), out: 2000 + w.lognormal(9000, 0.7),
			in: w.lognormal(2.5e7, 1.1)})
		hour += w.lognormal(70, 0.6) / 3600
	}
}
