package capture

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Scenario says what is simulated. The same scenario gives the same bytes.
type Scenario struct {
	Seed       uint64
	Minutes    float64   // simulated time; connections that are open at its end stay so
	Clients    int       // 1 to 200
	Rate       float64   // sessions a minute of a client, each of one to ten connections
	Attacks    []string  // which happen, of [Attacks]
	AttackFrom float64   // share of the time before the first attack
	Start      time.Time // of the first packet, at the earliest
	Snaplen    int       // bytes of a packet that are written, 0 for all
}

// Default is ten minutes with all attacks in the last six.
func Default() Scenario {
	return Scenario{Seed: 1, Minutes: 10, Clients: 30, Rate: 2, Attacks: slices.Clone(Attacks), AttackFrom: 0.4,
		Start: time.Date(2024, 1, 1, 9, 0, 0, 0, time.UTC)}
}

// Attacks are the classes of attacks.
var Attacks = []string{"scan", "udp_scan", "sweep", "flood", "bruteforce", "beacon", "exfiltration"}

// Check says which settings are out of range.
func (s Scenario) Check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !(s.Minutes > 0 && s.Minutes <= 60*24*31) {
		bad("minutes is %v: want more than 0, at most %d", s.Minutes, 60*24*31)
	}
	if s.Clients < 1 || s.Clients > 200 {
		bad("clients is %d: want 1 to 200", s.Clients)
	}
	if !(s.Rate >= 0 && s.Rate <= 1000) {
		bad("rate is %v: want 0 to 1000 sessions a minute", s.Rate)
	}
	if !(s.AttackFrom >= 0 && s.AttackFrom < 1) {
		bad("attack_from is %v: want 0 to less than 1", s.AttackFrom)
	}
	if s.Snaplen != 0 && (s.Snaplen < 68 || s.Snaplen > maxFrame) {
		bad("snaplen is %d: want 0 for whole packets, or 68 to %d", s.Snaplen, maxFrame)
	}
	if at := s.Start.Unix(); at < 0 || float64(at)+s.Minutes*60 > math.MaxUint32 {
		bad("a capture file has no times before 1970 or after 2105: start is %v", s.Start)
	}
	for _, a := range s.Attacks {
		if !slices.Contains(Attacks, a) {
			bad("unknown attack %q: want %s", a, strings.Join(Attacks, ", "))
		}
	}
	return errors.Join(errs...)
}

// Interval is a time in which packets between the addresses belong to an attack, in either direction.
type Interval struct {
	From, To time.Time // both included
	Src, Dst string    // the attacker's address, or the network of those that it pretends to have; the victim's
	Class    string
}

// Summary says what was written.
type Summary struct {
	Packets, Bytes int64 // frames, and their lengths on the wire
	Intervals      []Interval
}

// Write simulates the packets and writes them as a pcap file, in order of time. Memory is that of the connections that
// are open at a time.
func (s Scenario) Write(out io.Writer) (Summary, error) {
	if err := s.Check(); err != nil {
		return Summary{}, fmt.Errorf("capture: %w", err)
	}
	w := &world{Scenario: s, end: int64(s.Minutes * 60e6), file: newFile(out, s.Snaplen)}
	w.people()
	for _, a := range s.Attacks {
		w.attack(a)
	}
	if err := w.run(); err != nil {
		return Summary{}, fmt.Errorf("capture: %w", err)
	}
	slices.SortStableFunc(w.truth, func(a, b Interval) int {
		return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.Src, b.Src), cmp.Compare(a.Dst, b.Dst))
	})
	return Summary{Packets: w.file.packets, Bytes: w.file.bytes, Intervals: w.truth}, nil
}

// WriteTruth writes intervals as CSV with the columns from, to, src, dst and class, which label.join of a data config
// reads. Times are UTC to the microsecond.
func WriteTruth(out io.Writer, intervals []Interval) error {
	const layout = "2006-01-02 15:04:05.000000"
	c := csv.NewWriter(out)
	c.Write([]string{"from", "to", "src", "dst", "class"})
	for _, i := range intervals {
		c.Write([]string{i.From.UTC().Format(layout), i.To.UTC().Format(layout), i.Src, i.Dst, i.Class})
	}
	c.Flush()
	return c.Error()
}

// stream is a generator of random numbers that depends on the seed and on what it is for.
func (w *world) stream(kind, number uint64) *rand.Rand {
	return rand.New(rand.NewPCG(w.Seed, kind<<32|number))
}

const (
	streamPeople = iota + 1
	streamAttack
)
