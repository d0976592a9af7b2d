package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/data/workload"
	"plumbline/eval"
	"plumbline/models"
	_ "plumbline/models/all"
	"plumbline/runs/usage"
)

// detector is one line of the second table: a model on rows of package workload, scaled to the range of the training
// rows.
type detector struct {
	name, model string
	params      string  // YAML over the defaults
	train, test int     // rows
	columns     int     // of those, more than workload.Columns repeat with other numbers
	labels      bool    // half of the training rows are attacks too
	apart       float64 // largest difference of the AUROC of both programs
	unscored    bool    // scikit-learn's has no score
	raw         bool    // not scaled

	fitGoal, scoreGoal float64 // how many times less CPU than scikit-learn's it should take; 0: nothing asked
}

// apart is how much the AUROC of both programs may differ where neither the seed nor ties matter.
const apart = 0.002

var detectors = []detector{
	{name: "ocsvm-5k", model: "ocsvm", train: 5000, test: 42501, apart: apart, fitGoal: 8},
	{name: "ocsvm-40k", model: "ocsvm", train: 40340, test: 42501, apart: apart, fitGoal: 30, scoreGoal: 15},
	{name: "ocsvm-narrow-10k", model: "ocsvm", params: "gamma: scale_std", train: 10000, test: 42501, raw: true,
		apart: apart},
	{name: "iforest-40k", model: "iforest", params: "contamination: 0.01", train: 40340, test: 42501, apart: 0.06},
	{name: "lof-40k", model: "lof", train: 40340, test: 42501, apart: 0.01, fitGoal: 2, scoreGoal: 2},
	{name: "kde-40k", model: "kde", params: "{bandwidth: 1, max_rows: 0}", train: 40340, test: 2000, apart: apart,
		scoreGoal: 25},
	{name: "kmeans-40k", model: "kmeans", params: "{clusters: 8, restarts: 10}", train: 40340, test: 42501, apart: 0.03,
		fitGoal: 2},
	{name: "dbscan-40k", model: "dbscan", params: "{eps: 1, min_samples: 5, max_rows: 0}", train: 40340, test: 1000,
		unscored: true, fitGoal: 3},
	{name: "pca-40k", model: "pca", params: "components: 0.95", train: 40340, test: 42501, apart: apart,
		fitGoal: 2},
	{name: "mahalanobis-40k", model: "mahalanobis", train: 40340, test: 42501, apart: 0.01, fitGoal: 1},
	{name: "pca-wide", model: "pca", params: "components: 0.95", train: 27000, test: 181000, columns: 616, apart: apart,
		fitGoal: 1, scoreGoal: 1},
	{name: "mahalanobis-wide", model: "mahalanobis", train: 27000, test: 181000, columns: 616, apart: 0.01,
		fitGoal: 1, scoreGoal: 1},
	{name: "random_forest-30k", model: "random_forest", train: 30000, test: 12501, labels: true, apart: 0.01,
		fitGoal: 3},
	{name: "boosting-30k", model: "boosting", train: 30000, test: 12501, labels: true, apart: 0.01, fitGoal: 1.5},
	{name: "mlp-30k", model: "mlp", params: "{hidden: [64, 32], epochs: 20, batch: 200, validation: 0, patience: 0}",
		train: 30000, test: 12501, labels: true, apart: 0.01, fitGoal: 1},
	{name: "svm-10k", model: "svm", train: 10000, test: 12501, labels: true, apart: 0.005, fitGoal: 5},
}

// cost is what a program says of one run: seconds by the clock and of all processors, the largest resident memory in MB
// with the rows in it, and the AUROC, NaN without scores.
type cost struct {
	Fit, Score, FitCPU, ScoreCPU, Memory, AUROC float64
}

// least is the smallest of each.
func (c *cost) least(o cost) {
	if c.Fit == 0 {
		*c = o
		return
	}
	c.Fit, c.Score = min(c.Fit, o.Fit), min(c.Score, o.Score)
	c.FitCPU, c.ScoreCPU = min(c.FitCPU, o.FitCPU), min(c.ScoreCPU, o.ScoreCPU)
	c.Memory = min(c.Memory, o.Memory)
}

// measure times one detector and prints its line. Each run is a process of its own, in turn with the other program's.
func (d detector) measure(ctx context.Context, s options) error {
	if _, err := models.Lookup(d.model); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	// By another process: a program begins with the largest memory of the one that starts it.
	if _, err := child(ctx, self, "-dir", s.dir, "-draw", d.name); err != nil {
		return err
	}
	var own, peer cost
	for range s.rounds {
		got, err := child(ctx, self, "-dir", s.dir, "-only", d.name)
		if err != nil {
			return err
		}
		own.least(got)
		if s.python == "" {
			continue
		}
		rows, err := json.Marshal(map[string]any{"name": d.name, "model": d.model, "d": d.width(), "labels": d.labels})
		if err != nil {
			return err
		}
		if got, err = child(ctx, s.python, filepath.Join(s.dir, "detectors.py"), s.dir, string(rows)); err != nil {
			return err
		}
		peer.least(got)
		if off := math.Abs(own.AUROC - peer.AUROC); !d.unscored && !(off <= d.apart) {
			return fmt.Errorf("AUROC %.4f, scikit-learn's is %.4f: they do not do the same work", own.AUROC, peer.AUROC)
		}
	}
	fmt.Println(d.line(own, peer, s.python != ""))
	return nil
}

func allDetectors() string {
	names := make([]string, len(detectors))
	for i, d := range detectors {
		names[i] = d.name
	}
	return strings.Join(names, ",")
}

const detectorHead = "| workload | fit CPU s | score CPU s | MB | AUROC | scikit-learn fit CPU s | score CPU s | " +
	"MB | AUROC | fit: times less CPU | score | fit: times less time | score | goals: times less CPU |\n" +
	"| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"

func (d detector) line(own, peer cost, both bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s |", d.name)
	add := func(format string, v float64) {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			b.WriteString(" – |")
			return
		}
		fmt.Fprintf(&b, " "+format+" |", v)
	}
	program := func(c cost) {
		add("%.3f", c.FitCPU)
		add("%.3f", c.ScoreCPU)
		add("%.0f", c.Memory)
		add("%.4f", c.AUROC)
	}
	program(own)
	if !both {
		peer = cost{math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN()}
	}
	program(peer)
	for _, ratio := range []float64{peer.FitCPU / own.FitCPU, peer.ScoreCPU / own.ScoreCPU, peer.Fit / own.Fit,
		peer.Score / own.Score} {
		add("%.1f", ratio)
	}
	var goals []string
	for _, g := range []struct {
		what      string
		goal, got float64
	}{{"fit", d.fitGoal, peer.FitCPU / own.FitCPU}, {"score", d.scoreGoal, peer.ScoreCPU / own.ScoreCPU}} {
		switch {
		case g.goal == 0:
		case !both:
			goals = append(goals, fmt.Sprintf("%s %g", g.what, g.goal))
		case g.got >= g.goal:
			goals = append(goals, fmt.Sprintf("%s %g: met", g.what, g.goal))
		default:
			goals = append(goals, fmt.Sprintf("%s %g: missed by %.0f %%", g.what, g.goal, 100*(1-g.got/g.goal)))
		}
	}
	if goals == nil {
		goals = []string{"–"}
	}
	fmt.Fprintf(&b, " %s |", strings.Join(goals, ", "))
	return strings.TrimSpace(b.String())
}

// child runs a program that prints a cost, or nothing.
func child(ctx context.Context, program string, args ...string) (c cost, err error) {
	cmd := exec.CommandContext(ctx, program, args...)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return c, fmt.Errorf("%s: %w: %s", program, err, strings.TrimSpace(complaint.String()))
	}
	words := strings.Fields(out.String())
	if len(words) == 0 {
		return c, nil
	}
	to := []*float64{&c.Fit, &c.Score, &c.FitCPU, &c.ScoreCPU, &c.Memory, &c.AUROC}
	if len(words) != len(to) {
		return c, fmt.Errorf("%s gave %q", program, out.String())
	}
	for i, word := range words {
		if _, err := fmt.Sscan(word, to[i]); err != nil {
			return c, fmt.Errorf("%s gave %q", program, out.String())
		}
	}
	return c, nil
}

// alone is one run of this program, in a process that does nothing else.
func (d detector) alone(ctx context.Context, dir string) (c cost, err error) {
	info, err := models.Lookup(d.model)
	if err != nil {
		return c, err
	}
	doc, err := settings.Parse(d.name, []byte(d.params))
	if err != nil {
		return c, err
	}
	spec, err := models.Decode(d.model, doc)
	if err != nil {
		return c, err
	}
	det, err := spec.New(models.Env{Seed: 1, Log: slog.New(slog.DiscardHandler), Workers: runtime.NumCPU()})
	if err != nil {
		return c, err
	}
	train, err := d.set(dir, "train")
	if err != nil {
		return c, err
	}
	test, err := d.set(dir, "test")
	if err != nil {
		return c, err
	}
	if !info.Needs.Labels.Any() {
		train = train.Unlabelled()
	}
	runtime.GC()
	begin, cpu := time.Now(), usage.ProcessTime()
	if err := det.Fit(ctx, train); err != nil {
		return c, err
	}
	c.Fit, c.FitCPU = time.Since(begin).Seconds(), (usage.ProcessTime() - cpu).Seconds()
	c.Score, c.ScoreCPU, c.AUROC = math.NaN(), math.NaN(), math.NaN()
	if !d.unscored {
		begin, cpu = time.Now(), usage.ProcessTime()
		scores, err := det.Score(ctx, test)
		if err != nil {
			return c, err
		}
		c.Score, c.ScoreCPU = time.Since(begin).Seconds(), (usage.ProcessTime() - cpu).Seconds()
		ranking, err := eval.Rank(scores, test.Attack)
		if err != nil {
			return c, err
		}
		c.AUROC = ranking.ROCAUC()
	}
	c.Memory = usage.PeakRSS()
	return c, nil
}

// set is the rows of a file that write wrote: numbers, and a byte for each row that is 1 for attacks.
func (d detector) set(dir, part string) (*data.Set, error) {
	base := filepath.Join(dir, d.name+"_"+part)
	labels, err := os.ReadFile(base + ".u8")
	if err != nil {
		return nil, err
	}
	s := &data.Set{Kind: data.Vectors, N: len(labels), D: d.width(), Attack: make([]bool, len(labels)),
		Class: make([]uint32, len(labels)), Classes: []string{"benign", "attack"}}
	for i, v := range labels {
		s.Attack[i], s.Class[i] = v == 1, uint32(v)
	}
	s.X, err = numbers[float32](base+".f32", s.N*s.D)
	return s, err
}

func (d detector) width() int { return max(d.columns, workload.Columns) }

// write makes the files of the training and the test rows, unless they are there.
func (d detector) write(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, d.name+"_test.u8")); err == nil {
		return nil
	}
	train, test := d.draw()
	for i, s := range []*data.Set{train, test} { // the file that is looked for is the last
		part := []string{"train", "test"}[i]
		labels := make([]byte, s.N)
		for k, a := range s.Attack {
			if a {
				labels[k] = 1
			}
		}
		base := filepath.Join(dir, d.name+"_"+part)
		f, err := os.Create(base + ".f32")
		if err != nil {
			return err
		}
		if err := binary.Write(f, binary.LittleEndian, s.X); err != nil {
			f.Close()
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
		if err := os.WriteFile(base+".u8", labels, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// draw makes the rows: for detectors that learn from benign rows those of stream 1, and of streams 2 and 3, half and
// half, to be scored; with labels, rows of streams 2 and 3 mixed, the first to learn from.
func (d detector) draw() (train, test *data.Set) {
	total := d.test
	if d.labels {
		total += d.train
	}
	benign := total * 20781 / 42501
	rows := joined(d.wide(benign, 2, workload.Benign), d.wide(total-benign, 3, workload.Attacks), d.width())
	if d.labels {
		order := rand.New(rand.NewPCG(1, 1)).Perm(rows.N)
		train, test = rows.Subset(order[:d.train]), rows.Subset(order[d.train:])
	} else {
		train, test = joined(d.wide(d.train, 1, workload.Benign), nil, d.width()), rows
	}
	if !d.raw {
		workload.Scale(train, test)
	}
	return train, test
}

// wide is n rows of the width, beyond the first workload.Columns of the streams that follow in steps of ten.
func (d detector) wide(n int, stream uint64, of []workload.Profile) []float32 {
	width := d.width()
	x := make([]float32, n*width)
	for from := 0; from < width; from += workload.Columns {
		part := workload.Flows(n, stream+10*uint64(from/workload.Columns), of)
		for i := range n {
			for j := from; j < min(from+workload.Columns, width); j++ {
				x[i*width+j] = float32(part[i*workload.Columns+j-from])
			}
		}
	}
	return x
}

// joined is benign rows and attacks.
func joined(benign, attacks []float32, d int) *data.Set {
	s := &data.Set{Kind: data.Vectors, D: d, X: append(benign, attacks...), Classes: []string{"benign", "attack"}}
	s.N = len(s.X) / d
	s.Attack, s.Class = make([]bool, s.N), make([]uint32, s.N)
	for i := len(benign) / d; i < s.N; i++ {
		s.Attack[i], s.Class[i] = true, 1
	}
	return s
}
