package golearn

import (
	"context"
	"errors"
	"fmt"
	"math"

	"plumbline/data"
	"plumbline/models"
)

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

// unsplit is a tree of one vote.
func unsplit(vote int32) []splitNode { return []splitNode{{left: vote, right: vote}} }

// majority is the vote of some rows; a tie is benign.
func majority(train *data.Set, rows []int) (vote int32, one bool) {
	attacks := 0
	for _, r := range rows {
		if train.Attack[r] {
			attacks++
		}
	}
	vote = benign
	if attacks*2 > len(rows) {
		vote = attack
	}
	return vote, attacks == 0 || attacks == len(rows)
}

// grown grows trees side by side and puts them one after another.
func grown(ctx context.Context, env models.Env, n int, grow func(t int) ([]splitNode, error)) (*votingTrees, error) {
	trees := make([][]splitNode, n)
	errs := make([]error, n)
	if err := env.Blocks(ctx, n, 1, func(t, _ int) { trees[t], errs[t] = grow(t) }); err != nil {
		return nil, err
	}
	m := &votingTrees{env: env}
	for t, nodes := range trees {
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

// newVoters is an unfitted detector of a name.
func newVoters(name string, spec models.Spec, env models.Env,
	fit func(ctx context.Context, train *data.Set) (*votingTrees, error)) models.Detector {
	return models.AttackScorer[*votingTrees]{Fitted: models.NewFitted(models.Method[*votingTrees]{
		Name: name, Spec: spec, Reads: models.ReadsRows, Labels: true, Min: 1, Fit: fit,
		Load: func(st models.State) (*votingTrees, error) { return loadTrees(env, st) },
	})}
}
