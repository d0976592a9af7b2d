package modeltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"testing"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/models"
)

// check is one promise of the contract.
type check struct {
	name string
	hold func(*subject)
	// alone checks look at what belongs to the process: its goroutines, its standard output.
	alone bool
	// parallel checks are about work on several goroutines: with -short, for the race detector, they are all there is.
	parallel bool
}

// checks in the order in which they run: what others build upon comes first.
var checks = []check{
	{"info", checkInfo, false, false},
	{"defaults", checkDefaults, false, false},
	{"yaml", checkYAML, false, false},
	{"ranges", checkRanges, false, false},
	{"unfitted", checkUnfitted, false, false},
	{"scores", checkScores, false, false},
	{"separates", checkSeparates, false, false},
	{"input", checkInput, false, false},
	{"native", checkNative, false, false},
	{"degenerate", checkDegenerate, false, false},
	{"extreme", checkExtreme, false, false},
	{"untouched", checkUntouched, false, false},
	{"labels", checkLabels, false, false},
	{"seed", checkSeed, false, true},
	{"refit", checkRefit, false, false},
	{"rows", checkRows, false, false},
	{"copies", checkCopies, false, false},
	{"names", checkNames, false, false},
	{"state", checkState, false, false},
	{"damaged", checkDamaged, false, false},
	{"hostile", checkHostile, false, false},
	{"cancel", checkCancel, true, true},
	{"concurrent", checkConcurrent, false, true},
	{"progress", checkProgress, false, true},
	{"silent", checkSilent, true, false},
	{"optional", checkOptional, false, false},
}

// Run tests one model against every promise, a subtest each; with -short only against those about goroutines. What
// looks at the process as a whole comes first and beside nothing else of the same parent: it swaps os.Stdout and
// os.Stderr and counts goroutines. Then t becomes parallel, so that models are tested beside one another.
func Run(t *testing.T, info models.Info) {
	t.Helper()
	common := &common{}
	run := func(alone bool) {
		for _, c := range checks {
			if c.alone != alone || testing.Short() && !c.parallel {
				continue
			}
			t.Run(c.name, func(t *testing.T) {
				if reason := exceptions[info.Name][c.name]; reason != "" {
					t.Skip(reason)
				}
				for _, f := range failures(info, c, common) {
					t.Error(f)
				}
			})
		}
	}
	run(true)
	t.Parallel()
	run(false)
}

// failures runs one check and returns what it found.
func failures(info models.Info, c check, common *common) []string {
	s := &subject{info: info, common: common}
	s.guard("check", func() error {
		c.hold(s)
		return nil
	})
	return s.fails
}

// subject is the model under test and what was found wrong with it.
type subject struct {
	info   models.Info
	fails  []string
	common *common
}

// common is what the checks of one model take from one another, since fitting is most of what they do.
type common struct{ detector models.Detector }

// stop ends a check whose next steps make no sense.
type stop struct{}

func (s *subject) failf(format string, args ...any) {
	if len(s.fails) < 20 {
		s.fails = append(s.fails, fmt.Sprintf(format, args...))
	}
}

func (s *subject) fatalf(format string, args ...any) {
	s.failf(format, args...)
	panic(stop{})
}

var errPanic = errors.New("it panicked")

// guard calls f; a panic of the model becomes a failure of the check and an error.
func (s *subject) guard(what string, f func() error) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case stop:
			if what != "check" {
				panic(p)
			}
		default:
			s.failf("%s: panic: %v\n%s", what, p, debug.Stack())
			err = errPanic
		}
	}()
	return f()
}

// spec is the defaults, with what makes them quick.
func (s *subject) spec() models.Spec {
	spec := s.info.Defaults()
	if y := quick[s.info.Name]; y != "" {
		doc, err := settings.Parse("modeltest.quick", []byte(y))
		if err != nil {
			s.fatalf("quick parameters: %v", err)
		}
		if p := doc.Decode(spec); len(p) > 0 {
			s.fatalf("quick parameters: %v", p)
		}
	}
	return spec
}

// build makes an unfitted detector.
func (s *subject) build(env models.Env) models.Detector {
	var d models.Detector
	err := s.guard("New", func() (err error) {
		d, err = s.spec().New(env)
		return err
	})
	if err != nil || d == nil {
		s.fatalf("New: detector %v, error %v", d, err)
	}
	return d
}

// env is an ordinary environment.
func env(seed uint64, workers int) models.Env { return models.Env{Seed: seed, Workers: workers} }

func (s *subject) fit(what string, d models.Detector, train *data.Set) error {
	return s.guard(what+": Fit", func() error { return d.Fit(context.Background(), train) })
}

func (s *subject) score(what string, d models.Detector, set *data.Set) ([]float64, error) {
	var out []float64
	err := s.guard(what+": Score", func() (err error) {
		out, err = d.Score(context.Background(), set)
		return err
	})
	if err != nil {
		return nil, err
	}
	if set == nil {
		s.failf("%s: Score of a nil set gives no error", what)
		return out, nil
	}
	if len(out) != set.N {
		s.fatalf("%s: %d scores for %d samples", what, len(out), set.N)
	}
	for i, v := range out {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			s.fatalf("%s: the score of sample %d is %v", what, i, v)
		}
	}
	return out, nil
}

// fitted is a new detector fitted on train, which must work.
func (s *subject) fitted(what string, e models.Env, train *data.Set) models.Detector {
	d := s.build(e)
	if err := s.fit(what, d, train); err != nil {
		s.fatalf("%s: Fit: %v", what, err)
	}
	return d
}

// trained is a detector fitted on s.train with two workers. Checks that no more than score, explain and save share it:
// whether scoring changes a detector, and whether fitting repeats, others see.
func (s *subject) trained() models.Detector {
	if s.common.detector == nil {
		s.common.detector = s.fitted("train", env(1, 2), s.train())
	}
	return s.common.detector
}

// scores must work.
func (s *subject) scores(what string, d models.Detector, set *data.Set) []float64 {
	out, err := s.score(what, d, set)
	if err != nil {
		s.fatalf("%s: Score: %v", what, err)
	}
	return out
}

// saved is the bytes of Save, which must work.
func (s *subject) saved(what string, d models.Detector) []byte {
	var b bytes.Buffer
	if err := s.guard(what+": Save", func() error { return d.Save(&b) }); err != nil {
		s.fatalf("%s: Save: %v", what, err)
	}
	return b.Bytes()
}

func (s *subject) load(what string, d models.Detector, raw []byte) error {
	return s.guard(what+": Load", func() error { return d.Load(bytes.NewReader(raw)) })
}

// same compares scores bit by bit.
func (s *subject) same(what string, got, want []float64) {
	if len(got) != len(want) {
		s.failf("%s: %d scores, want %d", what, len(got), len(want))
		return
	}
	for i := range got {
		if math.Float64bits(got[i]) != math.Float64bits(want[i]) {
			s.failf("%s: sample %d scores %v, want exactly %v", what, i, got[i], want[i])
			return
		}
	}
}
