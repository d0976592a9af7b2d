package profile_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/data"
	"plumbline/data/profile"
)

// flows is n rows whose sizes are about a mean, and of which a share are of a service.
func flows(n int, mean, share float64, seed uint64) *data.Table {
	r := rand.New(rand.NewPCG(seed, 7))
	size := data.Column{Name: "size", Type: data.Number}
	service := data.Column{Name: "service", Type: data.Category, Levels: []string{"http", "dns", "ssh"}}
	src := data.Column{Name: "src", Type: data.Address, Levels: []string{"10.0.0.1"}, Code: make([]uint32, n)}
	for i := range n {
		v := mean + r.NormFloat64()
		if i%10 == 0 {
			v = math.NaN()
		}
		size.Num = append(size.Num, v)
		code := uint32(1)
		if r.Float64() < share {
			code = 0
		}
		service.Code = append(service.Code, code)
	}
	return &data.Table{Name: "flows", Rows: n, Columns: []data.Column{size, service, src},
		Origins: []data.Origin{{Name: "flows", Rows: n}}}
}

func all(t *data.Table) (rows []int32) {
	for i := range t.Rows {
		rows = append(rows, int32(i))
	}
	return rows
}

// TestDrift: rows of the same kind have not moved, however few; those of another have, in the column that is another;
// and blocks of any size give the same.
func TestDrift(t *testing.T) {
	before := flows(5000, 3, 0.8, 1)
	p := profile.Of(before, all(before), []string{"size", "service", "src", "nothing"})
	if len(p.Columns) != 2 || p.Rows != 5000 || p.Column("service").Usual != "http" || p.Column("src") != nil {
		t.Fatalf("%+v", p)
	}
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var again profile.Profile
	if err := json.Unmarshal(raw, &again); err != nil || !cmp.Equal(*p, again) {
		t.Errorf("saved and read: %v %s", err, cmp.Diff(*p, again))
	}
	moved := func(now *data.Table) (names []string) {
		c := again.Counter()
		c.Add(now, 1)
		ds := c.Drift()
		halves := again.Counter()
		rows := all(now)
		halves.Add(now.Only(rows[:now.Rows/3]), 1)
		halves.Add(now.Only(rows[now.Rows/3:]), 1)
		if !cmp.Equal(ds, halves.Drift()) {
			t.Errorf("in blocks: %s", cmp.Diff(ds, halves.Drift()))
		}
		for _, d := range ds {
			if d.Moved {
				names = append(names, d.Column)
			}
			if d.Column == "size" && (math.Abs(d.Missing-0.1) > 0.01 || math.Abs(d.MissingNow-0.1) > 0.06) {
				t.Errorf("missing %v, then %v", d.Missing, d.MissingNow)
			}
		}
		return names
	}
	for _, n := range []int{20, 200, 5000} {
		for seed := range uint64(10) {
			if got := moved(flows(n, 3, 0.8, 100+seed)); got != nil {
				t.Errorf("%d rows of the same kind: %v moved", n, got)
			}
		}
	}
	every := again.Counter()
	every.Add(flows(5000, 3, 0.8, 9), 7)
	for _, d := range every.Drift() {
		if d.PSI > 0.1 || d.Moved {
			t.Errorf("every seventh row: %+v", d)
		}
	}
	if got := moved(flows(1000, 5, 0.8, 2)); !slices.Equal(got, []string{"size"}) {
		t.Errorf("larger sizes: %v moved", got)
	}
	if got := moved(flows(1000, 3, 0.1, 2)); !slices.Equal(got, []string{"service"}) {
		t.Errorf("other services: %v moved", got)
	}
	c := again.Counter()
	c.Add(&data.Table{Rows: 3, Columns: []data.Column{{Name: "size", Type: data.Category, Code: make([]uint32, 3),
		Levels: []string{"x"}}}}, 1)
	if got := c.Drift(); got != nil {
		t.Errorf("a column of another type: %v", got)
	}
}

// FuzzProfile: what is read as a profile can be counted by.
func FuzzProfile(f *testing.F) {
	before := flows(50, 3, 0.8, 1)
	raw, _ := json.Marshal(profile.Of(before, all(before), []string{"size", "service"}))
	f.Add(raw)
	f.Add([]byte(`{"columns":[{"name":"size","type":"number","counts":[1,2]}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var p profile.Profile
		if json.Unmarshal(raw, &p) != nil {
			return
		}
		c := p.Counter()
		c.Add(before, 1)
		for _, d := range c.Drift() {
			if math.IsNaN(d.PSI) {
				t.Errorf("%+v", d)
			}
		}
	})
}
