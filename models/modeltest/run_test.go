package modeltest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"plumbline/data"
	"plumbline/models"
)

// bug is what the toy does wrong, "" for nothing. One test at a time sets it.
var bug string

// toySpec is a model that keeps every promise unless bug says otherwise: the distance from the column means,
// or for traces the mean rarity of the symbols.
type toySpec struct {
	Power float64 `yaml:"power" jsonschema:"exclusiveMinimum=0,maximum=4" jsonschema_description:"exponent"`
	Sizes []int   `yaml:"sizes" jsonschema:"minItems=1,maxItems=2,minimum=1" jsonschema_description:"no effect"`
	Mode  string  `yaml:"mode" jsonschema:"enum=plain,enum=fancy" jsonschema_description:"without effect on the toy"`
}

func toyInfo(kind data.Kind) models.Info {
	return models.Info{
		Name: "toy", Doc: "distance from the mean", Paper: "none: it tests the tests",
		Needs: models.Needs{Input: kind}, Seeded: models.Never,
		Defaults: func() models.Spec { return &toySpec{Power: 2, Sizes: []int{3}, Mode: "plain"} },
	}
}

var toyKind data.Kind

func (s *toySpec) New(env models.Env) (models.Detector, error) {
	if bug != "unchecked spec" {
		if err := models.CheckSpec("toy", s); err != nil {
			return nil, err
		}
	}
	return &toy{spec: *s, env: env}, nil
}

type toy struct {
	spec   toySpec
	env    models.Env
	mean   []float64
	names  []string // of columns or symbols in training
	train  *data.Set
	learnt int // updates
	calls  atomic.Int64
}

func (d *toy) checkSet(s *data.Set, min int) error {
	var err error
	if toyKind == data.Traces {
		err = models.CheckTraces("toy", s, min)
	} else {
		err = models.CheckVectors("toy", s, len(d.mean)*(1-min), min, false)
	}
	if err != nil || min > 0 || bug == "undiscerning" {
		return err
	}
	if names := namesOf(s); len(names) > 0 && len(d.names) > 0 && !slices.Equal(names, d.names) {
		return fmt.Errorf("toy: %w: columns or symbols %v, fitted on %v", models.ErrInput, names, d.names)
	}
	return nil
}

func namesOf(s *data.Set) []string {
	if toyKind == data.Traces {
		return s.Alphabet
	}
	var names []string
	for _, f := range s.Features {
		names = append(names, f.Name)
	}
	return names
}

func (d *toy) Fit(ctx context.Context, train *data.Set) error {
	if bug == "deaf" {
		ctx = context.Background()
	}
	if bug != "grudging" {
		d.mean = nil
	}
	if bug == "leaky" {
		go func() { select {} }()
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("toy: %w", err)
	}
	if bug != "credulous" {
		if err := d.checkSet(train, 1); err != nil {
			return err
		}
	}
	if bug == "wordy" {
		fmt.Fprintln(os.Stderr, "toy: fitting")
	}
	if d.mean == nil {
		d.mean = make([]float64, train.D)
	}
	if bug != "credulous" {
		d.names = slices.Clone(namesOf(train))
	}
	if toyKind == data.Traces {
		d.mean = make([]float64, len(train.Alphabet))
		for _, t := range train.Traces {
			for _, sym := range t.Symbols {
				if sym >= 0 {
					d.mean[sym]++
				}
			}
		}
		return nil
	}
	for i := range train.N {
		if bug == "peeking" && i < len(train.Attack) && train.Attack[i] {
			d.mean[0]++
		}
		for j, v := range train.Row(i) {
			d.mean[j] += float64(v) / float64(train.N)
		}
	}
	if bug == "etymological" && len(train.Features) > 0 && strings.Contains(train.Features[0].Name, "=") {
		d.mean[0]++
	}
	if bug == "seeded" {
		d.mean[0] += d.env.Rand("toy").Float64()
	}
	if bug == "busy" {
		d.mean[0] += float64(d.env.Workers)
	}
	if bug == "clinging" {
		d.train = train
	}
	if bug == "destructive" {
		train.X[0] = 0
	}
	if bug == "miscounting" {
		d.env.Progress(models.Epoch{N: 2, Of: 1})
	}
	return nil
}

func (d *toy) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	if d.mean == nil {
		return nil, fmt.Errorf("toy: %w", models.ErrNotFitted)
	}
	if bug != "credulous" {
		if err := d.checkSet(s, 0); err != nil {
			return nil, err
		}
	}
	out := make([]float64, s.N)
	if toyKind == data.Traces {
		for i, t := range s.Traces {
			for _, sym := range t.Symbols {
				if sym < 0 || int(sym) >= len(d.mean) || d.mean[sym] <= 0 {
					out[i] += 10 / float64(len(t.Symbols))
				}
			}
		}
		return out, nil
	}
	batch := 0.0
	for i := range s.N {
		for j, v := range s.Row(i) {
			diff := float64(v) - d.mean[j]
			if d.train != nil {
				diff -= float64(d.train.X[j])
			}
			out[i] += math.Pow(math.Abs(diff), d.spec.Power)
		}
		if bug == "weary" && i > 0 && slices.Equal(s.Row(i), s.Row(i-1)) {
			out[i] = math.Nextafter(out[i], 0)
		}
		batch += out[i]
		switch bug {
		case "narrow":
			var sum float32
			for _, v := range s.Row(i) {
				sum += v * v
			}
			out[i] += float64(sum)
		case "upside down":
			out[i] = -out[i]
		case "undefined":
			out[i] = math.NaN()
		case "forgetful":
			out[i] += float64(d.calls.Add(1) - 1)
		}
		out[i] += float64(d.learnt)
		if bug == "gregarious" {
			out[i] += batch
		}
	}
	return out, nil
}

func (d *toy) Save(w io.Writer) error {
	if d.mean == nil {
		return fmt.Errorf("toy: %w", models.ErrNotFitted)
	}
	meta := toyMeta{len(d.mean), int(toyKind), d.names}
	if bug == "lossy" {
		return models.WriteState(w, "toy", meta, models.Arrays{"mean": make([]float64, len(d.mean))})
	}
	return models.WriteState(w, "toy", meta, models.Arrays{"mean": d.mean})
}

// Update moves the means towards more samples, as if they weighed as much as all before.
func (d *toy) Update(_ context.Context, more *data.Set) error {
	if d.mean == nil {
		return fmt.Errorf("toy: %w", models.ErrNotFitted)
	}
	if err := d.checkSet(more, 0); err != nil {
		return err
	}
	for i := range more.N {
		if toyKind == data.Traces {
			break
		}
		for j, v := range more.Row(i) {
			d.mean[j] += float64(v) / float64(2*more.N)
		}
	}
	if bug == "greedy" {
		more.X[0]++
	}
	if bug == "absent-minded" {
		d.learnt++
	}
	return nil
}

type toyMeta struct {
	Width, Kind int
	Names       []string
}

func (d *toy) Load(r io.Reader) error {
	var meta toyMeta
	arrays, err := models.ReadState(r, "toy", &meta)
	if err != nil {
		if bug == "lenient" {
			d.mean = make([]float64, width)
			return nil
		}
		return err
	}
	mean, err := models.Array[float64](arrays, "mean", -1)
	if err != nil {
		return fmt.Errorf("toy: load: %w", err)
	}
	if bug == "trusting" {
		mean = make([]float64, meta.Width)
		copy(mean, arrays["mean"].([]float64))
	}
	if len(mean) == 0 || len(mean) != meta.Width || slices.ContainsFunc(mean, math.IsNaN) {
		return fmt.Errorf("toy: load: %w: width %d, %d means", models.ErrState, meta.Width, len(mean))
	}
	d.mean, d.names = mean, meta.Names
	return nil
}

func toyFailures(kind data.Kind) map[string][]string {
	toyKind = kind
	out := map[string][]string{}
	for _, c := range checks {
		if f := failures(toyInfo(kind), c, &common{}); len(f) > 0 {
			out[c.name] = f
		}
	}
	return out
}

func TestSuitePassesASoundModel(t *testing.T) {
	bug = ""
	for _, kind := range []data.Kind{data.Vectors, data.Traces} {
		for name, f := range toyFailures(kind) {
			t.Errorf("%v: %s: %s", kind, name, strings.Join(f, "\n"))
		}
	}
}

// TestSuiteFindsBugs: every promise has a model that breaks it, and the check of that promise notices.
func TestSuiteFindsBugs(t *testing.T) {
	defer func() { bug = "" }()
	for b, want := range map[string]string{
		"unchecked spec": "ranges",
		"deaf":           "cancel",
		"leaky":          "cancel",
		"credulous":      "input",
		"wordy":          "silent",
		"grudging":       "refit",
		"peeking":        "labels",
		"seeded":         "seed",
		"busy":           "seed",
		"forgetful":      "seed",
		"clinging":       "untouched",
		"destructive":    "untouched",
		"miscounting":    "progress",
		"narrow":         "extreme",
		"upside down":    "separates",
		"undefined":      "scores",
		"gregarious":     "rows",
		"weary":          "copies",
		"etymological":   "names",
		"undiscerning":   "names",
		"lossy":          "state",
		"greedy":         "optional",
		"absent-minded":  "optional",
		"lenient":        "damaged",
		"trusting":       "hostile",
	} {
		t.Run(b, func(t *testing.T) {
			if b == "seeded" && testing.Short() {
				t.Skip("with -short no other seed is tried")
			}
			bug = b
			toyKind = data.Vectors
			i := slices.IndexFunc(checks, func(c check) bool { return c.name == want })
			if len(failures(toyInfo(data.Vectors), checks[i], &common{})) == 0 {
				t.Errorf("check %q does not notice", want)
			}
		})
	}
}

// TestExceptionsAreOfChecks: an exception from a check that does not exist would excuse nothing.
func TestExceptionsAreOfChecks(t *testing.T) {
	for model, of := range exceptions {
		for name, reason := range of {
			if !slices.ContainsFunc(checks, func(c check) bool { return c.name == name }) || reason == "" {
				t.Errorf("exceptions[%q][%q] = %q", model, name, reason)
			}
		}
	}
}

// badlyDeclared has a setting without description or range, one that does not survive YAML, and defaults shared by all.
type badlyDeclared struct {
	Loose  int
	Hidden int `yaml:"-"`
}

var shared = &badlyDeclared{Hidden: 1}

func (*badlyDeclared) New(models.Env) (models.Detector, error) { return nil, errors.New("never") }

func TestSuiteFindsBadDeclarations(t *testing.T) {
	info := models.Info{Name: "Bad-Name", Doc: " two\nlines", Defaults: func() models.Spec { return shared }}
	for _, name := range []string{"info", "defaults", "yaml", "ranges"} {
		i := slices.IndexFunc(checks, func(c check) bool { return c.name == name })
		if len(failures(info, checks[i], &common{})) == 0 {
			t.Errorf("check %q does not notice", name)
		}
	}
}
