package golearn

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/sjwhitworth/golearn/base"
	"github.com/sjwhitworth/golearn/trees"

	"plumbline/data"
	"plumbline/models"
)

func init() {
	models.Register(models.Info{
		Name: "golearn_random_forest",
		Doc: "ID3 trees of golearn, each on resampled rows and some columns, as its random forest grows them; the score " +
			"is the share of trees that vote for attack. golearn's own forest is irreproducible: it draws from an unseeded " +
			"source on several goroutines, and breaks ties of columns and classes by the order of a map. Here rows and " +
			"columns are drawn by the seed, of equal columns the first is taken, and a tie in a leaf is benign.",
		Paper:    "L. Breiman, Random Forests, Machine Learning 45, 2001; trees of S. Whitworth's golearn",
		Needs:    models.Needs{Input: data.Vectors, Labels: models.AllLabels},
		Defaults: func() models.Spec { return &ForestSpec{Trees: 25, Rows: 1000, Columns: 0} },
	})
}

// ForestSpec configures golearn_random_forest:
//
//	score = (1/Trees)·Σ_t [tree t calls x an attack] ∈ [0, 1]
//
// Each tree sees Rows training rows drawn with replacement and Columns columns, and splits by information gain until a
// node is of one kind. golearn's trees use a column once on the way to a leaf, and stop at the last one.
type ForestSpec struct {
	// number of trees
	Trees int `yaml:"trees" jsonschema:"minimum=1,maximum=10000"`
	// training rows drawn for each tree, at most as many as there are
	Rows int `yaml:"rows" jsonschema:"minimum=2,maximum=100000"`
	// columns that each tree sees; 0: 1 + ⌈√d⌉ of the d columns
	Columns int `yaml:"columns" jsonschema:"minimum=0,maximum=100000"`
}

// New checks the values.
func (s *ForestSpec) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("golearn_random_forest", s); err != nil {
		return nil, err
	}
	spec := *s
	return newVoters("golearn_random_forest", s, env, func(ctx context.Context, train *data.Set) (*votingTrees, error) {
		columns := spec.Columns
		if columns == 0 {
			columns = 1 + int(math.Ceil(math.Sqrt(float64(train.D))))
		}
		columns = min(columns, train.D)
		return grown(ctx, env, spec.Trees, func(t int) ([]splitNode, error) {
			r := env.Rand(fmt.Sprintf("tree/%d", t))
			rows := make([]int, min(spec.Rows, train.N))
			for i := range rows {
				rows[i] = r.IntN(train.N)
			}
			return growID3(train, rows, r.Perm(train.D)[:columns])
		})
	}), nil
}

// growID3 has golearn grow one tree and copies it.
func growID3(train *data.Set, rows, columns []int) ([]splitNode, error) {
	vote, one := majority(train, rows)
	if one {
		return unsplit(vote), nil
	}
	grid, err := view{train: train, rows: rows, columns: columns}.instances()
	if err != nil {
		return nil, err
	}
	tree := trees.NewID3DecisionTreeFromRule(0, inOrder{})
	if err := caught(func() error { return tree.Fit(grid) }); err != nil {
		return nil, err
	}
	column := map[string]int32{}
	for _, j := range columns {
		column[columnName(j)] = int32(j)
	}
	if leaf(tree.Root) {
		return unsplit(voteOf(tree.Root)), nil
	}
	var nodes []splitNode
	queue := []*trees.DecisionTreeNode{tree.Root}
	for i := 0; i < len(queue); i++ {
		q := queue[i]
		// golearn sends values above the threshold to the child "1"
		n := splitNode{column: column[q.SplitRule.SplitAttr.GetName()],
			at: math.Nextafter(q.SplitRule.SplitVal, math.Inf(1))}
		for _, side := range []struct {
			name string
			to   *int32
		}{{"0", &n.left}, {"1", &n.right}} {
			switch child := q.Children[side.name]; {
			case child == nil:
				*side.to = voteOf(q)
			case leaf(child):
				*side.to = voteOf(child)
			default:
				*side.to = int32(len(queue))
				queue = append(queue, child)
			}
		}
		nodes = append(nodes, n)
	}
	return nodes, nil
}

// inOrder is golearn's rule of the largest information gain, over columns in their order: golearn meets them in that of
// a map, which decides between equal gains.
type inOrder struct{}

// GenerateSplitRule is the split of a node.
func (inOrder) GenerateSplitRule(f base.FixedDataGrid) *trees.DecisionTreeRule {
	columns := base.NonClassAttributes(f)
	if len(columns) == 0 {
		return nil
	}
	slices.SortFunc(columns, func(a, b base.Attribute) int {
		if d := len(a.GetName()) - len(b.GetName()); d != 0 { // names are numbers after a letter
			return d
		}
		return strings.Compare(a.GetName(), b.GetName())
	})
	return new(trees.InformationGainRuleGenerator).GetSplitRuleFromSelection(columns, f)
}

func leaf(n *trees.DecisionTreeNode) bool { return n.Children == nil }

func voteOf(n *trees.DecisionTreeNode) int32 {
	if n.ClassDist[classes[1]] > n.ClassDist[classes[0]] {
		return attack
	}
	return benign
}
