package guess

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"plumbline/data/value"
)

func of(name string, texts ...string) *Column {
	c := New(name)
	for _, t := range texts {
		c.Look(t)
	}
	c.Decide()
	return c
}

// repeat makes n texts.
func repeat(n int, text func(i int) string) (out []string) {
	for i := range n {
		out = append(out, text(i))
	}
	return out
}

func TestKinds(t *testing.T) {
	late := append(repeat(8000, func(i int) string { return fmt.Sprint(i * 7 % 6001) }), "x1")
	for _, c := range []struct {
		name  string
		texts []string
		want  string
	}{
		{"bytes", []string{"1", "2.5", "-", "nan", "1e3"}, Number},
		{"service", []string{"-", "dns", "http"}, Category},
		{"late", late, Category},
		{"src", []string{"10.0.0.1", "fe80::1", "00:11:22:aa:bb:cc", "-"}, Address},
		{"Sport", []string{"80", "0x0303", ""}, Port},
		{"proto", []string{"6", "17", "6"}, Category},
		{"L7_PROTO", []string{"7.178", "5"}, Number},
		{"TCP_FLAGS", []string{"27", "2"}, Category},
		{"when", []string{"1519823410", "1519823999"}, Number},
		{"ts", []string{"1519823410", "1519823999.5"}, Time},
		{"FLOW_START_MILLISECONDS", []string{"1519823410123", "1519823999000"}, Time},
		{"x", repeat(50, func(i int) string { return fmt.Sprint(1519823410000000 + i*i) }), Time},
		{"stcpb", repeat(50, func(i int) string { return fmt.Sprint(1519823410 * (i % 3)) }), Number},
		{"empty", []string{"", "?"}, Category},
	} {
		if got := of(c.name, c.texts...).Kind; got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if got := strings.Join(of("bytes", "1", "-", "<NA>", "NaT").Missing, " "); got != "<NA> NaT -" {
		t.Errorf("marks of missing numbers: %s", got)
	}
	if got := of("service", "-", "dns", "<NA>"); strings.Join(got.Missing, " ") != "<NA>" || got.Values["-"] != 1 {
		t.Errorf("a bar among texts: %v %v", got.Missing, got.Values)
	}
}

func TestNotations(t *testing.T) {
	for text, want := range map[string]value.Notation{
		"1 2.5":             {},
		"1.5 M|20|3 K":      {Units: true},
		"1,234|5|7,000,001": {Thousands: ','},
		"1,5|20|0,25":       {Decimal: ','},
		"1.234,5|7":         {Decimal: ',', Thousands: '.'},
		"12%|3.5%":          {Units: true},
	} {
		texts := strings.Split(text, "|")
		if !strings.Contains(text, "|") {
			texts = strings.Fields(text)
		}
		c := of("n", texts...)
		if n, others := Common([]*Column{c}); c.Kind != Number || n != want || len(others) > 0 {
			t.Errorf("%s: %s in %+v, want %+v", text, c.Kind, n, want)
		}
	}
	a, b := of("a", "1,5", "2"), of("b", "1.5", "2")
	if n, others := Common([]*Column{a, b}); len(others) != 1 || n != (value.Notation{}) || a.Kind != Category ||
		b.Kind != Number {
		t.Errorf("two notations in a file: %+v, %d others", n, len(others))
	}
}

// TestTimes: each usual way to write a time is read as the time it is.
func TestTimes(t *testing.T) {
	at := time.Date(2018, 2, 14, 13, 5, 6, 0, time.UTC)
	for _, layout := range []string{
		"2006-01-02 15:04:05", "2006-01-02 15:04:05.000", "2006/01/02 15:04:05.000000", "2006-01-02T15:04:05Z07:00",
		"02.01.2006 15:04:05", "02-01-2006 15:04:05", "02/01/2006 03:04 PM", "01/02/2006 03:04:05 PM",
		"2006-01-02T15:04:05-0700", "2/1/2006 15:04", "2/1/2006 3:04:05 PM", "2006-01-02 15:04:05 -0700",
		"02/Jan/2006:15:04:05 -0700", time.ANSIC, time.RFC1123Z, "2006-01-02",
	} {
		c := of(
			"x",
			repeat(40, func(i int) string { return at.Add(time.Duration(i) * 7 * time.Hour).Format(layout) })...)
		if c.Kind != Time {
			t.Errorf("%s: %s", layout, c.Kind)
			continue
		}
		text := at.Format(layout)
		got, err := time.Parse(c.Layout, text)
		if want, _ := time.Parse(layout, text); err != nil || !got.Equal(want) {
			t.Errorf("%s: read by %s as %v, %v", layout, c.Layout, got, err)
		}
	}
	c := of("x", repeat(12, func(i int) string { return fmt.Sprintf("03/%02d/2018 10:00:00", i+1) })...)
	if c.Other != "01/02/2006 15:04:05" || c.Spans(c.Layout) != "2018-01-03 to 2018-12-03" ||
		c.Spans(c.Other) != "2018-03-01 to 2018-03-12" {
		t.Errorf("day or month: %s (%s), %s (%s)", c.Layout, c.Spans(c.Layout), c.Other, c.Spans(c.Other))
	}
	if c := of("x", "13/03/2018 10:00:00", "03/04/2018 10:00:00"); c.Other != "" {
		t.Errorf("a day that is no month: %s or %s", c.Layout, c.Other)
	}
	half := repeat(10, func(i int) string { return fmt.Sprintf("2017-07-03 %02d:30:00", (i+7)%12+1) })
	if c := of("x", half...); !c.HalfDay {
		t.Error("a 12-hour clock is not seen")
	}
	if c := of("x", append(half, "2017-07-03 17:00:00")...); c.HalfDay {
		t.Error("a 24-hour clock is taken for one of 12")
	}
}

func TestIdentifiers(t *testing.T) {
	count := func(from int) []string { return repeat(30, func(i int) string { return fmt.Sprint(from + i) }) }
	for _, c := range []struct {
		name  string
		texts []string
		want  bool
	}{
		{"bytes", count(0), true}, {"column 1", count(5), true}, {"bytes", append(count(0), "3"), false},
		{"id", repeat(30, func(i int) string { return fmt.Sprint(i * 3) }), true},
		{"size", repeat(30, func(i int) string { return fmt.Sprint(i * 3) }), false},
		{"id", repeat(30, func(i int) string { return fmt.Sprint(i % 4) }), false}, {"short", []string{"1", "2", "3"}, false},
	} {
		if got := of(c.name, c.texts...).Counts(); got != c.want {
			t.Errorf("%s %s…: counts %v, want %v", c.name, c.texts[1], got, c.want)
		}
	}
	if !of("Flow ID", "a", "a").Names() || of("proto", "a", "b").Names() ||
		!of("x", repeat(150, func(i int) string { return fmt.Sprint("k", i) })...).Names() {
		t.Error("what names rows")
	}
	if !of("Src", "10.0.0.1:80", "10.0.0.2:53").Endpoints() || of("Src", "10.0.0.1:80", "x").Endpoints() {
		t.Error("addresses with ports")
	}
}

func FuzzColumn(f *testing.F) {
	f.Add("1\n2,5\n-")
	f.Add("2018-02-14 01:00 PM\n14/02/2018 13:00")
	f.Fuzz(func(t *testing.T, text string) {
		c := of("x", strings.Split(text, "\n")...)
		if c.Kind == "" {
			t.Error("no kind")
		}
	})
}
