package dashboard

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"plumbline/data"
)

// hostile are texts that do harm where they are taken for anything but text.
var hostile = []string{`</script><script>document.title="harm"</script>`, `"><img src=x onerror=document.title="harm">`,
	"\u202Egnp.exe", "'; DROP \\ \" & <b>", "\x1b[31mred", "=1+1", "tcp\nudp", "\xff\xfe", strings.Repeat("long ", 60)}

// flows is a table of n flows over some hours of several days, with every role, hostile texts and missing values.
func flows(n int, seed uint64) *data.Table {
	r := rand.New(rand.NewPCG(seed, 1))
	text := func(name string, t data.ColumnType, levels []string) data.Column {
		c := data.Column{Name: name, Type: t, Levels: levels}
		for range n {
			c.Code = append(c.Code, uint32(min(r.IntN(len(levels)), r.IntN(len(levels)))))
			if r.IntN(50) == 0 {
				c.Code[len(c.Code)-1] = data.Missing
			}
		}
		return c
	}
	number := func(name string, scale float64) data.Column {
		c := data.Column{Name: name, Type: data.Number}
		for range n {
			v := math.Floor(math.Exp(scale * r.Float64()))
			if r.IntN(40) == 0 {
				v = math.NaN()
			}
			c.Num = append(c.Num, v)
		}
		return c
	}
	when := data.Column{Name: "time", Type: data.Time}
	for range n {
		at := time.Date(2024, 3, 1+r.IntN(6), 0, 0, 0, 0, time.UTC).Add(time.Duration(6+12*r.Float64()*r.Float64()) *
			time.Hour).Add(time.Duration(r.IntN(3600)) * time.Second)
		v := at.UnixNano()
		if r.IntN(200) == 0 {
			v = data.NoTime
		}
		when.Nanos = append(when.Nanos, v)
	}
	var hosts []string
	for i := range 300 {
		hosts = append(hosts, fmt.Sprintf("10.0.%d.%d", i/100, i%100))
	}
	urgent := data.Column{Name: "urgent", Type: data.Number}
	fragment := data.Column{Name: "wrong_fragment", Type: data.Number}
	t := &data.Table{Name: hostile[0], Rows: n, Classes: append([]string{"benign"}, hostile...)}
	for range n {
		urgent.Num = append(urgent.Num, float64(r.IntN(20)/19))
		fragment.Num = append(fragment.Num, float64(r.IntN(9)/8))
		k := max(0, r.IntN(14)-4)
		t.Class = append(t.Class, uint32(min(k, len(hostile))))
		t.Attack = append(t.Attack, k > 0)
	}
	t.Columns = []data.Column{when, text("src", data.Address, append(hosts, hostile...)),
		text("dst", data.Address, append(slices.Clone(hostile), hosts...)),
		text("proto", data.Category, append([]string{"tcp", "6", "udp"}, hostile...)),
		text("service", data.Category, hostile),
		text("state", data.Category, append([]string{"SF", "S0"}, hostile...)), number("duration", 9),
		number("src_bytes", 16), number("dst_bytes", 14), urgent, fragment}
	return t
}

// scored is flows with scores.
func scored(n int, seed uint64) *Flows {
	t := flows(n, seed)
	r := rand.New(rand.NewPCG(seed, 2))
	scores := make([]float64, n)
	for i := range scores {
		if scores[i] = math.Exp(3 * r.NormFloat64()); r.IntN(60) == 0 {
			scores[i] = math.NaN()
		}
	}
	return New(Input{Table: t, Scores: scores, Limit: 20, Model: hostile[1]})
}

// queries are filters of every kind, alone and together.
var queries = []string{"", "time=1709370000000,1709460000000", "proto=tcp&proto=udp", "score=2,", "score=,30",
	"mark=yes", "src=10.0.0.0&src=10.0.0.1", "service=" + url.QueryEscape(clip(hostile[0])) + "&score=1,40",
	"state=SF&proto=" + url.QueryEscape("tcp (6)") + "&time=1709280000000,1709600000000&sign=wrong_fragment",
	"class=benign", "x=duration&y=bytes+in&sort=time&offset=50", "dst=nobody", "offset=100", "mark=no&sign=urgent"}

func view(t testing.TB, f *Flows, query string, workers int) *View {
	t.Helper()
	v, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	q, err := f.Parse(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := f.View(t.Context(), q, workers)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestViewByHand: each flow is asked about each filter in the plainest way.
func TestViewByHand(t *testing.T) {
	f := scored(4000, 1)
	for _, query := range queries {
		v := view(t, f, query, 1)
		values, _ := url.ParseQuery(query)
		q, _ := f.Parse(values)
		passes := func(i int, but string) bool {
			r := f.Record(i)
			if q.To > 0 && but != "time" && (r.At == nil || *r.At < f.Axis.edge(q.From) || *r.At >= f.Axis.edge(q.To)) {
				return false
			}
			for k, d := range f.Dims {
				if want, ok := q.Levels[d.Key]; ok && but != d.Key && !slices.Contains(want, r.Dims[k]) {
					return false
				}
			}
			c := f.Score[i]
			if but != "score" && (q.Low == q.Low && (c == none || c < f.ScoreScale.code(q.Low)) ||
				q.High == q.High && (c == none || c > f.ScoreScale.code(q.High))) {
				return false
			}
			if q.Mark != "" && (q.Mark == "yes") != (f.Flag[i]&marked != 0) {
				return false
			}
			k := slices.Index(f.Signs, q.Sign)
			return but == "sign" || k < 0 || f.Sign[i]>>k&1 == 1
		}
		var kept, hits, inTime int
		proto := map[string]int{}
		urgent := 0
		for i := range f.N {
			if passes(i, "") {
				kept++
				if f.Flag[i] == marked|attack {
					hits++
				}
			}
			if passes(i, "time") && f.Bin[i] != nowhere {
				inTime++
			}
			if passes(i, "proto") {
				proto[f.Record(i).Dims[0]]++
			}
			if passes(i, "sign") && f.Sign[i]>>slices.Index(f.Signs, "urgent")&1 == 1 {
				urgent++
			}
		}
		total := 0
		for _, n := range v.Time.N {
			total += n
		}
		if v.Kept != kept || v.Hits != hits || total != inTime || v.Signs[0].N != urgent {
			t.Errorf("%q: kept %d, hits %d, in time %d, urgent %d; by hand %d, %d, %d, %d", query, v.Kept, v.Hits, total,
				v.Signs[0].N, kept, hits, inTime, urgent)
		}
		for _, b := range v.Dims["proto"].Top {
			if b.N != proto[b.Name] {
				t.Errorf("%q: protocol %q has %d flows, by hand %d", query, b.Name, b.N, proto[b.Name])
			}
		}
		for i := 1; i < len(v.Flows.Rows) && q.Sort == "score"; i++ {
			if a, b := v.Flows.Rows[i-1], v.Flows.Rows[i]; a.Score < b.Score || !passes(b.I, "") {
				t.Errorf("%q: flow %d of the list", query, i)
			}
		}
	}
}

// TestWorkers: counts are the same whatever the number of workers.
func TestWorkers(t *testing.T) {
	f := scored(chunk+chunk/4, 2)
	f.Against(New(Input{Table: flows(2000, 3)}))
	for _, query := range queries[:7] {
		one, three := view(t, f, query, 1), view(t, f, query, 2)
		for _, v := range []*View{one, three} { // sums of fractions
			for i := range v.Time.Out {
				v.Time.Out[i], v.Time.In[i] = math.Round(v.Time.Out[i]/1e3), math.Round(v.Time.In[i]/1e3)
			}
			for i := range v.Numbers.R {
				v.Numbers.R[i] = math.Round(1e6 * v.Numbers.R[i])
			}
		}
		a, _ := json.Marshal(one)
		b, _ := json.Marshal(three)
		if string(a) != string(b) {
			t.Errorf("%q: the view depends on the number of workers", query)
		}
	}
}

// TestCorrelations: by the definition, on the coded values.
func TestCorrelations(t *testing.T) {
	f := scored(500, 4)
	v := view(t, f, "", 2)
	x, y := []float64{}, []float64{}
next:
	for i := range f.N {
		for k := range f.Nums {
			if f.Nums[k].Code[i] == none {
				continue next
			}
		}
		if f.Score[i] != none {
			x, y = append(x, float64(f.Nums[0].Code[i])), append(y, float64(f.Nums[2].Code[i]))
		}
	}
	mean := func(v []float64) (m float64) {
		for _, a := range v {
			m += a / float64(len(v))
		}
		return m
	}
	mx, my := mean(x), mean(y)
	var xy, xx, yy float64
	for i := range x {
		xy += (x[i] - mx) * (y[i] - my)
		xx += (x[i] - mx) * (x[i] - mx)
		yy += (y[i] - my) * (y[i] - my)
	}
	k := len(v.Numbers.Keys)
	if got, want := v.Numbers.R[2*k], xy/math.Sqrt(xx*yy); math.Abs(got-want) > 1e-9 || v.Numbers.N != len(x) {
		t.Errorf("%v of %d, want %v of %d", got, v.Numbers.N, want, len(x))
	}
}

// TestHosts: distinct peers and services of the most active source, by hand.
func TestHosts(t *testing.T) {
	f := scored(3000, 5)
	v := view(t, f, "proto=tcp", 1)
	h := v.From[0]
	peers, services, n, bytes := map[string]bool{}, map[string]bool{}, 0, 0.0
	for i := range f.N {
		r := f.Record(i)
		if r.Dims[f.dim("src")] != h.Name || r.Dims[f.dim("proto")] != "tcp" {
			continue
		}
		n++
		peers[r.Dims[f.dim("dst")]], services[r.Dims[f.dim("service")]] = true, true
		if b := float64(r.Nums[0]); !math.IsNaN(b) {
			bytes += b
		}
	}
	if h.N != n || h.Peers != len(peers) || h.Services != len(services) || math.Abs(h.Out-bytes) > 1e-6*bytes {
		t.Errorf("%+v; by hand %d flows, %d peers, %d services, %v bytes", h, n, len(peers), len(services), bytes)
	}
}

// TestParseRefuses: what is no view of the flows is refused with what was wrong.
func TestParseRefuses(t *testing.T) {
	f := scored(50, 6)
	for _, query := range []string{"time=5", "time=9,3", "time=a,b", "score=1", "score=x,2", "mark=maybe", "sign=none",
		"x=q", "sort=up", "offset=-1", "offset=x", "colour=red", strings.Repeat("proto=a&", 101)} {
		v, _ := url.ParseQuery(query)
		if _, err := f.Parse(v); err == nil {
			t.Errorf("%.30s is taken", query)
		}
	}
}
