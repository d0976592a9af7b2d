package recurrent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/nn"
)

// counting is traces whose events are the row numbers (i, −i), from 1.
func counting(lengths ...int) *data.Set {
	s := &data.Set{Kind: data.Traces, N: len(lengths), D: 2, Features: data.Quantities("up", "down"),
		Alphabet: []string{"a", "b", "c"}}
	for _, n := range lengths {
		var t data.Trace
		for i := range n {
			t.Events = append(t.Events, float32(i+1), -float32(i+1))
			t.Symbols = append(t.Symbols, int32(i%3))
		}
		s.Traces = append(s.Traces, t)
	}
	return s
}

func TestWindows(t *testing.T) {
	s := counting(2, 0, 3)
	list, first := windows(s, false, false)
	if want := []window{{0, 1}, {0, 2}, {2, 1}, {2, 2}, {2, 3}}; !slices.Equal(list, want) ||
		!slices.Equal(first, []int32{0, 2, 2, 5}) {
		t.Errorf("windows %v, beginning at %v", list, first)
	}
	list, first = windows(s, true, true)
	if want := []window{{0, 2}, {2, 3}}; !slices.Equal(list, want) || !slices.Equal(first, []int32{0, 1, 1, 2}) {
		t.Errorf("last windows %v, beginning at %v", list, first)
	}
	rows := make([]float32, 6)
	for _, c := range []struct {
		end, back int
		want      []float32
	}{
		{3, 0, []float32{1, -1, 2, -2, 3, -3}},
		{2, 0, []float32{0, 0, 1, -1, 2, -2}},
		{2, 1, []float32{0, 0, 0, 0, 1, -1}},
		{1, 1, []float32{0, 0, 0, 0, 0, 0}},
		{1, 5, []float32{0, 0, 0, 0, 0, 0}},
	} {
		rowsBefore(rows, s, window{2, int32(c.end)}, c.back, 3)
		if !slices.Equal(rows, c.want) {
			t.Errorf("3 rows that end %d before %d: %v, want %v", c.back, c.end, rows, c.want)
		}
	}
	s.Traces[2].Symbols[1] = data.UnknownSymbol
	got := make([]float32, 4)
	if symbolsBefore(got, s, window{2, 3}, 1, 4, 3); !slices.Equal(got, []float32{4, 4, 0, 3}) {
		t.Errorf("symbols %v, want 4 (before the trace) twice, 0, and 3 (unknown)", got)
	}
}

// TestPredictionsMeetTheirEvents: what a step is trained to predict is what scoring takes its output for.
func TestPredictionsMeetTheirEvents(t *testing.T) {
	s := counting(9)
	p := forecastTask{PredSpec{WindowSpec: WindowSpec{Window: 3}, Ahead: 2}}
	x, y := make([]float32, 6), make([]float32, 3*2*2)
	p.example(s, window{0, 9}, x, y)
	if want := []float32{5, -5, 6, -6, 7, -7}; !slices.Equal(x, want) {
		t.Errorf("input %v, want %v", x, want)
	}
	if want := []float32{6, -6, 7, -7, 7, -7, 8, -8, 8, -8, 9, -9}; !slices.Equal(y, want) {
		t.Errorf("target %v, want %v", y, want)
	}
	p.input(s, window{0, 8}, x)
	if want := []float32{5, -5, 6, -6, 7, -7}; !slices.Equal(x, want) {
		t.Errorf("input in scoring %v, want %v", x, want)
	}
	// had the network learnt its targets, event 8 would be predicted by steps 2 (1 ahead) and 1 (2 ahead)
	out := slices.Clone(y)
	e := make([]float32, 4)
	if p.errors(s, window{0, 8}, out, e); !slices.Equal(e, make([]float32, 4)) {
		t.Errorf("errors of perfect predictions: %v", e)
	}
	out[2*4]++    // step 2, 1 ahead, first column
	out[4+2] -= 2 // step 1, 2 ahead, first column
	if p.errors(s, window{0, 8}, out, e); !slices.Equal(e, []float32{-1, 0, 2, 0}) {
		t.Errorf("errors %v", e)
	}
	if got := p.score(s, window{0, 8}, out); got != 1.25 {
		t.Errorf("mean squared error %v, want (1+4)/4", got)
	}
}

func TestRebuiltEventsThatCount(t *testing.T) {
	s := counting(2)
	out := []float32{9, 9, 1, -1, 2, -4} // the first step is in front of the trace
	r := reconstructTask{window: 3, rows: "all"}
	if got := r.score(s, window{0, 2}, out); got != 1 {
		t.Errorf("score %v, want 4/4", got)
	}
	r.rows = "last"
	if got := r.score(s, window{0, 2}, out); got != 2 {
		t.Errorf("score of the last event %v, want 4/2", got)
	}
	e := make([]float32, 2)
	if r.errors(s, window{0, 2}, out, e); !slices.Equal(e, []float32{0, 2}) {
		t.Errorf("errors %v", e)
	}
}

func TestSurprisal(t *testing.T) {
	if got, want := surprisal(3, 1, float32(math.Log(4))), 0.5*(1+math.Log(4)); math.Abs(got-want) > 1e-6 {
		t.Errorf("−ln density %v, want %v", got, want)
	}
	if got, want := surprisal(1, 1, -50), 0.5*math.Log(0.01); math.Abs(got-want) > 1e-12 {
		t.Errorf("at the floor %v, want %v", got, want)
	}
	out := []float32{0, float32(math.Log(3)), 0}
	if got, want := symbolSurprisal(out, 1), -math.Log(0.6); math.Abs(got-want) > 1e-6 {
		t.Errorf("−ln p %v, want %v", got, want)
	}
	if got := symbolSurprisal([]float32{0, 1000}, 0); got != maxSurprisal {
		t.Errorf("of a symbol that cannot be: %v", got)
	}
	if got := symbolSurprisal(out, data.UnknownSymbol); got != maxSurprisal {
		t.Errorf("of an unknown symbol: %v", got)
	}
}

// build makes a detector of a spec.
func buildSequential(t *testing.T, s models.Spec) models.Detector {
	t.Helper()
	d, err := s.New(models.Env{Seed: 1, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// ordered is traces that repeat a b c, or with shuffle the same symbols in any order, with values of their own.
func ordered(n int, shuffle bool, seed uint64) *data.Set {
	r := rand.New(rand.NewPCG(seed, 0))
	s := &data.Set{Kind: data.Traces, N: n, D: 2, Features: data.Quantities("x", "y"),
		Alphabet: []string{"a", "b", "c"}}
	for range n {
		var t data.Trace
		begin := r.IntN(3)
		for i := range 12 {
			t.Symbols = append(t.Symbols, int32((begin+i)%3))
		}
		if shuffle {
			r.Shuffle(12, func(i, j int) { t.Symbols[i], t.Symbols[j] = t.Symbols[j], t.Symbols[i] })
		}
		for _, a := range t.Symbols {
			t.Events = append(t.Events, float32(a)-1+float32(0.1*r.NormFloat64()),
				float32(a%2)+float32(0.1*r.NormFloat64()))
		}
		s.Traces = append(s.Traces, t)
	}
	return s
}

// above is the share of pairs of which the attack has the higher score.
func above(t *testing.T, d models.Detector, benign, attack *data.Set) float64 {
	t.Helper()
	ctx := context.Background()
	b, err := d.Score(ctx, benign)
	if err != nil {
		t.Fatal(err)
	}
	a, err := d.Score(ctx, attack)
	if err != nil {
		t.Fatal(err)
	}
	n := 0.0
	for _, v := range b {
		for _, w := range a {
			if w > v {
				n++
			} else if w == v {
				n += 0.5
			}
		}
	}
	return n / float64(len(a)*len(b))
}

// TestOrderNeedsMemory: events in a wrong order are found by networks that see several, and by none that
// sees one.
func TestOrderNeedsMemory(t *testing.T) {
	train, benign, attack := ordered(200, false, 1), ordered(60, false, 2), ordered(60, true, 3)
	for name, spec := range map[string]func(window int) models.Spec{
		"lstm_pred": func(w int) models.Spec {
			s := defaultPred()
			s.Window, s.Epochs, s.Units, s.Score = w, 8, []int{16}, "mean"
			return s
		},
		"lstm_density": func(w int) models.Spec {
			s := defaultDensity()
			s.Window, s.Epochs, s.Units = w, 8, []int{16}
			return s
		},
		"deeplog": func(w int) models.Spec {
			s := defaultDeepLog()
			s.Window, s.Epochs, s.Units = w, 8, []int{16}
			return s
		},
		"token_lm": func(w int) models.Spec {
			s := defaultTokenLM()
			s.Window, s.Epochs, s.Units = w, 8, []int{16}
			return s
		},
		"lstm_ae": func(w int) models.Spec {
			s := defaultEncDec()
			s.Window, s.Epochs, s.Units, s.Optimiser.Rate, s.Score = w, 60, 8, 0.01, "mean"
			return s
		},
	} {
		d := buildSequential(t, spec(5))
		if err := d.Fit(context.Background(), train); err != nil {
			t.Fatal(err)
		}
		if got := above(t, d, benign, attack); got < 0.95 {
			t.Errorf("%s: wrong order stands above right order in %.2f of the pairs", name, got)
		}
		if name != "lstm_ae" {
			continue // a predictor that sees one event before still sees an order
		}
		d = buildSequential(t, spec(1))
		if err := d.Fit(context.Background(), train); err != nil {
			t.Fatal(err)
		}
		if got := above(t, d, benign, attack); got < 0.3 || got > 0.7 {
			t.Errorf("%s with a window of 1: wrong order stands above right order in %.2f of the pairs: it should "+
				"not know", name, got)
		}
	}
}

// TestTermsMakeTheScore: reasons add up to what they explain.
func TestTermsMakeTheScore(t *testing.T) {
	train := ordered(60, false, 1)
	test := ordered(20, true, 2)
	test.Traces[3] = data.Trace{}
	test.Traces[4].Symbols, test.Traces[4].Events = test.Traces[4].Symbols[:2], test.Traces[4].Events[:4]
	pred, ae, density, lm := defaultPred(), defaultEncDec(), defaultDensity(), defaultTokenLM()
	pred.Epochs, ae.Epochs, density.Epochs, lm.Epochs = 1, 1, 1, 1
	pred.Score, ae.Score, pred.Ahead = "mean", "mean", 3
	for _, pool := range []string{"mean", "max", "last"} {
		pred.Pool, ae.Pool, density.Pool, lm.Pool = pool, pool, pool, pool
		for _, c := range []struct {
			spec  models.Spec
			share func(trace int) float64 // of the sum of the terms that is the score
		}{
			{pred, func(int) float64 { return 0.5 }},
			{ae, func(int) float64 { return 0.5 }},
			{density, func(int) float64 { return 1 }},
			{lm, nil},
		} {
			d := buildSequential(t, c.spec)
			if err := d.Fit(context.Background(), train); err != nil {
				t.Fatal(err)
			}
			scores, err := d.Score(context.Background(), test)
			if err != nil {
				t.Fatal(err)
			}
			_, terms, err := d.(models.Explainer).Explain(context.Background(), test)
			if err != nil {
				t.Fatal(err)
			}
			for i, row := range terms {
				sum := 0.0
				for _, v := range row {
					sum += v
				}
				var want float64
				switch {
				case c.share != nil:
					want = c.share(i) * sum
				case pool == "mean":
					continue // windows of different lengths
				default:
					n := 0
					for _, v := range row {
						if v > 0 {
							n++
						}
					}
					want = sum / float64(max(1, n))
				}
				if math.Abs(scores[i]-want) > 1e-5*(1+math.Abs(want)) {
					t.Errorf("%T, pool %s, trace %d: score %v, terms make %v", c.spec, pool, i, scores[i], want)
				}
			}
		}
	}
}

func TestDeepLogRanks(t *testing.T) {
	s := defaultDeepLog()
	s.Epochs, s.Units, s.Score, s.Pool, s.Optimiser.Rate = 30, []int{16}, "rank", "last", 0.01
	d := buildSequential(t, s)
	if err := d.Fit(context.Background(), ordered(200, false, 1)); err != nil {
		t.Fatal(err)
	}
	test := ordered(3, false, 5)
	test.Traces[1].Symbols[11] = data.UnknownSymbol
	last := &test.Traces[2].Symbols[11]
	*last = (*last + 1) % 3
	got, err := d.Score(context.Background(), test)
	if err != nil {
		t.Fatal(err)
	}
	if got[0] != 1 || got[1] != 4 || got[2] < 2 {
		t.Errorf("ranks %v, want 1, 4 (unknown) and 2 or 3", got)
	}
}

func TestSequentialRefusals(t *testing.T) {
	for what, c := range map[string]struct {
		spec models.Spec
		says string
	}{
		"ahead beyond the window": {&PredSpec{WindowSpec: WindowSpec{Window: 2}, Pooling: Pooling{"mean"},
			Units: []int{4}, Ahead: 3, ResidualSpec: defaultResidualSpec(), Training: nn.DefaultTraining(1, 1)},
			"ahead"},
		"noise on symbols": {func() models.Spec { s := defaultDeepLog(); s.Noise = 0.1; return s }(), "symbols"},
		"two clips": {func() models.Spec { s := defaultTokenLM(); s.Optimiser.Clip = 1; return s }(),
			"clip"},
		"a judge of traces": {func() models.Spec {
			s := defaultPred()
			s.Errors = models.ReferenceTo("lstm_ae")
			return s
		}(), "errors"},
	} {
		if _, err := c.spec.New(models.Env{}); !errors.Is(err, models.ErrSpec) ||
			!strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v", what, err)
		}
	}
	bare := ordered(4, false, 1)
	bare.D, bare.Features = 0, nil
	for i := range bare.Traces {
		bare.Traces[i].Events = nil
	}
	spec := defaultPred()
	spec.Score = "mean"
	if err := buildSequential(t, spec).Fit(context.Background(), bare); !errors.Is(err, models.ErrInput) ||
		!strings.Contains(err.Error(), "events: true") {
		t.Errorf("traces of symbols alone: error %v", err)
	}
}

// flowFeatures are a number, a category of two columns, one of a single column and a number.
var flowFeatures = []data.Feature{
	{Name: "bytes", Source: "bytes"},
	{Name: "proto=tcp", Source: "proto", Kind: data.Level, Level: "tcp"},
	{Name: "proto=udp", Source: "proto", Kind: data.Level, Level: "udp"},
	{Name: "state=S0", Source: "state", Kind: data.Level, Level: "S0"},
	{Name: "packets", Source: "packets"},
}

// TestDensityReadsNoNames: numbers whose names look like those of one-hot columns are numbers. An event 50 standard
// deviations off stands out under any names.
func TestDensityReadsNoNames(t *testing.T) {
	spec := defaultDensity()
	spec.Window, spec.Epochs, spec.Units = 3, 4, []int{8}
	train, far := ordered(60, false, 1), ordered(20, false, 2)
	near := ordered(20, false, 2)
	for i := range far.Traces {
		for k := range far.Traces[i].Events {
			far.Traces[i].Events[k] += 50 // more than 50 standard deviations of either column
		}
	}
	scores := func(s *data.Set, names ...string) (out []float64) {
		d := buildSequential(t, spec)
		for _, set := range []*data.Set{train, s} {
			set.Features = data.Quantities(names...)
		}
		if err := d.Fit(context.Background(), train); err != nil {
			t.Fatal(err)
		}
		out, err := d.Score(context.Background(), s)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	want := scores(far, "in", "out")
	if got := scores(far, "rate=in", "rate=out"); !slices.Equal(got, want) {
		t.Errorf("under other names %v, want %v", got, want)
	}
	for i, v := range scores(near, "rate=in", "rate=out") {
		if !(want[i] > 100*math.Abs(v)) {
			t.Errorf("trace %d scores %v, and %v shifted by 50 standard deviations", i, v, want[i])
		}
	}
}

// TestDensityCategories: a number, a category of two columns, one of a single column and a number; the head has means
// and
// variances of two numbers, then three and two classes. The terms are worked out by hand.
func TestDensityCategories(t *testing.T) {
	set := &data.Set{Kind: data.Traces, N: 1, D: 5, Features: flowFeatures,
		Traces: []data.Trace{{Events: []float32{
			3, -0.5, 2, 0.7, 1,
			2, -0.5, -0.5, 0, 4,
		}}}}
	spec := *defaultDensity()
	spec.Window = 1
	task := densityTask{DensitySpec: spec}.learn(set).(densityTask)
	net := task.network(5)
	if fmt.Sprint(net.Classes) != "[3 2]" || net.Out != 4+3+2 || net.Targets() != 4 {
		t.Fatalf("classes %v, a head of %d, targets of %d", net.Classes, net.Out, net.Targets())
	}
	x, y := make([]float32, 5), make([]float32, 4)
	task.example(set, window{0, 1}, x, y)
	if fmt.Sprint(y) != "[3 1 1 0]" {
		t.Errorf("target of the first event: %v", y)
	}
	task.example(set, window{0, 2}, x, y)
	if fmt.Sprint(y) != "[2 4 2 1]" {
		t.Errorf("target of the second event: %v", y)
	}
	out := []float32{1, 2, 0, 0.5, 0, 1, 3, -1, 2} // means, logarithms of variances, two softmaxes
	lse := math.Log(1 + math.E + math.Exp(3))
	for end, want := range map[int32][]float64{
		1: {2, 0, lse - 1, math.Log(math.Exp(-1)+math.Exp(2)) + 1, 0.5 * (math.Exp(-0.5) + 0.5)},
		2: {0.5, lse - 3, 0, math.Log(math.Exp(-1)+math.Exp(2)) - 2, 0.5 * (4*math.Exp(-0.5) + 0.5)},
	} {
		terms, sum := make([]float64, 5), 0.0
		task.terms(set, window{0, end}, out, terms)
		for j, v := range want {
			sum += v
			if math.Abs(terms[j]-v) > 1e-6 {
				t.Errorf("event %d: terms %v, want %v", end, terms, want)
				break
			}
		}
		if got := task.score(set, window{0, end}, out); math.Abs(got-sum) > 1e-6 {
			t.Errorf("event %d: score %v, want %v", end, got, sum)
		}
	}
	spec.Categories = "gaussian"
	if plain := (densityTask{DensitySpec: spec}).learn(set).network(5); plain.Out != 10 || plain.Classes != nil {
		t.Errorf("categories as numbers: a head of %d, classes %v", plain.Out, plain.Classes)
	}
	for name, bad := range map[string][]int32{"jump": {-1, 1, 1, -1, -1}, "return": {0, 1, 0, -1, -1},
		"below": {-2, 0, 0, 0, 0}, "short": {-1, 0}} {
		if _, err := task.restore(models.Arrays{"categories": bad}, 5); !errors.Is(err, models.ErrState) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// spread is a model of rows for tests: the distance from the mean row, each column in units of its deviation.
type spread struct {
	Floor      float64 `yaml:"floor" jsonschema:"minimum=0"`
	mean, unit []float64
}

func init() {
	models.Register(models.Info{Name: "test_spread", Doc: "distance from the mean row", Paper: "none",
		Needs: models.Needs{Input: data.Vectors}, Seeded: models.Never,
		Defaults: func() models.Spec { return &spread{Floor: 1e-6} }})
}

func (m *spread) New(models.Env) (models.Detector, error) { return &spread{Floor: m.Floor}, nil }

func (m *spread) Fit(_ context.Context, s *data.Set) error {
	m.mean, m.unit = make([]float64, s.D), make([]float64, s.D)
	for j := range s.D {
		for i := range s.N {
			m.mean[j] += float64(s.Row(i)[j]) / float64(s.N)
		}
		for i := range s.N {
			m.unit[j] += math.Pow(float64(s.Row(i)[j])-m.mean[j], 2) / float64(s.N)
		}
	}
	return nil
}

func (m *spread) Score(_ context.Context, s *data.Set) ([]float64, error) {
	out := make([]float64, s.N)
	for i := range out {
		for j, v := range s.Row(i) {
			out[i] += math.Pow(float64(v)-m.mean[j], 2) / (m.unit[j] + m.Floor)
		}
	}
	return out, nil
}

func (m *spread) Save(w io.Writer) error { return models.WriteState(w, "test_spread", struct{}{}, nil) }
func (m *spread) Load(io.Reader) error   { return models.ErrNotFitted }

// TestSharedEvents: an event's score is the mean of what it has in each window that holds it, by the mean square and by
// a
// model of the errors.
func TestSharedEvents(t *testing.T) {
	train, test := ordered(40, false, 1), counting(1, 7, 0, 4)
	test.D, test.Features = train.D, train.Features
	for i := range test.Traces {
		events := test.Traces[i].Events
		test.Traces[i].Events = make([]float32, len(events)/2*train.D)
		for k := range test.Traces[i].Events {
			test.Traces[i].Events[k] = float32(k*k%7) / 3
		}
	}
	for _, score := range []string{"mean", "model"} {
		spec := defaultEncDec()
		spec.Window, spec.Epochs, spec.Units, spec.Score, spec.Rows = 3, 2, 4, score, "windows"
		spec.Errors = models.ReferenceTo("test_spread")
		d := buildSequential(t, spec)
		if err := d.Fit(context.Background(), train); err != nil {
			t.Fatal(err)
		}
		q, err := d.(explained).Learned()
		if err != nil {
			t.Fatal(err)
		}
		list, _ := windows(test, false, false)
		got, err := q.scores(context.Background(), test, list)
		if err != nil {
			t.Fatal(err)
		}
		sum, times := map[window]float64{}, map[window]float64{}
		set, first, err := q.errorsOf(context.Background(), test, list)
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range list {
			for k := first[i]; k < first[i+1]; k++ {
				one := &data.Set{Kind: data.Vectors, N: 1, D: set.D, X: set.Row(k)}
				v := 0.0
				if score == "model" {
					s, err := q.residualModel.Score(context.Background(), one)
					if err != nil {
						t.Fatal(err)
					}
					v = s[0]
				} else {
					v = nn.MeanSquare(one.X, make([]float32, set.D))
				}
				event := window{w.trace, w.end - int32(first[i+1]-1-k)}
				sum[event] += v
				times[event]++
			}
		}
		if times[window{1, 3}] != 3 || times[window{1, 7}] != 1 || times[window{0, 1}] != 1 ||
			times[window{3, 3}] != 2 {
			t.Fatalf("events are judged so often: %v", times)
		}
		for i, w := range list {
			if want := sum[w] / times[w]; math.Abs(got[i]-want) > 1e-6*math.Abs(want) {
				t.Errorf("%s: event %v has %v, want %v", score, w, got[i], want)
			}
		}
	}
}
