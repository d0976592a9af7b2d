package supervised

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"plumbline/data"
	"plumbline/models"
)

// stripes is rows of d columns from 0 to 1, attacks where the first is above ½ and the second below, some of them not.
func stripes(n, d int, seed uint64) *data.Set {
	r := rand.New(rand.NewPCG(seed, 9))
	s := &data.Set{Kind: data.Vectors, N: n, D: d, Classes: []string{"benign", "scan", "flood"}}
	for range n {
		row := make([]float32, d)
		for j := range row {
			row[j] = float32(r.IntN(50)) / 50
		}
		attack := row[0] > 0.5 && row[1] < 0.5
		if r.IntN(20) == 0 {
			attack = !attack
		}
		class := uint32(0)
		if attack {
			class = 1 + uint32(2*row[2])
		}
		s.X, s.Attack, s.Class = append(s.X, row...), append(s.Attack, attack), append(s.Class, class)
	}
	return s
}

// TestShapley: the values of a tree are those that the definition gives: the mean over all orders of columns of what a
// column changes, where a column that is not known sends a row both ways by the training rows. They add up to the
// score minus its mean.
func TestShapley(t *testing.T) {
	const d = 4
	train := stripes(300, d, 1)
	growth := defaultGrowth()
	growth.MaxDepth = 5
	det := fit(t, &Tree{defaultCommon(), growth}, train).(explained)
	j, err := det.Learned()
	if err != nil {
		t.Fatal(err)
	}
	tr := j.of.(*votes).trees[0]
	var known func(q int32, row []float32, have int) float64
	known = func(q int32, row []float32, have int) float64 {
		c := tr.Column[q]
		switch {
		case c < 0:
			return tr.Value[2*q+1]
		case have>>c&1 == 0:
			l, r := tr.Left[q], tr.Right[q]
			return (tr.Cover[l]*known(l, row, have) + tr.Cover[r]*known(r, row, have)) / tr.Cover[q]
		case float64(row[c]) <= tr.At[q]:
			return known(tr.Left[q], row, have)
		}
		return known(tr.Right[q], row, have)
	}
	_, got, err := det.Explain(context.Background(), stripes(20, d, 2))
	if err != nil {
		t.Fatal(err)
	}
	test := stripes(20, d, 2)
	factorial := []float64{1, 1, 2, 6, 24}
	for i := range test.N {
		row, sum := test.Row(i), 0.0
		for c := range d {
			want := 0.0
			for have := range 1 << d {
				if have>>c&1 == 0 {
					k := 0
					for o := range d {
						k += have >> o & 1
					}
					want += factorial[k] * factorial[d-k-1] / factorial[d] * (known(0, row, have|1<<c) - known(0, row, have))
				}
			}
			if math.Abs(got[i][c]-want) > 1e-12 {
				t.Fatalf("row %d, column %d: %v, want %v", i, c, got[i][c], want)
			}
			sum += got[i][c]
		}
		if want := known(0, row, 1<<d-1) - known(0, row, 0); math.Abs(sum-want) > 1e-12 {
			t.Errorf("row %d: the values add up to %v, want %v", i, sum, want)
		}
	}
}

// witness remembers the rows that it was fitted on, by their last column, and complains of scoring one of them.
type witness struct {
	Label bool `yaml:"label"`
	seen  map[float32]bool
}

var witnessed = struct{ fits, met int }{}

func init() {
	for _, labels := range []models.Labels{models.NoLabels, models.AllLabels} {
		models.Register(models.Info{Name: "test_witness_" + labels.String(), Doc: "d", Paper: "none",
			Needs: models.Needs{Input: data.Vectors, Labels: labels}, Seeded: models.Never,
			Defaults: func() models.Spec { return &witness{Label: labels.Any()} }})
	}
}

func (w *witness) New(models.Env) (models.Detector, error) { return &witness{Label: w.Label}, nil }

func (w *witness) Fit(_ context.Context, s *data.Set) error {
	witnessed.fits++
	w.seen = map[float32]bool{}
	for i := range s.N {
		w.seen[s.Row(i)[s.D-1]] = true
		if !w.Label && (s.Attack != nil || s.Row(i)[0] > 0.5) {
			return fmt.Errorf("an attack or its label reaches a model that learns without")
		}
	}
	return nil
}

func (w *witness) Score(_ context.Context, s *data.Set) ([]float64, error) {
	out := make([]float64, s.N)
	for i := range out {
		if out[i] = float64(s.Row(i)[0]); w.seen[s.Row(i)[s.D-1]] {
			witnessed.met++
		}
	}
	return out, nil
}

func (w *witness) Save(out io.Writer) error {
	return models.WriteState(out, "witness", struct{}{}, nil)
}
func (w *witness) Load(io.Reader) error { return models.ErrState }

// TestStackingIsOutOfFold: no score that the joining model learns from is of a row that its model was fitted on, and
// models that learn without labels see benign rows alone.
func TestStackingIsOutOfFold(t *testing.T) {
	train := &data.Set{Kind: data.Vectors, N: 60, D: 2}
	for i := range train.N {
		attack := i%4 == 0
		x := float32(i%3) / 10
		if attack {
			x = 0.9
		}
		train.X, train.Attack = append(train.X, x, float32(i)), append(train.Attack, attack)
	}
	witnessed.fits, witnessed.met = 0, 0
	spec := &Stacking{[]models.AnyReference{models.AnyReferenceTo("test_witness_none"),
		models.AnyReferenceTo("test_witness_all")}, 6, 1}
	d := fit(t, spec, train)
	if witnessed.fits != 2*7 || witnessed.met != 0 {
		t.Errorf("%d fits, want 14; %d scores of rows that were fitted on", witnessed.fits, witnessed.met)
	}
	scores, err := d.Score(context.Background(), train)
	if err != nil || scores[0] < 0.9 || scores[1] > 0.1 {
		t.Errorf("scores %v and %v, %v", scores[0], scores[1], err)
	}
}

// TestOneRuleByHand: of columns (1 2 3 4 5 6) and (3 1 2 9 8 1) with attacks in the last three rows, the first splits
// all at 3.5; without it the second splits at 5.5: two of three attacks above, no benign row.
func TestOneRuleByHand(t *testing.T) {
	train := rows([][]float64{{1, 3}, {2, 1}, {3, 2}, {4, 9}, {5, 8}, {6, 1}}, []uint32{0, 0, 0, 1, 1, 1})
	got, err := fit(t, &OneRule{}, train).Score(context.Background(), rows([][]float64{{3.4, 9}, {3.6, 0}}, nil))
	if err != nil || !slices.Equal(got, []float64{0, 1}) {
		t.Errorf("scores %v, %v", got, err)
	}
	for i := range train.N {
		train.X[2*i] = 7
	}
	got, err = fit(t, &OneRule{}, train).Score(context.Background(), rows([][]float64{{0, 5.4}, {0, 5.6}}, nil))
	if err != nil || math.Abs(got[0]-0.25) > 1e-12 || got[1] != 1 { // 3 benign rows and 1 attack of weight 1 below
		t.Errorf("scores %v, %v", got, err)
	}
}

// TestClasses: each class of attacks has its probability, the score is 1 minus that of benign, and the families are
// told apart where they can be.
func TestClasses(t *testing.T) {
	train, test := stripes(1500, 3, 3), stripes(400, 3, 4)
	common := Common{Target: "class", Weights: "none", Calibration: "none"}
	boost := models.Spec(
		&Boosting{Common: common, Rounds: 40, Rate: 0.2, Leaves: 8, MinLeaf: 5, Bins: 255, Validation: 0.1},
	)
	for name, spec := range map[string]models.Spec{
		"boosting": boost, "forest": &Forest{common, defaultGrowth(), 50, "sqrt", true},
		"logistic": &Logistic{common, 1, 500}, "platt": &Tree{Common{"class", "balanced", "platt"}, defaultGrowth()},
		"isotonic": &Tree{Common{"class", "none", "isotonic"}, defaultGrowth()},
	} {
		d := fit(t, spec, train)
		classes, p, err := d.(models.Classifier).Probabilities(context.Background(), test)
		if err != nil || !slices.Equal(classes, []string{"benign", "flood", "scan"}) {
			t.Fatalf("%s: classes %v, %v", name, classes, err)
		}
		scores, _ := d.Score(context.Background(), test)
		right := 0
		for i, row := range p {
			if sum := row[0] + row[1] + row[2]; math.Abs(sum-1) > 1e-9 || math.Abs(scores[i]-(1-row[0])) > 1e-9 {
				t.Fatalf("%s: probabilities %v, score %v", name, row, scores[i])
			}
			if test.Attack[i] &&
				slices.Max(row[1:]) == row[map[string]int{"flood": 1, "scan": 2}[test.Classes[test.Class[i]]]] {
				right++
			}
		}
		attacks := 0
		for _, a := range test.Attack {
			if a {
				attacks++
			}
		}
		if float64(right) < 0.8*float64(attacks) {
			t.Errorf("%s: %d of %d attacks have their class", name, right, attacks)
		}
	}
}

// TestOutOfBag: the error of rows by the trees that did not see them is near that on other rows, and far above that on
// the rows themselves, which trees know by heart.
func TestOutOfBag(t *testing.T) {
	train, test := stripes(1200, 5, 5), stripes(3000, 5, 6)
	var oob float64
	d, err := (&Forest{defaultCommon(), defaultGrowth(), 60, "sqrt", true}).New(models.Env{Seed: 3,
		Observe: func(e models.Epoch) { oob = e.Loss }})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Fit(context.Background(), train); err != nil {
		t.Fatal(err)
	}
	wrong := func(s *data.Set) float64 {
		got, _ := d.Score(context.Background(), s)
		n := 0
		for i, v := range got {
			if (v > 0.5) != s.Attack[i] {
				n++
			}
		}
		return float64(n) / float64(s.N)
	}
	if known, fresh := wrong(train), wrong(test); math.Abs(oob-fresh) > 0.02 || known > fresh/2 {
		t.Errorf("out of bag %.4f, other rows %.4f, training rows %.4f", oob, fresh, known)
	}
}

// TestEarlyStopping: boosting ends before its last round where held-out rows gain nothing, and keeps the best.
func TestEarlyStopping(t *testing.T) {
	var last models.Epoch
	best, at := math.Inf(1), 0
	spec := &Boosting{
		Common:     defaultCommon(),
		Rounds:     500,
		Rate:       0.5,
		Leaves:     31,
		MinLeaf:    2,
		Bins:       255,
		Patience:   5,
		Validation: 0.2,
	}
	d, err := spec.New(models.Env{Seed: 1, Observe: func(e models.Epoch) {
		last = e
		if e.ValidLoss < best {
			best, at = e.ValidLoss, e.N
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Fit(context.Background(), stripes(800, 4, 7)); err != nil {
		t.Fatal(err)
	}
	j, err := d.(explained).Learned()
	if err != nil || last.N != at+5 || len(j.of.(*boosted).trees) != at {
		t.Errorf("ended at round %d, best at %d, %v", last.N, at, err)
	}
}

// TestForestColumnsWithoutChoice: columns in which rows do not differ count among those that a node tries, as long as
// another has been found. Of 64 columns one decides, one is noise and 62 are constant, so that most nodes have to go on
// until they find one of the two: roots split by both.
func TestForestColumnsWithoutChoice(t *testing.T) {
	const n, d = 400, 64
	r := rand.New(rand.NewPCG(3, 3))
	x, y := make([]float32, n*d), make([]int32, n)
	for i := range n {
		x[i*d+5], x[i*d+40] = r.Float32(), r.Float32()
		if x[i*d+5] > 0.5 {
			y[i] = 1
		}
	}
	w := make([]float64, n)
	for i := range w {
		w[i] = 1
	}
	forest := &Forest{defaultCommon(), defaultGrowth(), 30, "sqrt", true}
	p := &problem{x: x, y: y, w: w, n: n, d: d, k: 2}
	m, err := forest.grow(context.Background(), models.Env{Seed: 1}, p, false)
	if err != nil {
		t.Fatal(err)
	}
	roots := map[int32]int{}
	for _, tr := range m.trees {
		roots[tr.Column[0]]++
	}
	// of the 8 columns that a root draws both are among them with probability 0.014; else it takes the first of the two
	if len(roots) != 2 || roots[5] < 8 || roots[40] < 8 {
		t.Errorf("roots split by %v, want columns 5 and 40, each in about half of 30 trees", roots)
	}
}
