package derive

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"plumbline/data"
)

var nan = math.NaN()

func at(text string) int64 {
	if text == "" {
		return data.NoTime
	}
	t, err := time.Parse(time.DateTime, text)
	if err != nil {
		panic(err)
	}
	return t.UnixNano()
}

// flows is a table with a column of every kind, and errors of every kind.
func flows() *data.Table {
	return &data.Table{
		Name: "flows", Rows: 4,
		Columns: []data.Column{
			{Name: "src_bytes", Type: data.Number, Num: []float64{10, 20, nan, 40}},
			{Name: "src_pkts", Type: data.Number, Num: []float64{1, 0, 3, 4}},
			{Name: "Flow Duration", Type: data.Number, Num: []float64{2, -1.5, 0, 8}},
			{Name: "id.orig_p", Type: data.Number, Num: []float64{80, 443, 0, 1}},
			{Name: "dport", Type: data.Number, Num: []float64{80, 70000, -2, 0.5}},
			{Name: "su_attempted", Type: data.Number, Num: []float64{0, 1, 2, nan}},
			{Name: "proto", Type: data.Category, Code: []uint32{0, 1, data.Missing, 0}, Levels: []string{"tcp", "udp"}},
			{Name: "start", Type: data.Time, Nanos: []int64{
				at("2024-03-04 06:00:00"), at("2024-03-10 18:30:00"), at(""), at("2024-03-31 23:59:59"),
			}},
			{Name: "end", Type: data.Time, Nanos: []int64{
				at("2024-03-04 06:00:02"), at("2024-03-10 18:29:00"), at("2024-03-10 18:29:00"), at("2024-03-31 23:59:59"),
			}},
		},
		Origins: []data.Origin{{Name: "f.csv", Rows: 4}}, Lines: []int32{2, 3, 4, 5},
	}
}

func text(c *data.Column) string {
	var out []string
	for i := range c.Len() {
		out = append(out, string(c.AppendText(nil, int32(i))))
	}
	return strings.Join(out, " ")
}

// TestExpr: values by hand.
func TestExpr(t *testing.T) {
	for _, c := range []struct{ expr, want string }{
		{"src_bytes / (src_pkts + 1)", "5 20 - 8"},
		{"src_bytes / src_pkts", "10 - - 10"},
		{"src_bytes * 2 - 1", "19 39 - 79"},
		{`col("Flow Duration") ** 2`, "4 2.25 0 64"},
		{"id.orig_p + 0", "80 443 0 1"},
		{`col("id.orig_p") > 79`, "1 1 0 0"},
		{"log1p(src_pkts) == log(src_pkts + 1) ? 1 : 0", "1 1 1 1"},
		{"max(src_pkts, 2)", "2 2 3 4"},
		{"end - start", "2 -60 - 0"},
		{"missing(src_bytes) or missing(proto)", "0 0 1 0"},
		{`proto == "tcp" ? src_bytes : -1`, "10 -1 -1 40"},
		{`upper(proto) + "/" + (src_pkts > 2 ? "many" : "few")`, "TCP/few UDP/few /many TCP/many"},
		{"1", "1 1 1 1"},
	} {
		tb := flows()
		s := Spec{Name: "new", Expr: c.expr}
		if err := s.Check(types(tb), false); err != nil {
			t.Errorf("%s: %v", c.expr, err)
			continue
		}
		if err := s.Add(tb, 3); err != nil {
			t.Errorf("%s: %v", c.expr, err)
			continue
		}
		if got := text(&tb.Columns[len(tb.Columns)-1]); got != c.want {
			t.Errorf("%s: %s, want %s", c.expr, got, c.want)
		}
	}
}

func TestExprFaults(t *testing.T) {
	known := types(flows())
	for _, c := range []struct{ expr, want string }{
		{"src_bytes +", "unexpected token EOF"},
		{"src_bites + 1", "src_bites"},
		{`col("Flow Durations")`, `no column "Flow Durations"`},
		{`proto + 1`, "mismatched types string and"},
		{"[src_bytes]", "want a number, a text, or true or false"},
		{"filter(1..3, # > 1)", "filter"},
		{"sqrt(proto)", "cannot use string"},
		{"log(1, 2)", "too many arguments"},
		{strings.Repeat("1+", 2000) + "1", "nodes"},
	} {
		if err := (Spec{Name: "x", Expr: c.expr}).Check(known, false); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.expr, err, c.want)
		}
	}
	for _, c := range []struct {
		s    Spec
		want string
	}{
		{Spec{Expr: "1"}, "needs a name"},
		{Spec{Name: "proto", Expr: "1"}, `a column "proto" already`},
		{Spec{Name: "x", Expr: "1", Parts: []string{"hour"}}, "want one of"},
		{Spec{}, "want one of"},
		{Spec{Name: "x", Rolling: Rolling{Key: []string{"a"}, Seconds: 1, Count: true}}, "no name"},
	} {
		if err := c.s.Check(known, false); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.s, err, c.want)
		}
	}
	// where files name their columns, a name that is not known yet is looked up when rows are read
	s := Spec{Name: "x", Expr: "later + a.b"}
	if err := s.Check(nil, true); err != nil {
		t.Error(err)
	}
	if err := s.Add(flows(), 1); err == nil {
		t.Error("a column that is not there was added up")
	}
}

func TestParts(t *testing.T) {
	tb := flows()
	if err := (Spec{Parts: []string{"hour", "weekday", "day", "second"}}).Add(tb, 1); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"start_hour": "6 18.5 - 23.999722222222225", "start_weekday": "0 6 - 6", "start_day": "4 10 - 31",
		"start_second": "21600 66600 - 86399",
	} {
		c, err := tb.Column(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := text(c); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if err := (Spec{Parts: []string{"hour"}, Of: "end", Cyclic: true}).Add(tb, 1); err != nil {
		t.Fatal(err)
	}
	sin, err := tb.Column("end_hour_sin")
	if err != nil {
		t.Fatal(err)
	}
	cos, err := tb.Column("end_hour_cos")
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(sin.Num[0]-1) > 1e-6 || math.Abs(cos.Num[3]-1) > 1e-6 { // six in the morning, a second before midnight
		t.Errorf("sin %v, cos %v", sin.Num, cos.Num)
	}
	if err := (Spec{Parts: []string{"hour"}}).Add(tb, 1); err == nil {
		t.Error("a column was added twice")
	}
}

func TestRepair(t *testing.T) {
	for _, c := range []struct {
		r      Repair
		rows   int
		column string
		want   string
	}{
		{Repair{Error: "negative", Columns: []string{"Flow Duration"}}, 1, "Flow Duration", "2 - 0 8"},
		{Repair{Error: "port", Columns: []string{"dport", "id.orig_p"}}, 3, "dport", "80 - - -"},
		{Repair{Error: "not_binary", Columns: []string{"su_attempted"}}, 1, "su_attempted", "0 1 - -"},
		{Repair{Error: "bytes_without_packets", Columns: []string{"src_bytes", "src_pkts"}}, 1, "src_pkts", "1 - 3 4"},
		{Repair{Error: "end_before_start", Columns: []string{"start", "end"}}, 1, "end",
			"2024-03-04T06:00:02Z - 2024-03-10T18:29:00Z 2024-03-31T23:59:59Z"},
		{Repair{Where: `proto == "tcp" and src_bytes > 10`, Columns: []string{"proto"}}, 1, "proto", "tcp udp - -"},
	} {
		tb := flows()
		if err := c.r.Check(types(tb), false); err != nil {
			t.Fatal(err)
		}
		n, err := c.r.Apply(tb, 2)
		if err != nil {
			t.Fatal(err)
		}
		col, err := tb.Column(c.column)
		if err != nil {
			t.Fatal(err)
		}
		if got := text(col); n != c.rows || got != c.want {
			t.Errorf("%s: %d rows, %s; want %d, %s", c.r, n, got, c.rows, c.want)
		}
	}
	for _, c := range []struct {
		r    Repair
		want string
	}{
		{Repair{Columns: []string{"dport"}}, "want one of error and where"},
		{Repair{Error: "negative"}, "names no column"},
		{Repair{Error: "negative", Columns: []string{"dur"}}, `no column "dur"`},
		{Repair{Error: "end_before_start", Columns: []string{"start"}}, "of two columns"},
		{Repair{Where: "src_bytes + 1", Columns: []string{"start"}}, "is no condition"},
	} {
		if err := c.r.Check(types(flows()), false); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.r, err, c.want)
		}
	}
	if _, err := (Repair{Error: "port", Columns: []string{"proto"}}).Apply(flows(), 1); err == nil {
		t.Error("ports that are texts were looked at")
	}
}

// TestFind finds each of the errors by the names of the columns.
func TestFind(t *testing.T) {
	tb := flows()
	tb.Columns = append(tb.Columns,
		data.Column{Name: "Init_Win_bytes_forward", Type: data.Number, Num: []float64{-1, 5, -1, 8}},
		data.Column{Name: "same_port_rate", Type: data.Number, Num: []float64{0.5, 0, 0, 0}},
	)
	var got []string
	for _, w := range Find(tb) {
		got = append(got, fmt.Sprint(w.Repair, " ", w.Rows, " ", w.First))
	}
	want := "bytes without packets src_bytes, src_pkts 1 1; negative Flow Duration 1 1; port dport 3 1; " +
		"not binary su_attempted 1 2; end before start start, end 1 1"
	if s := strings.Join(got, "; "); s != want {
		t.Errorf("%s, want %s", s, want)
	}
}

func FuzzExpr(f *testing.F) {
	for _, s := range []string{
		"src_bytes / (src_pkts + 1)", `col("Flow Duration") ** 2`, "id.orig_p + 0", "end - start", "missing(proto)", "1..3",
		`proto matches "t.p"`, "-(-1) % 2", "src_pkts in [1, 2]", "let x = 1; x + 1", `proto ?? "a"`, "1; 2",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, others := range []bool{false, true} {
			s := Spec{Name: "new", Expr: text}
			if len(text) > 1000 || s.Check(types(flows()), others) != nil {
				continue
			}
			tb := flows()
			if err := s.Add(tb, 1); err != nil {
				continue
			}
			for _, v := range tb.Columns[len(tb.Columns)-1].Num {
				if math.IsInf(v, 0) {
					t.Errorf("%q is infinite", text)
				}
			}
		}
	})
}
