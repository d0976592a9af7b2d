// Package audit asks of a data set what a table alone does not tell: whether a small model still finds the attacks when
// the columns that give them away are taken out. What a table tells is data/audit's.
package audit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/data/audit"
	"plumbline/data/prep"
	"plumbline/eval"
	"plumbline/models"
)

// Refit is a shallow forest on the columns that are left when those that give attacks away are taken out, one round
// after the other.
type Refit struct {
	Model  string  `json:"model"`
	Train  int     `json:"train"` // rows
	Test   int     `json:"test"`
	Rounds []Round `json:"rounds"`
	// Finding says what the rounds come to; empty: nothing that a reader of results should know.
	Finding string `json:"finding,omitempty"`
}

// Round is one forest.
type Round struct {
	Without  []string `json:"without"` // columns that are taken out, besides those of the rounds before
	Why      string   `json:"why"`
	Columns  int      `json:"columns"` // that are left
	AUROC    float64  `json:"auroc"`
	Balanced float64  `json:"balanced_accuracy"` // by the forest's vote
}

const (
	depth     = 4
	trees     = 25
	maxRows   = 20_000 // that train, and as many test
	solved    = 0.999  // AUROC that leaves nothing to find
	maxRounds = 8      // after the named shortcuts
)

const steps = "[impute, {step: onehot, max_levels: 50}]"

// ErrNoClasses says that the rows are not of both kinds.
var ErrNoClasses = errors.New("a refit needs benign rows and attacks, ten of each at least")

// Forest trains a forest of depth 4 on half of the labelled rows of a table, at most 20,000 of them, and judges it on
// as many others: with all columns that are numbers or categories, then without identifiers and the shortcuts that the
// report names, then, while its AUROC stays above 0.999, without the column that it loses most by. The halves are drawn
// by the seed, within each class.
func Forest(ctx context.Context, t *data.Table, rep *audit.Report, seed uint64, workers int) (*Refit, error) {
	if t.Attack == nil {
		return nil, ErrNoClasses
	}
	train, test := halves(t, seed)
	if benign, attacks := t.Count(train); benign < 10 || attacks < 10 {
		return nil, ErrNoClasses
	}
	j := &job{t: t, train: train, test: test, seed: seed, workers: workers}
	out := &Refit{Model: fmt.Sprintf("random_forest of %d trees of depth %d", trees, depth), Train: len(train),
		Test: len(test)}
	var left []string
	for _, c := range rep.Columns {
		if c.Type == data.Number.String() || c.Type == data.Category.String() {
			left = append(left, c.Name)
		}
	}
	round := func(without []string, why string) (Round, error) {
		left = slices.DeleteFunc(left, func(name string) bool { return slices.Contains(without, name) })
		r := Round{Without: without, Why: why, Columns: len(left)}
		if r.Without == nil {
			r.Without = []string{}
		}
		if len(left) == 0 {
			r.AUROC, r.Balanced = 0.5, 0.5
			out.Rounds = append(out.Rounds, r)
			return r, nil
		}
		scores, err := j.fit(ctx, left)
		if err != nil {
			return r, err
		}
		r.AUROC, r.Balanced = j.judge(scores)
		out.Rounds = append(out.Rounds, r)
		return r, nil
	}
	r, err := round(nil, "all columns")
	if err != nil {
		return nil, err
	}
	named := slices.Clone(rep.Identifiers)
	for _, name := range rep.Shortcuts() {
		if slices.Contains(left, name) && !slices.Contains(named, name) {
			named = append(named, name)
		}
	}
	if len(named) > 0 {
		if r, err = round(named, "identifiers and columns that alone tell attacks"); err != nil {
			return nil, err
		}
	}
	afterNamed := r
	for k := 0; k < maxRounds && r.AUROC > solved && len(left) > 0; k++ {
		name, err := j.mostMissed(ctx, left)
		if err != nil {
			return nil, err
		}
		if r, err = round([]string{name}, "the column that the forest loses most by"); err != nil {
			return nil, err
		}
	}
	out.Finding = finding(named, afterNamed, r, out.Rounds)
	return out, nil
}

func finding(named []string, after, last Round, rounds []Round) string {
	what := "with all columns"
	if len(named) > 0 {
		what = "without " + strings.Join(named, ", ")
	}
	switch {
	case after.AUROC <= solved:
		return ""
	case last.AUROC > solved:
		return fmt.Sprintf("%s a forest of depth %d still reaches AUROC %.4f, and %.4f after %d more columns are gone: no "+
			"single column is to blame, and this data tells little about detectors", what, depth, after.AUROC, last.AUROC,
			len(rounds)-1-btoi(len(named) > 0))
	}
	var more []string
	for _, r := range rounds[1+btoi(len(named) > 0):] {
		more = append(more, r.Without...)
	}
	return fmt.Sprintf("%s a forest of depth %d still reaches AUROC %.4f; %.4f without %s too: shortcuts that a look at "+
		"single columns does not find", what, depth, after.AUROC, last.AUROC, strings.Join(more, ", "))
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// job is what all rounds share.
type job struct {
	t           *data.Table
	train, test []int32
	seed        uint64
	workers     int

	det models.Detector // of the last fit
	set *data.Set       // that it was judged on
}

// halves draws the rows of each truth into two halves, at most maxRows each in all.
func halves(t *data.Table, seed uint64) (train, test []int32) {
	rng := rand.New(rand.NewPCG(seed, 0xaf17))
	for _, attack := range []bool{false, true} {
		var rows []int32
		for i := range int32(t.Rows) {
			if t.Attack[i] == attack {
				rows = append(rows, i)
			}
		}
		rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		n := len(rows) / 2
		if share := float64(len(rows)) / float64(t.Rows); float64(n) > share*maxRows {
			n = max(int(math.Round(share*maxRows)), min(n, 1000))
		}
		train, test = append(train, rows[:n]...), append(test, rows[n:2*n]...)
	}
	slices.Sort(train)
	slices.Sort(test)
	return train, test
}

// fit trains a forest on the named columns and scores the test rows.
func (j *job) fit(ctx context.Context, columns []string) ([]float64, error) {
	view := *j.t
	view.Columns = nil
	for i := range j.t.Columns {
		if slices.Contains(columns, j.t.Columns[i].Name) {
			view.Columns = append(view.Columns, j.t.Columns[i])
		}
	}
	node, err := settings.Parse("refit", []byte(steps))
	if err != nil {
		return nil, err
	}
	spec, err := prep.Decode(node)
	if err != nil {
		return nil, err
	}
	rows := prep.Rows{Benign: view.Benign(j.train), All: j.train}
	pipe, err := spec.Fit(ctx, &view, rows, j.workers)
	if err != nil {
		return nil, err
	}
	train, err := pipe.Apply(ctx, &view, j.train, j.workers)
	if err != nil {
		return nil, err
	}
	if j.set, err = pipe.Apply(ctx, &view, j.test, j.workers); err != nil {
		return nil, err
	}
	params, err := settings.Parse("refit", fmt.Appendf(nil, "{trees: %d, max_depth: %d, weights: balanced}", trees, depth))
	if err != nil {
		return nil, err
	}
	forest, err := models.Decode("random_forest", params)
	if err != nil {
		return nil, err
	}
	if j.det, err = forest.New(models.Env{Seed: j.seed, Workers: j.workers}); err != nil {
		return nil, err
	}
	if err := j.det.Fit(ctx, train); err != nil {
		return nil, err
	}
	return j.det.Score(ctx, j.set.Unlabelled())
}

func (j *job) judge(scores []float64) (auroc, balanced float64) {
	attack := make([]bool, len(j.test))
	for i, r := range j.test {
		attack[i] = j.t.Attack[r]
	}
	rank, err := eval.Rank(scores, attack)
	if err != nil {
		return math.NaN(), math.NaN()
	}
	return rank.ROCAUC(), eval.Confuse(scores, attack, 0.5).BalancedAccuracy()
}

// mostMissed is the column that the last forest's AUROC falls most by when its values are shuffled among the test rows;
// of columns that are missed alike the first.
func (j *job) mostMissed(ctx context.Context, columns []string) (string, error) {
	d := j.set.D
	best, name := math.Inf(1), ""
	for _, c := range columns {
		x := slices.Clone(j.set.X)
		order := rand.New(rand.NewPCG(j.seed, 0x51f7)).Perm(j.set.N)
		touched := false
		for k, f := range j.set.Features {
			if f.Source != c {
				continue
			}
			touched = true
			for i, from := range order {
				x[i*d+k] = j.set.X[from*d+k]
			}
		}
		if !touched {
			continue
		}
		shuffled := *j.set
		shuffled.X = x
		scores, err := j.det.Score(ctx, shuffled.Unlabelled())
		if err != nil {
			return "", err
		}
		if auroc, _ := j.judge(scores); auroc < best {
			best, name = auroc, c
		}
	}
	if name == "" {
		return columns[0], nil
	}
	return name, nil
}
