package supervised

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/sjwhitworth/golearn/base"
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
// threshold counts all labels anew, O(Rows²·d) a level), so many small trees do better than few large ones.
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
	return &bagging{models.NewFitted(models.Method[*votingTrees]{
		Name: "golearn_bagging", Spec: s, Reads: models.ReadsRows, Labels: true, Min: 1,
		Fit:  func(ctx context.Context, train *data.Set) (*votingTrees, error) { return spec.fit(ctx, env, train) },
		Load: func(st models.State) (*votingTrees, error) { return loadTrees(env, st) },
	})}, nil
}

// bagging is the detector.
type bagging struct{ *models.Fitted[*votingTrees] }

// votingTrees is what golearn's trees became.
type votingTrees struct {
	env   models.Env
	roots []int32
	nodes []splitNode
}

// splitNode sends x[column] < at to the left. Children below zero are votes: −1 benign, −2 attack.
type splitNode struct {
	column      int32
	left, right int32
	at          float64
}

const (
	benign int32 = -1
	attack int32 = -2
)

func (s *BaggingSpec) fit(ctx context.Context, env models.Env, train *data.Set) (*votingTrees, error) {
	var byTruth [2][]int
	for i, a := range train.Attack {
		k := 0
		if a {
			k = 1
		}
		byTruth[k] = append(byTruth[k], i)
	}
	grown := make([][]splitNode, s.Trees)
	errs := make([]error, s.Trees)
	err := env.Blocks(ctx, s.Trees, 1, func(t, _ int) {
		rows := draw(env.Rand(fmt.Sprintf("bagging/%d", t)), byTruth, s.Rows)
		grown[t], errs[t] = s.grow(train, rows)
	})
	if err != nil {
		return nil, err
	}
	m := &votingTrees{env: env}
	for t, nodes := range grown {
		if errs[t] != nil {
			return nil, fmt.Errorf("tree %d: %w", t, errs[t])
		}
		from := int32(len(m.nodes))
		m.roots = append(m.roots, from)
		for _, n := range nodes {
			if n.left >= 0 {
				n.left += from
			}
			if n.right >= 0 {
				n.right += from
			}
			m.nodes = append(m.nodes, n)
		}
	}
	return m, nil
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

// grow has golearn grow one tree and copies it. A tree without a split is a single node with equal votes.
func (s *BaggingSpec) grow(train *data.Set, rows []int) (nodes []splitNode, err error) {
	defer func() { // golearn panics where it cannot split
		if r := recover(); r != nil {
			err = fmt.Errorf("golearn: %v", r)
		}
	}()
	attacks := 0
	for _, r := range rows {
		if train.Attack[r] {
			attacks++
		}
	}
	vote := benign
	if attacks*2 > len(rows) {
		vote = attack
	}
	if attacks == 0 || attacks == len(rows) {
		return []splitNode{{left: vote, right: vote}}, nil
	}
	grid, err := instances(train, rows)
	if err != nil {
		return nil, err
	}
	tree := trees.NewDecisionTreeClassifier(s.Criterion, int64(s.Depth), []int64{0, 1})
	if err := tree.Fit(grid); err != nil {
		return nil, fmt.Errorf("golearn: %w", err)
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
		nodes[0].left, nodes[0].right = vote, vote // no split was found
	}
	return nodes, nil
}

func list[T any](v T) []T { return []T{v} }

// instances is rows as golearn wants them: float attributes, and a float class of 0 or 1.
func instances(train *data.Set, rows []int) (base.FixedDataGrid, error) {
	grid := base.NewDenseInstances()
	specs := make([]base.AttributeSpec, train.D)
	for j := range specs {
		specs[j] = grid.AddAttribute(base.NewFloatAttribute(fmt.Sprintf("c%d", j)))
	}
	class := base.NewFloatAttribute("class")
	at := grid.AddAttribute(class)
	if err := grid.AddClassAttribute(class); err != nil {
		return nil, fmt.Errorf("golearn: %w", err)
	}
	if err := grid.Extend(len(rows)); err != nil {
		return nil, fmt.Errorf("golearn: %w", err)
	}
	for i, r := range rows {
		for j, v := range train.Row(r) {
			grid.Set(specs[j], i, base.PackFloatToBytes(float64(v)))
		}
		label := 0.0
		if train.Attack[r] {
			label = 1
		}
		grid.Set(at, i, base.PackFloatToBytes(label))
	}
	return grid, nil
}

// Score is the share of trees that vote for attack.
func (m *votingTrees) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	out := make([]float64, s.N)
	err := m.env.Blocks(ctx, s.N, 1024, func(from, to int) {
		for i := from; i < to; i++ {
			votes := 0
			for _, root := range m.roots {
				if m.vote(root, s.Row(i)) == attack {
					votes++
				}
			}
			out[i] = float64(votes) / float64(len(m.roots))
		}
	})
	return out, err
}

func (m *votingTrees) vote(node int32, x []float32) int32 {
	for node >= 0 {
		n := &m.nodes[node]
		if float64(x[n.column]) < n.at {
			node = n.left
		} else {
			node = n.right
		}
	}
	return node
}

// Probabilities are the shares of votes.
func (b *bagging) Probabilities(ctx context.Context, s *data.Set) ([]string, [][]float64, error) {
	scores, err := b.Score(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	classes, p := models.AttackProbabilities(scores)
	return classes, p, nil
}

// State is the nodes, by column, children and threshold.
func (m *votingTrees) State() (any, models.Arrays, error) {
	links := make([]int32, 0, 3*len(m.nodes))
	at := make([]float64, 0, len(m.nodes))
	for _, n := range m.nodes {
		links = append(links, n.column, n.left, n.right)
		at = append(at, n.at)
	}
	return nil, models.Arrays{"roots": m.roots, "links": links, "at": at}, nil
}

func loadTrees(env models.Env, st models.State) (*votingTrees, error) {
	at, err := models.Array[float64](st.Arrays, "at", -1)
	if err != nil {
		return nil, err
	}
	links, err := models.Array[int32](st.Arrays, "links", 3*len(at))
	if err != nil {
		return nil, err
	}
	m := &votingTrees{env: env}
	if m.roots, err = models.Array[int32](st.Arrays, "roots", -1); err != nil {
		return nil, err
	}
	if len(m.roots) == 0 {
		return nil, errors.New("no trees")
	}
	// children stand after their parent, so that every walk ends
	valid := func(child int32, parent int) bool {
		return child == benign || child == attack || int(child) > parent && int(child) < len(at)
	}
	for i := range at {
		n := splitNode{column: links[3*i], left: links[3*i+1], right: links[3*i+2], at: at[i]}
		if n.column < 0 || int(n.column) >= st.Columns || math.IsNaN(n.at) || !valid(n.left, i) || !valid(n.right, i) {
			return nil, fmt.Errorf("node %d is %+v", i, n)
		}
		m.nodes = append(m.nodes, n)
	}
	for _, root := range m.roots {
		if root < 0 || int(root) >= len(m.nodes) {
			return nil, fmt.Errorf("root %d of %d nodes", root, len(m.nodes))
		}
	}
	return m, nil
}

var (
	_ models.Detector   = (*bagging)(nil)
	_ models.Classifier = (*bagging)(nil)
)
