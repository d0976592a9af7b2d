package ensemble

import (
	"context"
	"io"
	"math"
	"slices"
	"testing"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/modeltest"
)

// column is a model whose score is one column of a row.
type column struct {
	J int `yaml:"j" jsonschema:"minimum=0"`
}

func (c *column) New(models.Env) (models.Detector, error) { return c, nil }

func (c *column) Fit(context.Context, *data.Set) error { return nil }

func (c *column) Score(_ context.Context, s *data.Set) ([]float64, error) {
	out := make([]float64, s.N)
	for i := range out {
		out[i] = float64(s.Row(i)[min(c.J, s.D-1)])
	}
	return out, nil
}

func (c *column) Save(w io.Writer) error { return nil }
func (c *column) Load(r io.Reader) error { return nil }

func init() {
	models.Register(models.Info{Name: "column", Doc: "d", Paper: "p", Needs: models.Needs{Input: data.Vectors},
		Seeded: models.Never, Defaults: func() models.Spec { return &column{} }})
}

func columns(j ...int) (list []models.Reference) {
	for _, j := range j {
		list = append(list, models.ReferenceTo("column").With(&column{j}))
	}
	return list
}

func set(d int, x ...float32) *data.Set {
	return &data.Set{Kind: data.Vectors, N: len(x) / d, D: d, X: x}
}

// TestCombineByHand: four training rows; the columns are 0 1 1 2, and 10 10 10 30 with mean 15 and deviation √75.
func TestCombineByHand(t *testing.T) {
	train := set(2, 0, 10, 1, 10, 1, 10, 2, 30)
	rows := set(2, 1, 10, 5, 0, -1, 40)
	root := math.Sqrt(75)
	for by, want := range map[string][]float64{
		"mean_rank": {(0.5 + 0.375) / 2, (1 + 0) / 2., (0 + 1) / 2.},
		"max_rank":  {0.5, 1, 1},
		// one group of two: the deviation of 0 1 1 2 is √½
		"average_of_maxima": {0, 4 * math.Sqrt2, 25 / root},
	} {
		got := modeltest.FitScore(t, &Combine{Base: columns(0, 1), By: by, Group: 2}, models.Env{}, train, rows)
		for i := range want {
			if math.Abs(got[i]-want[i]) > 1e-12 {
				t.Errorf("%s: %v, want %v", by, got, want)
				break
			}
		}
	}
	// Groups of one: the mean.
	got := modeltest.FitScore(
		t,
		&Combine{Base: columns(0, 1), By: "average_of_maxima", Group: 1},
		models.Env{},
		train,
		rows,
	)
	if want := (4*math.Sqrt2 - 15/root) / 2; math.Abs(got[1]-want) > 1e-12 {
		t.Errorf("groups of one: %v, want %v", got[1], want)
	}
}

// TestFeatureBaggingColumns: every member has from half of the columns to all of them, and not all the same.
func TestFeatureBaggingColumns(t *testing.T) {
	s := set(9, make([]float32, 90)...)
	b, err := fitBag(context.Background(), FeatureBagging{columns(0)[0], 200, "mean"}, models.Env{Seed: 4}, s)
	if err != nil {
		t.Fatal(err)
	}
	sizes := map[int]int{}
	uses := make([]int, 9)
	for _, c := range b.columns {
		sizes[len(c)]++
		for _, j := range c {
			uses[j]++
		}
	}
	for n := 4; n <= 9; n++ {
		if sizes[n] < 10 {
			t.Errorf("%d members of %d columns", sizes[n], n)
		}
	}
	if len(sizes) != 6 || slices.Min(uses) < 100 || slices.Max(uses) > 180 {
		t.Errorf("sizes %v, uses %v", sizes, uses)
	}
}

// TestFeatureBaggingMaximum: the model's score is the first of its columns.
func TestFeatureBaggingMaximum(t *testing.T) {
	s := set(3, 1, 2, 3, 9, 5, 4)
	got := modeltest.FitScore(t, &FeatureBagging{columns(0)[0], 50, "max"}, models.Env{}, s, s)
	if !slices.Equal(got, []float64{3, 9}) {
		t.Errorf("%v", got)
	}
}
