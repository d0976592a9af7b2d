package synth

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/data/rows"
	"plumbline/data/source"
)

func init() {
	source.RegisterFormat("synth", func() source.Source {
		return &Synth{Hosts: 40, Hours: 24, Rate: 10, AttackFrom: 0.6, Seed: 1,
			Attacks: []string{"scan", "bruteforce", "flood", "beacon", "exfiltration"}}
	})
}

// Synth simulates the flows of an office network: clients with working hours and habits that use name,
// web, mail, file, database and remote-shell services, and, in the later part of the time, attacks from
// some of the clients. It is deterministic in its seed.
//
// Floods, scans and password guessing show in single flows. Beaconing and slow exfiltration are made of
// flows that look like others; what gives them away is their order (no name lookup before, regular
// repetition) and, for exfiltration, the direction of the bytes.
type Synth struct {
	// clients
	Hosts int `yaml:"hosts" jsonschema:"minimum=4,maximum=200"`
	// simulated time, from a Monday midnight
	Hours float64 `yaml:"hours" jsonschema:"exclusiveMinimum=0,maximum=744"`
	// sessions an hour of a client at full activity; a session is one to ten flows
	Rate float64 `yaml:"rate" jsonschema:"exclusiveMinimum=0,maximum=1000"`
	// which attacks happen
	Attacks []string `yaml:"attacks" jsonschema:"enum=scan,enum=bruteforce,enum=flood,enum=beacon,enum=exfiltration"`
	// share of the time before the first attack
	AttackFrom float64 `yaml:"attack_from" jsonschema:"minimum=0,exclusiveMaximum=1"`
	// of the simulation
	Seed uint64 `yaml:"seed"`
}

// Schema lists the columns of the simulated flows.
func (s *Synth) Schema() []rows.ColumnSpec {
	return []rows.ColumnSpec{
		{Name: "time", Type: "time"}, {Name: "src", Type: "address"}, {Name: "dst", Type: "address"},
		{Name: "src_port", Type: "number"}, {Name: "dst_port", Type: "category"},
		{Name: "proto", Type: "category"}, {Name: "service", Type: "category"}, {Name: "state", Type: "category"},
		{Name: "duration", Type: "number"},
		{Name: "src_bytes", Type: "number"}, {Name: "dst_bytes", Type: "number"}, {Name: "src_packets", Type: "number"},
		{Name: "dst_packets", Type: "number"},
		{Name: "class", Type: "category"},
	}
}

// Check says what is wrong with the settings.
func (s *Synth) Check(options settings.Node) (ps settings.Problems) {
	if n := float64(s.Hosts) * s.Hours * s.Rate; n > 1e7 {
		ps = append(ps, options.Problem("%.0f sessions are more than 10,000,000", n))
	}
	return ps
}

// CheckConfig says what in a data config does not fit.
func (s *Synth) CheckConfig(c *source.Config) (ps settings.Problems) {
	if len(c.Files.Train)+len(c.Files.Test) > 0 {
		ps = append(ps, c.Options.Problem("synthetic data has no files"))
	}
	if c.Label.Column != "class" || !slices.Equal(c.Label.Benign, []string{"benign"}) {
		ps = append(ps, c.Options.Problem("synthetic data is labelled by column class, benign: [benign]"))
	}
	return ps
}

// flow is one simulated connection.
type flow struct {
	at                    int64 // nanoseconds since 1970
	src, dst              string
	sport, dport          int
	proto, service, state string
	duration              float64 // seconds
	out, in               float64 // bytes
	outPackets, inPackets float64
	class                 string
}

// monday is 2024-01-01 00:00 UTC.
const monday = int64(1704067200) * 1e9

// Generate simulates the flows. They are in order of time.
func (s *Synth) Generate(name string) (*data.Table, error) {
	w := &world{Synth: s, r: rand.New(rand.NewPCG(s.Seed, 0x517))}
	for h := range s.Hosts {
		w.client(h)
	}
	for _, a := range s.Attacks {
		w.attack(a)
	}
	slices.SortStableFunc(w.flows, func(a, b flow) int {
		switch {
		case a.at < b.at:
			return -1
		case a.at > b.at:
			return 1
		}
		return 0
	})
	if len(w.flows) == 0 {
		return nil, fmt.Errorf("data: %s: the settings give no flows", name)
	}
	return w.table(name, s.Schema()), nil
}

func (w *world) table(name string, specs []rows.ColumnSpec) *data.Table {
	t := &data.Table{Name: name, Rows: len(w.flows)}
	number := func(get func(*flow) float64) data.Column {
		c := data.Column{Type: data.Number, Num: make([]float64, t.Rows)}
		for i := range w.flows {
			c.Num[i] = get(&w.flows[i])
		}
		return c
	}
	text := func(kind data.ColumnType, get func(*flow) string) data.Column {
		c := data.Column{Type: kind, Code: make([]uint32, t.Rows)}
		ids := newNamesOf(&c.Levels)
		for i := range w.flows {
			c.Code[i] = ids(get(&w.flows[i]))
		}
		return c
	}
	times := data.Column{Type: data.Time, Nanos: make([]int64, t.Rows)}
	t.Attack, t.Class = make([]bool, t.Rows), make([]uint32, t.Rows)
	t.Parts, t.Lines = make([]data.Part, t.Rows), make([]int32, t.Rows)
	class := newNamesOf(&t.Classes)
	for i := range w.flows {
		f := &w.flows[i]
		times.Nanos[i] = f.at
		t.Attack[i] = f.class != "benign"
		t.Class[i] = class(f.class)
		t.Lines[i] = int32(i + 1)
	}
	t.Columns = []data.Column{
		times,
		text(data.Address, func(f *flow) string { return f.src }),
		text(data.Address, func(f *flow) string { return f.dst }),
		number(func(f *flow) float64 { return float64(f.sport) }),
		text(data.Category, func(f *flow) string { return portName(f.dport) }),
		text(data.Category, func(f *flow) string { return f.proto }),
		text(data.Category, func(f *flow) string { return f.service }),
		text(data.Category, func(f *flow) string { return f.state }),
		number(func(f *flow) float64 { return f.duration }),
		number(func(f *flow) float64 { return f.out }), number(func(f *flow) float64 { return f.in }),
		number(func(f *flow) float64 { return f.outPackets }), number(func(f *flow) float64 { return f.inPackets }),
	}
	for i := range t.Columns {
		t.Columns[i].Name = specs[i].Name
	}
	t.Origins = []data.Origin{{Name: name, Rows: t.Rows}}
	return t
}

func newNamesOf(list *[]string) func(string) uint32 {
	n := data.NewInterner(list)
	return func(s string) uint32 { return uint32(n.ID([]byte(s))) }
}

// portName groups the ports above the well-known ones, as one-hot encodings do.
func portName(p int) string {
	if p >= 1024 && p != 3306 && p != 8080 {
		return "high"
	}
	return fmt.Sprint(p)
}

// activity is how busy a client is at an hour of the week: little at night and at the weekend.
func activity(hour float64) float64 {
	day, h := int(hour/24)%7, math.Mod(hour, 24)
	a := 0.12
	if h >= 7 && h < 19 {
		a = 0.45 + float64(0.55*math.Sin((h-7)/12*math.Pi))
	}
	if day >= 5 {
		a *= 0.3
	}
	return a
}
