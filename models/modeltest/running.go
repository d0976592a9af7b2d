package modeltest

import (
	"context"
	"errors"
	"io"
	"log"
	"math"
	"os"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"time"

	"plumbline/data"
	"plumbline/models"
)

// cancelled is how long a cancelled Fit may go on: far more than it should take on any machine.
const cancelled = 5 * time.Second

func timeout(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	context.AfterFunc(ctx, cancel)
	return ctx
}

func checkCancel(s *subject) {
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	d := s.build(env(1, 2))
	if err := s.guard("Fit", func() error { return d.Fit(ctx, s.train()) }); !errors.Is(err, context.Canceled) {
		s.failf("Fit with a cancelled context: error %v, want context.Canceled", err)
	}
	if _, err := s.score("after a cancelled Fit", d, s.test()); !errors.Is(err, models.ErrNotFitted) {
		s.failf("Score after a cancelled Fit: error %v, want ErrNotFitted", err)
	}
	s.cancelDuring(d)

	d = s.fitted("train", env(1, 2), s.train())
	want := s.scores("", d, s.test())
	err := s.guard("Score", func() error { _, err := d.Score(ctx, s.test()); return err })
	if err != nil && !errors.Is(err, context.Canceled) {
		s.failf("Score with a cancelled context: error %v, want context.Canceled or none", err)
	}
	s.same("after a cancelled Score", s.scores("", d, s.test()), want)
	s.guard("Fit", func() error { return d.Fit(ctx, s.other()) })
	switch got, err := s.score("after a cancelled refit", d, s.test()); {
	case errors.Is(err, models.ErrNotFitted):
	case err != nil:
		s.failf("Score after a cancelled second Fit: %v", err)
	default:
		s.same("after a cancelled second Fit", got, want)
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.failf("%d goroutines outlive the calls that started them", runtime.NumGoroutine()-before)
}

// cancelDuring cancels a Fit that has more to do.
func (s *subject) cancelDuring(d models.Detector) {
	large := s.generate(12000, 4)
	if s.info.Needs.Input == data.Traces {
		large = s.generate(3000, 4)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- s.guard("Fit", func() error { return d.Fit(ctx, large) }) }()
	time.Sleep(20 * time.Millisecond)
	cancel()
	select {
	case err := <-done:
		if err != nil && !errors.Is(err, context.Canceled) {
			s.failf("Fit cancelled under way: error %v, want context.Canceled", err)
		}
	case <-time.After(cancelled):
		s.fatalf("Fit goes on %v after its context was cancelled", cancelled)
	}
}

func checkConcurrent(s *subject) {
	d := s.trained()
	want := s.scores("", d, s.test())
	raw := s.saved("fitted", d)
	loaded := s.build(env(1, 2))
	if err := s.load("loaded", loaded, raw); err != nil {
		s.fatalf("Load: %v", err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	for i := range 6 {
		d := []models.Detector{d, loaded}[i%2]
		wg.Go(func() {
			test := s.test()
			for range 2 {
				got, err := d.Score(context.Background(), test)
				mu.Lock()
				if err != nil {
					s.failf("concurrent Score: %v", err)
				} else {
					s.same("concurrent Score", got, want)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// checkProgress: epochs are reported from Fit, in order, and not after it. Of is 0 where no end is known.
func checkProgress(s *subject) {
	var seen []models.Epoch
	e := env(1, 1)
	e.Observe = func(ep models.Epoch) { seen = append(seen, ep) } // the race detector tells of another goroutine
	d := s.fitted("train", e, s.train())
	for i, ep := range seen {
		if ep.N < 1 || (ep.Of != 0 && ep.N > ep.Of) || (i > 0 && ep.N < seen[i-1].N) {
			s.failf("epoch %d of %d is reported at place %d", ep.N, ep.Of, i+1)
		}
	}
	n := len(seen)
	want := s.scores("", d, s.test())
	if len(seen) != n {
		s.failf("epochs are reported after Fit")
	}
	s.same("watched", s.scores("", s.trained(), s.test()), want)
}

// checkSilent: what a model has to say goes through Env.
func checkSilent(s *subject) {
	file, err := os.CreateTemp("", "modeltest")
	if err != nil {
		s.fatalf("%v", err)
	}
	defer os.Remove(file.Name())
	defer file.Close()
	stdout, stderr := os.Stdout, os.Stderr
	func() {
		os.Stdout, os.Stderr = file, file
		log.SetOutput(file)
		defer func() {
			os.Stdout, os.Stderr = stdout, stderr
			log.SetOutput(stderr)
		}()
		d := s.fitted("train", env(1, 1), s.train())
		s.scores("test", d, s.test())
		raw := s.saved("fitted", d)
		s.load("saved", d, raw)
		s.fit("bad input", d, nil)
	}()
	file.Seek(0, io.SeekStart)
	if said, _ := io.ReadAll(file); len(said) > 0 {
		s.failf("it writes to stdout or stderr: %.200q", said)
	}
}

// checkOptional: the interfaces that a model may offer keep the manners of those that it must.
func checkOptional(s *subject) {
	unfitted := s.build(env(1, 1))
	d := s.trained()
	test := s.test()
	was := clone(test)
	ctx := context.Background()
	refuses := func(what string, call func(models.Detector, *data.Set) error) {
		if err := s.guard(what, func() error { return call(unfitted, test) }); !errors.Is(err, models.ErrNotFitted) {
			s.failf("%s before Fit: error %v, want ErrNotFitted", what, err)
		}
		if err := s.guard(what, func() error { return call(d, nil) }); !errors.Is(err, models.ErrInput) {
			s.failf("%s of nil: error %v, want ErrInput", what, err)
		}
	}
	if e, ok := d.(models.Explainer); ok {
		refuses("Explain", func(d models.Detector, set *data.Set) error {
			_, _, err := d.(models.Explainer).Explain(ctx, set)
			return err
		})
		names, rows, err := e.Explain(ctx, test)
		if err != nil {
			s.fatalf("Explain: %v", err)
		}
		s.table("Explain", names, rows, test.N, func([]float64) bool { return true })
		bare := *test
		bare.Features = nil
		if names, rows, err = e.Explain(ctx, &bare); err != nil {
			s.fatalf("Explain of a set without column names: %v", err)
		}
		s.table("Explain of a set without column names", names, rows, test.N, func([]float64) bool { return true })
	}
	if c, ok := d.(models.Clusterer); ok {
		refuses("Clusters", func(d models.Detector, set *data.Set) error {
			_, err := d.(models.Clusterer).Clusters(ctx, set)
			return err
		})
		of, err := c.Clusters(ctx, test)
		if err != nil || len(of) != test.N {
			s.fatalf("Clusters: %d for %d samples, error %v", len(of), test.N, err)
		}
		for i, k := range of {
			if k < 0 {
				s.failf("Clusters: sample %d is in cluster %d", i, k)
			}
		}
	}
	if c, ok := d.(models.Investigator); ok {
		refuses("Causes", func(d models.Detector, set *data.Set) error {
			_, err := d.(models.Investigator).Causes(ctx, set)
			return err
		})
		causes, err := c.Causes(ctx, test)
		if err != nil || len(causes) != test.N {
			s.fatalf("Causes: %d for %d samples, error %v", len(causes), test.N, err)
		}
		for i, cause := range causes {
			events := 0
			if test.Kind == data.Traces {
				events = len(test.Traces[i].Rows)
			}
			if cause.Name == "" || cause.Event < -1 || cause.Event >= events {
				s.failf("Causes: that of sample %d, of %d events, is %+v", i, events, cause)
			}
		}
		again, err := c.Causes(ctx, test)
		if err != nil || !slices.Equal(causes, again) {
			s.failf("Causes: another call differs, error %v", err)
		}
	}
	if e, ok := d.(models.Expecter); ok {
		refuses("Expected", func(d models.Detector, set *data.Set) error {
			_, err := d.(models.Expecter).Expected(ctx, set)
			return err
		})
		rows, err := e.Expected(ctx, test)
		if err != nil {
			s.fatalf("Expected: %v", err)
		}
		s.table("Expected", test.ColumnNames(), rows, test.N, func([]float64) bool { return true })
	}
	if c, ok := d.(models.Classifier); ok {
		refuses("Probabilities", func(d models.Detector, set *data.Set) error {
			_, _, err := d.(models.Classifier).Probabilities(ctx, set)
			return err
		})
		classes, rows, err := c.Probabilities(ctx, test)
		if err != nil {
			s.fatalf("Probabilities: %v", err)
		}
		s.table("Probabilities", classes, rows, test.N, func(p []float64) bool {
			sum := 0.0
			for _, v := range p {
				if v < 0 || v > 1 {
					return false
				}
				sum += v
			}
			return math.Abs(sum-1) < 1e-6
		})
		if c, ok := d.(models.ScoringClassifier); ok {
			scores, same, p, err := c.ScoreProbabilities(ctx, test)
			if err != nil || !slices.Equal(same, classes) || !reflect.DeepEqual(p, rows) {
				s.failf("ScoreProbabilities: other probabilities than Probabilities, %v", err)
			}
			s.same("ScoreProbabilities", scores, s.scores("beside probabilities", d, test))
		}
	}
	if _, ok := d.(models.Updater); ok {
		refuses("Update", func(d models.Detector, set *data.Set) error { return d.(models.Updater).Update(ctx, set) })
		s.updates(test)
	}
	if !reflect.DeepEqual(test, was) {
		s.failf("an optional method changed its set")
	}
}

// updates checks the learning from a stream against what Fit and Save promise: it follows from what was learned and in
// which order, and is saved with the rest.
func (s *subject) updates(more *data.Set) {
	updated := func() models.Detector {
		d := s.fitted("train", env(1, 1), s.train())
		for _, part := range []*data.Set{more, s.other()} {
			err := s.guard("Update", func() error { return d.(models.Updater).Update(context.Background(), part) })
			if err != nil {
				s.fatalf("Update: %v", err)
			}
		}
		return d
	}
	d := updated()
	want := s.scores("updated", d, s.test())
	s.same("updated again by the same samples", s.scores("", updated(), s.test()), want)
	loaded := s.build(env(1, 1))
	if err := s.load("updated", loaded, s.saved("updated", d)); err != nil {
		s.fatalf("Load of an updated detector: %v", err)
	}
	s.same("updated and loaded", s.scores("", loaded, s.test()), want)
}

// table holds n rows with a finite number for every name against rule.
func (s *subject) table(what string, names []string, rows [][]float64, n int, rule func([]float64) bool) {
	if len(rows) != n || len(names) == 0 {
		s.fatalf("%s: %d rows and %d names for %d samples", what, len(rows), len(names), n)
	}
	for i, row := range rows {
		ok := len(row) == len(names) && rule(row)
		for _, v := range row {
			ok = ok && !math.IsNaN(v) && !math.IsInf(v, 0)
		}
		if !ok {
			s.fatalf("%s: row %d is %v", what, i, row)
		}
	}
}
