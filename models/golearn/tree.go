package golearn

import (
	"context"

	"plumbline/data"
	"plumbline/models"
)

func init() {
	models.Register(models.Info{
		Name: "golearn_tree",
		Doc: "A CART classification tree, grown by golearn on a sample of the rows; the score is 1 where it calls a row " +
			"an attack, else 0. The sample is drawn by the seed, and golearn draws nothing: it is reproducible.",
		Paper: "L. Breiman, J. Friedman, R. Olshen and C. Stone, Classification and Regression Trees, 1984; trees of S. " +
			"Whitworth's golearn",
		Needs:    models.Needs{Input: data.Vectors, Labels: models.AllLabels},
		Defaults: func() models.Spec { return &TreeSpec{Rows: 1000, Depth: 8, Criterion: "gini"} },
	})
}

// TreeSpec configures golearn_tree:
//
//	score = [the tree calls the row an attack] ∈ {0, 1}
//
// The tree is grown from Rows training rows drawn without replacement, or from all where there are fewer: golearn's
// trees cost O(Rows²·d) a level.
type TreeSpec struct {
	// training rows that the tree is grown from, at most
	Rows int `yaml:"rows" jsonschema:"minimum=2,maximum=20000"`
	// largest depth of the tree
	Depth int `yaml:"depth" jsonschema:"minimum=1,maximum=64"`
	// impurity that splits reduce
	Criterion string `yaml:"criterion" jsonschema:"enum=gini,enum=entropy"`
}

// New checks the values.
func (s *TreeSpec) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("golearn_tree", s); err != nil {
		return nil, err
	}
	spec := *s
	return newVoters("golearn_tree", s, env, func(ctx context.Context, train *data.Set) (*votingTrees, error) {
		rows := env.Rand("rows").Perm(train.N)[:min(train.N, spec.Rows)]
		return grown(ctx, env, 1, func(int) ([]splitNode, error) {
			return growCART(train, rows, spec.Criterion, spec.Depth)
		})
	}), nil
}
