package supervised

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"

	"github.com/sjwhitworth/golearn/base"
	"github.com/sjwhitworth/golearn/trees"

	"plumbline/data"
	"plumbline/models"
)

func init() {
	models.Register(models.Info{
		Name:     "golearn_bagging",
		Doc:      "Bagged classification trees, grown by golearn; the score is the share of trees that vote for attack.",
		Paper:    "L. Breiman, Bagging Predictors, Machine Learning 24, 1996; trees of S. Whitworth's golearn",
		Needs:    models.Needs{Input: data.Vectors, Labels: true},
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
	Trees     int    `yaml:"trees" jsonschema:"minimum=1,maximum=10000" jsonschema_description:"number of trees"`
	Rows      int    `yaml:"rows" jsonschema:"minimum=2,maximum=5000" jsonschema_description:"training rows drawn for each tree"`
	Depth     int    `yaml:"depth" jsonschema:"minimum=1,maximum=64" jsonschema_description:"largest depth of a tree"`
	Criterion string `yaml:"criterion" jsonschema:"enum=gini,enum=entropy" jsonschema_description:"impurity that splits reduce"`
}

// New checks the values.
func (s *BaggingSpec) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("golearn_bagging", s); err != nil {
		return nil, err
	}
	return &bagging{spec: *s, env: env}, nil
}

type bagging struct {
	spec  BaggingSpec
	env   models.Env
	d     int
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

func (b *bagging) Fit(ctx context.Context, train *data.Set) error {
	b.roots = nil
	if err := models.CheckVectors("golearn_bagging", train, 0, 1); err != nil {
		return err
	}
	if err := models.CheckLabels("golearn_bagging", train); err != nil {
		return err
	}
	var byTruth [2][]int
	for i, a := range train.Attack {
		k := 0
		if a {
			k = 1
		}
		byTruth[k] = append(byTruth[k], i)
	}
	grown := make([][]splitNode, b.spec.Trees)
	errs := make([]error, b.spec.Trees)
	err := b.env.Blocks(ctx, b.spec.Trees, 1, func(t, _ int) {
		rows := draw(b.env.Rand(fmt.Sprintf("bagging/%d", t)), byTruth, b.spec.Rows)
		grown[t], errs[t] = b.grow(train, rows)
	})
	if err != nil {
		return fmt.Errorf("golearn_bagging: %w", err)
	}
	fresh := bagging{spec: b.spec, env: b.env, d: train.D}
	for t, nodes := range grown {
		if errs[t] != nil {
			return fmt.Errorf("golearn_bagging: tree %d: %w", t, errs[t])
		}
		from := int32(len(fresh.nodes))
		fresh.roots = append(fresh.roots, from)
		for _, n := range nodes {
			if n.left >= 0 {
				n.left += from
			}
			if n.right >= 0 {
				n.right += from
			}
			fresh.nodes = append(fresh.nodes, n)
		}
	}
	*b = fresh
	return nil
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
func (b *bagging) grow(train *data.Set, rows []int) (nodes []splitNode, err error) {
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
	tree := trees.NewDecisionTreeClassifier(b.spec.Criterion, int64(b.spec.Depth), []int64{0, 1})
	if err := tree.Fit(grid); err != nil {
		return nil, fmt.Errorf("golearn: %w", err)
	}
	// golearn does not export the type of its nodes: a list of them takes it from the root
	queue := list(tree.RootNode)
	for i := 0; i < len(queue); i++ {
		q := queue[i]
		n := splitNode{column: int32(q.Feature), at: q.Threshold, left: -1 - int32(q.LeftLabel), right: -1 - int32(q.RightLabel)}
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

func (b *bagging) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	if b.roots == nil {
		return nil, fmt.Errorf("golearn_bagging: %w", models.ErrNotFitted)
	}
	if err := models.CheckVectors("golearn_bagging", s, b.d, 0); err != nil {
		return nil, err
	}
	out := make([]float64, s.N)
	err := b.env.Blocks(ctx, s.N, 1024, func(from, to int) {
		for i := from; i < to; i++ {
			votes := 0
			for _, root := range b.roots {
				if b.vote(root, s.Row(i)) == attack {
					votes++
				}
			}
			out[i] = float64(votes) / float64(len(b.roots))
		}
	})
	if err != nil {
		return nil, fmt.Errorf("golearn_bagging: %w", err)
	}
	return out, nil
}

func (b *bagging) vote(node int32, x []float32) int32 {
	for node >= 0 {
		n := &b.nodes[node]
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

func (b *bagging) Save(w io.Writer) error {
	if b.roots == nil {
		return fmt.Errorf("golearn_bagging: save: %w", models.ErrNotFitted)
	}
	links := make([]int32, 0, 3*len(b.nodes))
	at := make([]float64, 0, len(b.nodes))
	for _, n := range b.nodes {
		links = append(links, n.column, n.left, n.right)
		at = append(at, n.at)
	}
	return models.WriteState(w, "golearn_bagging", struct{ Width int }{b.d}, models.Arrays{"roots": b.roots, "links": links, "at": at})
}

func (b *bagging) Load(r io.Reader) error {
	var meta struct{ Width int }
	a, err := models.ReadState(r, "golearn_bagging", &meta)
	if err != nil {
		return err
	}
	fresh := bagging{spec: b.spec, env: b.env, d: meta.Width}
	if err := fresh.restore(a); err != nil {
		return fmt.Errorf("golearn_bagging: load: %w", err)
	}
	*b = fresh
	return nil
}

func (b *bagging) restore(a models.Arrays) error {
	at, err := models.Array[float64](a, "at", -1)
	if err != nil {
		return err
	}
	links, err := models.Array[int32](a, "links", 3*len(at))
	if err != nil {
		return err
	}
	if b.roots, err = models.Array[int32](a, "roots", -1); err != nil {
		return err
	}
	if len(b.roots) == 0 || b.d < 1 {
		return fmt.Errorf("%w: %d trees, width %d", models.ErrState, len(b.roots), b.d)
	}
	// children stand behind their parent, so that every walk ends
	valid := func(child int32, parent int) bool {
		return child == benign || child == attack || int(child) > parent && int(child) < len(at)
	}
	for i := range at {
		n := splitNode{column: links[3*i], left: links[3*i+1], right: links[3*i+2], at: at[i]}
		if n.column < 0 || int(n.column) >= b.d || math.IsNaN(n.at) || !valid(n.left, i) || !valid(n.right, i) {
			return fmt.Errorf("%w: node %d", models.ErrState, i)
		}
		b.nodes = append(b.nodes, n)
	}
	for _, root := range b.roots {
		if root < 0 || int(root) >= len(b.nodes) {
			return fmt.Errorf("%w: root %d", models.ErrState, root)
		}
	}
	return nil
}

var (
	_ models.Detector   = (*bagging)(nil)
	_ models.Classifier = (*bagging)(nil)
)
