package value

import (
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestNotation(t *testing.T) {
	comma := Notation{Decimal: ',', Thousands: '.'}
	grouped := Notation{Thousands: ','}
	for _, c := range []struct {
		n    Notation
		text string
		want float64
		ok   bool
	}{
		{Notation{}, "1.5", 1.5, true}, {Notation{}, "1,5", 0, false}, {Notation{}, "1K", 0, false},
		{comma, "1,5", 1.5, true}, {comma, "1.234,5", 1234.5, true}, {comma, "1.234", 1234, true},
		{comma, "-12.345.678", -12345678, true}, {comma, "1.23", 0, false}, {comma, ".234", 0, false}, {comma, "7", 7, true},
		{Notation{Decimal: ','}, "1,5", 1.5, true}, {Notation{Decimal: ','}, "1.5", 0, false},
		{grouped, "1,234,567.25", 1234567.25, true}, {grouped, "1234567.25", 1234567.25, true},
		{grouped, "12,34", 0, false}, {grouped, "1234,567", 0, false}, {grouped, "+1,000", 1000, true},
		{grouped, "1,000,", 0, false},
		{Notation{Units: true}, "1.5 M", 1.5e6, true}, {Notation{Units: true}, "3k", 3000, true},
		{Notation{Units: true}, "12%", 12, true}, {Notation{Units: true}, "2 G", 2e9, true},
		{Notation{Units: true}, "M", 0, false}, {Notation{Units: true}, "7", 7, true},
		{Notation{Units: true}, "7 X", 0, false},
		{Notation{Units: true, Decimal: ','}, "1,5 T", 1.5e12, true},
	} {
		got, err := c.n.Number([]byte(c.text))
		if (err == nil) != c.ok || err == nil && got != c.want {
			t.Errorf("%+v: %q is %v, %v; want %v", c.n, c.text, got, err, c.want)
		}
	}
}

// TestEpoch: whatever the unit and the notation, a time is read to the nanosecond.
func TestEpoch(t *testing.T) {
	for text, want := range map[string]string{
		"1519823410":           "2018-02-28T13:10:10Z",
		"1519823410.25":        "2018-02-28T13:10:10.25Z",
		"1519823410.123456789": "2018-02-28T13:10:10.123456789Z",
		"1519823410250":        "2018-02-28T13:10:10.25Z",
		"1519823410250.5":      "2018-02-28T13:10:10.2505Z",
		"1519823410250123":     "2018-02-28T13:10:10.250123Z",
		"1519823410250123456":  "2018-02-28T13:10:10.250123456Z",
		"2.385642e+09":         "2045-08-06T14:20:00Z",
		"1.51982341025E9":      "2018-02-28T13:10:10.25Z",
		"1.519823410250e12":    "2018-02-28T13:10:10.25Z",
		"151982341025e-2":      "2018-02-28T13:10:10.25Z",
		"0":                    "1970-01-01T00:00:00Z",
		"1e0":                  "1970-01-01T00:00:01Z",
		"5e-1":                 "1970-01-01T00:00:00.5Z",
		"100000000000":         "1973-03-03T09:46:40Z",
		"100000000000000":      "1973-03-03T09:46:40Z",
		"100000000000000000":   "1973-03-03T09:46:40Z",
	} {
		got, err := Epoch([]byte(text))
		if err != nil || time.Unix(0, got).UTC().Format(time.RFC3339Nano) != want {
			t.Errorf("%s is %s, %v; want %s", text, time.Unix(0, got).UTC().Format(time.RFC3339Nano), err, want)
		}
	}
	for _, text := range []string{
		"", ".", "-5", "+5", "1e", "e9", ".e9", "1e99", "1e-99", "1.5.5", "soon", "0x10",
		"10000000000", "99999999999", "9999999999999", "99999999999999", "9999999999999999", "99999999999999999999",
		"123456789012345678901234", "1e5e5", "1 ", "9e18e",
	} {
		if got, err := Epoch([]byte(text)); err == nil {
			t.Errorf("%q is %d", text, got)
		}
	}
}

// TestEpochAgainstBig: decimals in all notations against arithmetic without rounding.
func TestEpochAgainstBig(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 20_000 {
		text := strconv.Itoa(r.IntN(1 << 32))
		if r.IntN(2) == 0 {
			text += "." + strconv.Itoa(r.IntN(1e9))
		}
		x, _ := new(big.Rat).SetString(text)
		x.Mul(x, big.NewRat(1e9, 1))
		want := new(big.Int).Quo(x.Num(), x.Denom()).Int64()
		if got, err := Epoch([]byte(text)); err != nil || got != want {
			t.Fatalf("%s is %d, %v; want %d", text, got, err, want)
		}
		shift := r.IntN(8)
		whole, fraction, _ := strings.Cut(text, ".")
		fraction += strings.Repeat("0", 9)
		moved := whole + fraction[:shift] + "." + fraction[shift:] + "e-" + strconv.Itoa(shift)
		if got, err := Epoch([]byte(moved)); err != nil || got != want {
			t.Fatalf("%s is %d, %v; want %d", moved, got, err, want)
		}
	}
}

func TestTimes(t *testing.T) {
	work := Times{Layouts: []string{"2/1/2006 15:04"}, WorkHours: true}
	for _, c := range []struct {
		t          Times
		text, want string
	}{
		{work, "3/7/2017 8:55", "2017-07-03T08:55:00Z"},
		{work, "3/7/2017 1:05", "2017-07-03T13:05:00Z"},
		{work, "3/7/2017 12:59", "2017-07-03T12:59:00Z"},
		{work, "3/7/2017 5:00", "2017-07-03T17:00:00Z"},
		{Times{Layouts: []string{"2/1/2006 15:04"}}, "3/7/2017 1:05", "2017-07-03T01:05:00Z"},
		{Times{Layouts: []string{"2006-01-02T15:04:05Z0700"}}, "2021-03-04T10:00:00.25+0200", "2021-03-04T08:00:00.25Z"},
		{Times{Layouts: []string{time.DateOnly, "unix"}}, "1519823410", "2018-02-28T13:10:10Z"},
		{Times{Layouts: []string{"unix", time.DateOnly}}, "2018-02-28", "2018-02-28T00:00:00Z"},
	} {
		got, err := c.t.Parse([]byte(c.text))
		if err != nil || time.Unix(0, got).UTC().Format(time.RFC3339Nano) != c.want {
			t.Errorf("%s is %s, %v; want %s", c.text, time.Unix(0, got).UTC().Format(time.RFC3339Nano), err, c.want)
		}
	}
}

func FuzzEpoch(f *testing.F) {
	for _, s := range []string{"1519823410.25", "2.385642e+09", "1519823410250123", ".", "1e-30"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if v, err := Epoch([]byte(s)); err == nil && v < 0 {
			t.Errorf("%q is %d", s, v)
		}
		for _, n := range []Notation{{}, {Decimal: ',', Thousands: '.', Units: true}, {Thousands: ' '}} {
			n.Number([]byte(s))
		}
	})
}
