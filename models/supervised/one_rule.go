package supervised

import (
	"context"
	"math"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/trees"
)

// OneRule is the best single split of one column, a control that sees labels: a public data set that it solves shows
// nothing about a better model. It takes the split x_j ≤ t whose sides differ most,
//
//	max_{j,t} |TPR − FPR| = max_{j,t} |P(x_j ≤ t | attack) − P(x_j ≤ t | benign)|
//
// and its score is the share of attacks on the side where a row lies, as if both classes had the same number of rows.
// Ties go to the first column and the lowest threshold. (R. Holte, Very Simple Classification Rules Perform Well on
// Most Commonly Used Datasets, Machine Learning 1993; there a rule may have several intervals.)
//
// Fit costs d·n log n, each scored row 1.
type OneRule struct{}

func init() {
	models.Register(models.Info{
		Name: "one_rule",
		Doc: "Control that sees labels: the best single split of one column; the score is the share of attacks on " +
			"a row's side.",
		Paper: "R. Holte, Very Simple Classification Rules Perform Well on Most Commonly Used Datasets, Machine " +
			"Learning 11, 1993",
		Control: true, Needs: models.Needs{Input: data.Vectors, Labels: models.AllLabels},
		Seeded:   models.Never,
		Defaults: func() models.Spec { return &OneRule{} },
	})
}

// New builds an unfitted detector.
func (s *OneRule) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("one_rule", s); err != nil {
		return nil, err
	}
	balanced := Common{Target: "attack", Weights: "balanced", Calibration: "none"}
	return explained{
		build(plan{name: "one_rule", spec: s, common: balanced, load: loadVotes, learn: bestSplit}, env),
	}, nil
}

// bestSplit grows a tree of one split by the largest difference of the classes.
func bestSplit(ctx context.Context, env models.Env, p *problem) (classifier, error) {
	grid, err := trees.NewGrid(ctx, p.x, p.n, p.d, env.Parallel())
	if err != nil {
		return nil, err
	}
	type split struct {
		gap   float64
		at    float64
		below [2]float64 // weight of each class to the left
	}
	var all [2]float64
	for i, c := range p.y {
		all[c] += p.w[i]
	}
	found := make([]split, p.d)
	err = env.Blocks(ctx, p.d, 1, func(j, _ int) {
		values, code := grid.Values[j], grid.Code[j]
		by := make([][2]float64, len(values))
		for i, c := range p.y {
			by[code[i]][c] += p.w[i]
		}
		var below [2]float64
		for v := range len(values) - 1 {
			below[0] += by[v][0]
			below[1] += by[v][1]
			if gap := math.Abs(below[1]/all[1] - below[0]/all[0]); gap > found[j].gap {
				found[j] = split{gap, trees.Middle(values[v], values[v+1]), below}
			}
		}
	})
	if err != nil {
		return nil, err
	}
	best := 0
	for j, f := range found {
		if f.gap > found[best].gap {
			best = j
		}
	}
	share := func(w [2]float64) []float64 { return []float64{w[0] / (w[0] + w[1]), w[1] / (w[0] + w[1])} }
	t := &trees.Tree{}
	root := t.Add(all[0]+all[1], share(all)...)
	if f := found[best]; f.gap > 0 {
		above := [2]float64{math.Max(all[0]-f.below[0], 0), math.Max(all[1]-f.below[1], 0)}
		left := t.Add(f.below[0]+f.below[1], share(f.below)...)
		right := t.Add(above[0]+above[1], share(above)...)
		t.Split(root, best, f.at, left, right)
	}
	return &votes{p.k, []*trees.Tree{t}}, nil
}
