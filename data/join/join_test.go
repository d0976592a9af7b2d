package join

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"plumbline/data"
)

// category is a column of texts, of which "" is missing.
func category(name string, texts ...string) data.Column {
	c := data.Column{Name: name, Type: data.Category}
	ids := data.NewInterner(&c.Levels)
	for _, t := range texts {
		if t == "" {
			c.Code = append(c.Code, data.Missing)
			continue
		}
		c.Code = append(c.Code, uint32(ids.ID([]byte(t))))
	}
	return c
}

func TestNormal(t *testing.T) {
	for _, same := range [][]string{
		{"80", "80.0", " 80 ", "80."}, {"TCP", "tcp"}, {"10.0.0.1", "::ffff:10.0.0.1"},
		{"2001:db8::1", "2001:DB8:0::1"}, {"0.50", "0.5"},
	} {
		for _, s := range same[1:] {
			if normal(s) != normal(same[0]) {
				t.Errorf("%q is %q, %q is %q", same[0], normal(same[0]), s, normal(s))
			}
		}
	}
	// what names things is not a number: leading zeros, exponents, more digits than a float holds
	for _, differ := range [][2]string{
		{"007", "7"}, {"12e5", "1200000"}, {"9007199254740993", "9007199254740992"}, {"0x50", "80"},
	} {
		if normal(differ[0]) == normal(differ[1]) {
			t.Errorf("%q and %q are the same", differ[0], differ[1])
		}
	}
}

// TestIndex checks what the index finds against a look at every rule, on random tables with values that are missing,
// networks, intervals that overlap, and rows that stand either way round.
func TestIndex(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	for round := range 60 {
		var sa, da, port, attacker, victim, at []string
		first := &data.Table{Name: "first", Rows: 80}
		begin := data.Column{Name: "ts", Type: data.Time}
		end := data.Column{Name: "te", Type: data.Time}
		for range first.Rows {
			sa = append(sa, pick("10.0.0.1", "10.0.0.2", "10.0.1.1", ""))
			da = append(da, pick("10.0.0.1", "10.0.0.2", "fd00::1"))
			port = append(port, pick("80", "443", ""))
			b := r.Int64N(100) * 1e9
			begin.Nanos, end.Nanos = append(begin.Nanos, b), append(end.Nanos, b+r.Int64N(3)*5e8)
		}
		first.Columns = []data.Column{category("sa", sa...), category("da", da...), category("dp", port...), begin, end}
		second := &data.Table{Name: "second", Rows: 12}
		var ends, ports, class []string
		for i := range second.Rows {
			attacker = append(attacker, pick("10.0.0.1", "10.0.0.0/24", "10.0.1.1", "", "0.0.0.0/0"))
			victim = append(victim, pick("10.0.0.2", "fd00::/8", ""))
			ports = append(ports, pick("", "80.0", "443"))
			b := r.IntN(100)
			at, ends = append(at, fmt.Sprint(b)), append(ends, fmt.Sprint(b+r.IntN(30)))
			class = append(class, fmt.Sprint("c", i))
		}
		second.Columns = []data.Column{
			category("attacker", attacker...), category("victim", victim...), category("port", ports...),
			category("from", at...), category("to", ends...), category("class", class...),
		}
		s := Spec{
			Key: map[string]string{"sa": "attacker", "da": "victim", "dp": "port"}, From: "from", To: "to", Class: "class",
		}
		if round%2 == 1 {
			s.Mirror = [][]string{{"da", "sa"}}
		}
		if round%3 == 1 {
			s.Time, s.End = "ts", "te"
		}
		res, err := Rows(first, second, s)
		if err != nil {
			t.Fatal(err)
		}
		fits := func(want, have string) bool {
			if want == "" {
				return true
			}
			if p, err := netip.ParsePrefix(want); err == nil {
				a, err := netip.ParseAddr(have)
				return err == nil && p.Contains(a)
			}
			return have != "" && strings.TrimSuffix(want, ".0") == have
		}
		fitted := 0
		for i := range first.Rows {
			want := ""
			for k := range second.Rows {
				var from, to float64
				fmt.Sscan(at[k], &from)
				fmt.Sscan(ends[k], &to)
				b, e := float64(begin.Nanos[i])/1e9, float64(begin.Nanos[i])/1e9
				if s.End != "" {
					e = float64(end.Nanos[i]) / 1e9
				}
				one := fits(attacker[k], sa[i]) && fits(victim[k], da[i])
				other := s.Mirror != nil && fits(attacker[k], da[i]) && fits(victim[k], sa[i])
				if (one || other) && fits(ports[k], port[i]) && b <= to && e >= from {
					want = class[k]
					break
				}
			}
			got := ""
			if m := res.Rows[i]; m >= 0 {
				got = res.Matches[m].Class
				fitted++
			}
			if got != want {
				t.Fatalf("round %d, row %d: %q, want %q", round, i, got, want)
			}
		}
		if fitted != res.Fitted || res.Rules != second.Rows || res.Used > res.Rules {
			t.Errorf("%d of %d, %d of %d rules", fitted, res.Fitted, res.Used, res.Rules)
		}
	}
}

func TestCommon(t *testing.T) {
	number := func(name string, v ...float64) data.Column { return data.Column{Name: name, Type: data.Number, Num: v} }
	train := &data.Table{
		Name: "a", Rows: 3, Lines: []int32{2, 3, 4}, Parts: []data.Part{data.PartTrain, data.PartTrain, data.PartTest},
		Columns: []data.Column{number("x", 1, 2, 3), category("p", "tcp", "udp", "tcp"), number("own", 7, 8, 9)},
		Attack:  []bool{false, true, false}, Class: []uint32{0, 1, 0}, Classes: []string{"benign", "dos"},
		Origins: []data.Origin{{Name: "a1", Rows: 2}, {Name: "a2", FirstRow: 2, Rows: 1, Part: data.PartTest}},
	}
	test := &data.Table{
		Name: "b", Rows: 2, Lines: []int32{1, 2}, Parts: make([]data.Part, 2),
		Columns: []data.Column{category("p", "icmp", "tcp"), number("x", 4, 5), category("own", "u", "v")},
		Attack:  []bool{true, false}, Class: []uint32{0, 1}, Classes: []string{"dos", "normal"},
		Origins: []data.Origin{{Name: "b", Rows: 2}},
	}
	got, dropped, err := Common("a-to-b", train, test)
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for i := range int32(4) {
		rows = append(rows, fmt.Sprint(
			got.Columns[0].Num[i], " ", got.Columns[1].Level(i), " ", got.Classes[got.Class[i]], " ", got.Attack[i], " ",
			got.Parts[i], " ", got.Where(i)))
	}
	want := "1 tcp benign false 0 a1:2 | 2 udp dos true 0 a1:3 | 4 icmp dos true 1 b:1 | 5 tcp normal false 1 b:2"
	if s := strings.Join(rows, " | "); s != want || got.Rows != 4 || len(got.Columns) != 2 {
		t.Errorf("%s, %d rows of %d columns; want %s", s, got.Rows, len(got.Columns), want)
	}
	if fmt.Sprint(dropped) != "[own]" {
		t.Errorf("left out: %v", dropped)
	}
	lone := &data.Table{
		Name: "c", Rows: 1, Parts: make([]data.Part, 1), Columns: []data.Column{number("z", 1)}, Attack: []bool{true},
	}
	if _, _, err := Common("x", got, lone); err == nil || !strings.Contains(err.Error(), "no column in common") {
		t.Errorf("%v", err)
	}
	lone.Attack = nil
	if _, _, err := Common("x", got, lone); err == nil || !strings.Contains(err.Error(), "the other has none") {
		t.Errorf("%v", err)
	}
}
