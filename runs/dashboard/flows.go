package dashboard

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"plumbline/data"
	"plumbline/data/roles"
)

// Bits of a flow's flag.
const (
	marked  = 1 << iota // an alarm of the model, or without one a flow that is labelled an attack
	attack              // labelled so
	profile             // of the file that the flows are held against
)

// Flows is what a dashboard shows: columns in the order of time, of n entries each.
type Flows struct {
	Name string
	N    int
	Of   int // flows of the data, of which these are a sample; N where they are all
	Axis Axis
	Bin  []uint16 // of Axis, or nowhere; of a flow of the profile its place in the day
	At   []int64  // milliseconds since 1970, or the row
	Row  []int32  // of the table
	Dims []Dim
	Nums []Num
	// Score is the model's, with its scale and the threshold; nil without a model.
	Score      []uint16
	ScoreScale Scale
	Limit      float64 // NaN: none
	Model      string
	Flag       []uint8
	Mark       string   // what a marked flow is: alarm, attack, or "" where nothing tells
	Signs      []string // names of what Sign has bits of
	Sign       []uint8
	Labelled   bool
	Profile    *Profile // nil: there is no other file
	Lacks      []string // roles that no column has
	Seen       bool     // the model was trained on some of the flows; a category "part" says on which

	decode   sync.Once // fills the next two
	valueOut []float64 // of each code of the bytes out, and in
	valueIn  []float64
}

// Profile is the file that flows are held against.
type Profile struct {
	Name string `json:"name"`
	N    int    `json:"n"`
	Of   int    `json:"of"`   // benign flows of the file, of which N were taken
	Days int    `json:"days"` // that it covers; 0: the time of day is not compared
}

// Dim is a column of categories.
type Dim struct {
	Key    string
	Title  string
	Column string   // of the data
	Levels []string // most frequent first
	Code   []uint16
}

// Num is a column of numbers, coded.
type Num struct {
	Key, Title string
	Scale      Scale
	Code       []uint16
}

// maxLevels is the most levels of a category; flows of rarer ones are "(others)".
const maxLevels = 60_000

// maxText is the most characters of a level's text.
const maxText = 120

const others, noValue = "(others)", "–"

// Input is a table with what is known of its rows.
type Input struct {
	Table  *data.Table
	Hints  roles.Hints
	Scores []float64 // of rows, NaN of those that were not scored; nil: no model
	Limit  float64   // of the scores
	Model  string
	Place  *Countries // nil: no map
	Seen   bool       // the model was trained on rows of the table
	Tested []bool     // rows that tested it in its run; nil: which they are is not known
}

// New takes the flows of a table.
func New(in Input) *Flows {
	t, r := in.Table, roles.Find(in.Table, in.Hints)
	f := &Flows{Name: t.Name, N: t.Rows, Of: t.Rows, Limit: math.NaN(), Model: in.Model, Labelled: t.Attack != nil}
	f.order(t, r)
	f.categories(t, r, in.Place)
	if f.Seen = in.Seen; in.Tested != nil {
		f.Dims = append(f.Dims, f.category("part", "Part of the run", partColumn(in.Tested), nil))
	}
	f.numbers(r)
	f.signs(r)
	f.Flag = make([]uint8, f.N)
	if in.Scores != nil {
		f.ScoreScale = newScale(in.Scores)
		f.Score, f.Limit, f.Mark = f.ScoreScale.codes(ordered(in.Scores, f.Row)), in.Limit, "alarm"
	} else if f.Labelled {
		f.Mark = "attack"
	}
	for i, row := range f.Row {
		if f.Labelled && t.Attack[row] {
			f.Flag[i] = attack
		}
		if in.Scores != nil && in.Scores[row] > in.Limit || in.Scores == nil && f.Flag[i] != 0 {
			f.Flag[i] |= marked
		}
	}
	return f
}

// ordered is values of rows in the order of flows.
func ordered[T any](values []T, rows []int32) []T {
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = values[r]
	}
	return out
}

// order puts the rows in the order of time, those without one last.
func (f *Flows) order(t *data.Table, r *roles.Columns) {
	f.Row, f.At, f.Bin = make([]int32, f.N), make([]int64, f.N), make([]uint16, f.N)
	for i := range f.Row {
		f.Row[i] = int32(i)
	}
	var nanos []int64
	if r.Time != nil {
		nanos = r.Time.Nanos
	}
	f.Axis = newAxis(nanos, f.N)
	if f.Axis.Rows {
		for i := range f.At {
			f.At[i], f.Bin[i] = int64(i), uint16(f.Axis.bin(int64(i)))
		}
		f.Lacks = append(f.Lacks, "time")
		return
	}
	key := func(row int32) uint64 { return uint64(nanos[row]) ^ 1<<63 } // ascending, NoTime first
	slices.SortStableFunc(f.Row, func(a, b int32) int {
		return cmp.Compare(key(a)-1, key(b)-1) // NoTime wraps to the end
	})
	for i, row := range f.Row {
		f.Bin[i] = nowhere
		if v := nanos[row]; v != data.NoTime {
			f.At[i] = floorDiv(v, 1e6)
			f.Bin[i] = uint16(f.Axis.bin(f.At[i]))
		}
	}
}

// categories takes the columns that flows are told apart by.
func (f *Flows) categories(t *data.Table, r *roles.Columns, place *Countries) {
	service, title := r.Service, "Service"
	if service == nil {
		service, title = r.DestinationPort, "Destination port"
	}
	for _, d := range []struct {
		key, title string
		column     *data.Column
		write      func(string) string
	}{
		{"proto", "Protocol", r.Protocol, protocolName}, {"service", title, service, nil},
		{"state", "Connection status", r.State, nil}, {"src", "Source", r.Source, nil},
		{"dst", "Destination", r.Destination, nil},
	} {
		if d.column == nil {
			f.Lacks = append(f.Lacks, d.key)
			continue
		}
		f.Dims = append(f.Dims, f.category(d.key, d.title, d.column, d.write))
	}
	if f.Labelled {
		c := data.Column{Name: "label", Type: data.Category, Code: t.Class, Levels: t.Classes}
		f.Dims = append(f.Dims, f.category("class", "Label", &c, nil))
	}
	if place != nil && r.Source != nil {
		f.Dims = append(f.Dims, f.category("country", "Country", place.column(r.Source, r.Destination), nil))
	}
}

// protocolName gives the numbers of common protocols their names.
func protocolName(text string) string {
	switch text {
	case "1":
		return "icmp (1)"
	case "6":
		return "tcp (6)"
	case "17":
		return "udp (17)"
	case "58":
		return "icmp6 (58)"
	}
	return text
}

// category codes a column by how frequent its levels are.
func (f *Flows) category(key, title string, c *data.Column, write func(string) string) Dim {
	code, levels := c.Code, c.Levels
	if c.Type == data.Number {
		code, levels = levelsOf(c.Num)
	}
	count := make([]int, len(levels)+1)
	at := func(row int32) int {
		if k := code[row]; k != data.Missing && int(k) < len(levels) {
			return int(k)
		}
		return len(levels)
	}
	for _, row := range f.Row {
		count[at(row)]++
	}
	order := make([]int, 0, len(count))
	for k, n := range count {
		if n > 0 {
			order = append(order, k)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(count[b], count[a]) })
	d := Dim{Key: key, Title: title, Column: c.Name, Code: make([]uint16, f.N)}
	to := make([]uint16, len(count))
	used := map[string]uint16{}
	for _, k := range order {
		text := noValue
		if k < len(levels) {
			if text = clip(levels[k]); write != nil {
				text = write(text)
			}
		}
		if len(d.Levels) >= maxLevels {
			text = others
		}
		n, ok := used[text]
		if !ok {
			n = uint16(len(d.Levels))
			used[text] = n
			d.Levels = append(d.Levels, text)
		}
		to[k] = n
	}
	for i, row := range f.Row {
		d.Code[i] = to[at(row)]
	}
	return d
}

// clip is a text of at most maxText characters, in valid UTF-8; an empty one is that of a missing value.
func clip(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if s == "" {
		return noValue
	}
	if utf8.RuneCountInString(s) > maxText {
		return string([]rune(s)[:maxText]) + "…"
	}
	return s
}

// levelsOf is numbers as categories.
func levelsOf(values []float64) (code []uint32, levels []string) {
	code = make([]uint32, len(values))
	at := map[float64]uint32{}
	for i, v := range values {
		if math.IsNaN(v) {
			code[i] = data.Missing
			continue
		}
		k, ok := at[v]
		if !ok {
			k = uint32(len(levels))
			at[v] = k
			levels = append(levels, strconv.FormatFloat(v, 'g', -1, 64))
		}
		code[i] = k
	}
	return code, levels
}

// maxNums is the most columns of numbers.
const maxNums = 8

// numbers takes the amounts of a flow; of a table without any, its first numbers.
func (f *Flows) numbers(r *roles.Columns) {
	add := func(key, title string, values []float64) {
		s := newScale(values)
		f.Nums = append(f.Nums, Num{Key: key, Title: clip(title), Scale: s, Code: s.codes(ordered(values, f.Row))})
	}
	both := func(key string, out, in, all *data.Column) {
		switch {
		case out == nil && in == nil && all != nil:
			add(key+" out", key+" (both directions)", all.Num)
			return
		case out != nil:
			add(key+" out", key+" out", out.Num)
		}
		switch {
		case in != nil:
			add(key+" in", key+" in", in.Num)
		case out != nil && all != nil:
			rest := make([]float64, len(out.Num))
			for i := range rest {
				rest[i] = all.Num[i] - out.Num[i]
			}
			add(key+" in", key+" in", rest)
		}
	}
	both("bytes", r.BytesOut, r.BytesIn, r.Bytes)
	if f.num("bytes out") == nil {
		f.Lacks = append(f.Lacks, "bytes")
	}
	if r.Duration != nil {
		add("duration", "duration", r.Duration.Num)
	}
	both("packets", r.PacketsOut, r.PacketsIn, r.Packets)
	rest := slices.Concat(r.Hosts, r.Numbers)
	for i, c := range rest {
		if len(f.Nums) < maxNums && !slices.Contains(rest[:i], c) && !slices.Contains(r.Signs, c) {
			add(c.Name, c.Name, c.Num)
		}
	}
}

// num is the numbers of a key, nil where there are none.
func (f *Flows) num(key string) *Num {
	for i := range f.Nums {
		if f.Nums[i].Key == key {
			return &f.Nums[i]
		}
	}
	return nil
}

// dim is the place of the categories of a key, −1 where there are none.
func (f *Flows) dim(key string) int {
	return slices.IndexFunc(f.Dims, func(d Dim) bool { return d.Key == key })
}

// signs takes what is worth a look where it is there: at most eight columns that are above 0 in some flow.
func (f *Flows) signs(r *roles.Columns) {
	f.Sign = make([]uint8, f.N)
	for _, c := range r.Signs {
		some := slices.ContainsFunc(c.Num, func(v float64) bool { return v > 0 })
		if !some || len(f.Signs) == 8 {
			continue
		}
		bit := uint8(1) << len(f.Signs)
		f.Signs = append(f.Signs, clip(c.Name))
		for i, row := range f.Row {
			if c.Num[row] > 0 {
				f.Sign[i] |= bit
			}
		}
	}
	if f.Signs == nil {
		f.Lacks = append(f.Lacks, "signs")
	}
}

// Sample keeps n of the flows, the same for the same seed, each as likely as any other.
func (f *Flows) Sample(n int, seed uint64) {
	if n >= f.N {
		return
	}
	r := rand.New(rand.NewPCG(seed, 0))
	keep := make([]int32, 0, n)
	for i := range f.N {
		if r.IntN(f.N-i) < n-len(keep) {
			keep = append(keep, int32(i))
		}
	}
	f.keep(keep)
	if f.Profile != nil {
		p := *f.Profile
		p.N = 0
		for _, v := range f.Flag {
			p.N += int(v & profile / profile)
		}
		f.Profile = &p
	}
}

// keep keeps the flows of some places, in their order.
func (f *Flows) keep(keep []int32) {
	f.N = len(keep)
	f.Bin, f.At, f.Row = ordered(f.Bin, keep), ordered(f.At, keep), ordered(f.Row, keep)
	f.Flag, f.Sign = ordered(f.Flag, keep), ordered(f.Sign, keep)
	for i := range f.Dims {
		f.Dims[i].Code = ordered(f.Dims[i].Code, keep)
	}
	for i := range f.Nums {
		f.Nums[i].Code = ordered(f.Nums[i].Code, keep)
	}
	if f.Score != nil {
		f.Score = ordered(f.Score, keep)
	}
}
