package golearn

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/sjwhitworth/golearn/trees"

	"plumbline/data"
	"plumbline/models"
)

func init() {
	models.Register(models.Info{
		Name: "golearn_bagging",
		Doc: "Bagged classification trees, grown by golearn; the score is the share of trees that vote for " +
			"attack.",
		Paper:    "L. Breiman, Bagging Predictors, Machine Learning 24, 1996; trees of S. Whitworth's golearn",
		Needs:    models.Needs{Input: data.Vectors, Labels: models.AllLabels},
		Defaults: func() models.Spec { return &BaggingSpec{Trees: 25, Rows: 256, Depth: 8, Criterion: "gini"} },
	})
}

// BaggingSpec configures golearn_bagging. Each tree is grown from Rows training rows drawn with
// replacement, half of them attacks, half benign:
//
//	score = (1/Trees)·Σ_t [tree t calls x an attack] ∈ [0, 1]
//
// golearn's trees have no random choices and take the better part of a second for some hundred rows (each
// threshold counts all labels anew, O(Rows²·d) a level), and many small trees do better than few large ones.
// What was learnt is copied out of golearn: scoring walks flat arrays and is safe for concurrent use.
type BaggingSpec struct {
	// number of trees
	Trees int `yaml:"trees" jsonschema:"minimum=1,maximum=10000"`
	// training rows drawn for each tree
	Rows int `yaml:"rows" jsonschema:"minimum=2,maximum=5000"`
	// largest depth of a tree
	Depth int `yaml:"depth" jsonschema:"minimum=1,maximum=64"`
	// impurity that splits reduce
	Criterion string `yaml:"criterion" jsonschema:"enum=gini,enum=entropy"`
}

// New checks the values.
func (s *BaggingSpec) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("golearn_bagging", s); err != nil {
		return nil, err
	}
	spec := *s
	return newVoters("golearn_bagging", s, env, func(ctx context.Context, train *data.Set) (*votingTrees, error) {
		return spec.fit(ctx, env, train)
	}), nil
}

func (s *BaggingSpec) fit(ctx context.Context, env models.Env, train *data.Set) (*votingTrees, error) {
	kinds := byTruth(train)
	return grown(ctx, env, s.Trees, func(t int) ([]splitNode, error) {
		rows := draw(env.Rand(fmt.Sprintf("bagging/%d", t)), kinds, s.Rows)
		return growCART(train, rows, s.Criterion, s.Depth)
	})
}

// draw takes rows with replacement, half of them from each kind where there are both.
func draw(r *rand.Rand, byTruth [2][]int, n int) []int {
	rows := make([]int, 0, n)
	for i := range n {
		from := byTruth[i%2]
		if len(from) == 0 {
			from = byTruth[1-i%2]
		}
		rows = append(rows, from[r.IntN(len(from))])
	}
	return rows
}

// growCART has golearn grow one tree and copies it. A tree without a split is a single node of the majority.
func growCART(train *data.Set, rows []int, criterion string, depth int) (nodes []splitNode, err error) {
	vote, one := majority(train, rows)
	if one {
		return unsplit(vote), nil
	}
	grid, err := view{train: train, rows: rows, numeric: true}.instances()
	if err != nil {
		return nil, err
	}
	tree := trees.NewDecisionTreeClassifier(criterion, int64(depth), []int64{0, 1})
	if err := caught(func() error { return tree.Fit(grid) }); err != nil {
		return nil, err
	}
	// golearn does not export the type of its nodes: a list of them takes it from the root
	queue := list(tree.RootNode)
	for i := 0; i < len(queue); i++ {
		q := queue[i]
		n := splitNode{column: int32(q.Feature), at: q.Threshold, left: -1 - int32(q.LeftLabel),
			right: -1 - int32(q.RightLabel)}
		if q.Left != nil {
			n.left = int32(len(queue))
			queue = append(queue, q.Left)
		}
		if q.Right != nil {
			n.right = int32(len(queue))
			queue = append(queue, q.Right)
		}
		nodes = append(nodes, n)
	}
	if len(nodes) == 1 && nodes[0].at == 0 && nodes[0].column == 0 && nodes[0].left == nodes[0].right {
		return unsplit(vote), nil // no split was found
	}
	return nodes, nil
}

func list[T any](v T) []T { return []T{v} }
