package tune

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumbline/eval"
	"plumbline/runs"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
)

// tunedLabel is what a model with the settings that were found is called.
func tunedLabel(label string) string { return label + "-tuned" }

// final is an experiment that reads the test part.
type final struct {
	experiment *experiment.Experiment
	tuned      []record.Tuned
}

// finals are the experiments that set the models of the file beside those with the settings that were found: one for
// each data set, and one more for each model whose search changed more than its own settings.
func (s *State) finals(e *experiment.Experiment, dir string) (all []final, err error) {
	for i := range e.Sets {
		main := *e
		main.Tune, main.Sets = nil, []experiment.DataSet{e.Sets[i]}
		main.Name = e.Name + "-test"
		if len(e.Sets) > 1 {
			main.Name = fmt.Sprintf("%s-%s-test", e.Name, e.Sets[i].Config.Name)
		}
		main.Entries = slices.Clone(e.Entries)
		at := len(all)
		all = append(all, final{experiment: &main})
		for _, one := range s.Searches {
			if one.Data != e.Sets[i].Config.Name {
				continue
			}
			chosen := one.Chosen()
			values := slices.Clone(chosen.Values)
			if chosen.Resource > 0 {
				values = append(values, e.Tune.Resource.Key+"="+strconv.Itoa(chosen.Resource))
			}
			with, err := e.With(values...)
			if err != nil {
				return nil, err
			}
			k := slices.IndexFunc(with.Entries, func(m experiment.Entry) bool { return m.Label == one.Label })
			entry := with.Entries[k]
			entry.Label = tunedLabel(one.Label)
			tuned := record.Tuned{
				Label: entry.Label, From: one.Label, Search: filepath.Base(dir), Method: s.Method, Objective: s.Objective,
				Trials: len(one.Trials), Cells: one.Cells, Trial: chosen.Number, Values: values,
			}
			shared := slices.ContainsFunc(values, func(v string) bool { return !strings.HasPrefix(v, "models.") })
			if !shared {
				k = slices.IndexFunc(main.Entries, func(m experiment.Entry) bool { return m.Label == one.Label })
				main.Entries = slices.Insert(main.Entries, k+1, entry)
				all[at].tuned = append(all[at].tuned, tuned)
				continue
			}
			with.Tune, with.Name = nil, main.Name+"-"+one.Label
			with.Sets, with.Entries = []experiment.DataSet{with.Sets[i]}, []experiment.Entry{entry}
			all = append(all, final{with, []record.Tuned{tuned}})
		}
	}
	return all, nil
}

// test reads the test part. A search that was stopped while it did so goes on with the same runs.
func (s *State) test(ctx context.Context, e *experiment.Experiment, dir *record.Directory, o Options, say func(Event),
) error {
	all, err := s.finals(e, dir.Path)
	if err != nil {
		return err
	}
	if s.Test == nil {
		s.Test = &Test{Begun: time.Now().UTC()}
	}
	s.Test.Runs = nil
	if err := dir.WriteJSON(StateFile, s); err != nil {
		return err
	}
	root := filepath.Join(dir.Path, "test")
	failed := 0
	for _, f := range all {
		say(Event{Text: "reading the test part: " + f.experiment.Name})
		ro := runs.Options{Root: root, Workers: o.Workers, Memory: o.Memory, Observe: o.Test, Command: o.Command,
			Tuned: f.tuned}
		outcome, err := runOrResume(ctx, f.experiment, ro)
		if err != nil {
			return interrupted(ctx, err)
		}
		if outcome.Interrupted {
			return ErrInterrupted
		}
		failed += outcome.Failed
		name, err := filepath.Rel(dir.Path, outcome.Dir)
		if err != nil {
			return fmt.Errorf("tune: %w", err)
		}
		s.Test.Runs = append(s.Test.Runs, filepath.ToSlash(name))
	}
	s.Test.Finished = time.Now().UTC()
	if err := dir.WriteJSON(StateFile, s); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("tune: %d cells of the test are not ok", failed)
	}
	return nil
}

// runOrResume carries an experiment out, or takes up the run of it that an earlier attempt began.
func runOrResume(ctx context.Context, e *experiment.Experiment, o runs.Options) (*runs.Outcome, error) {
	begun, err := os.ReadDir(o.Root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("tune: %w", err)
	}
	for _, one := range begun {
		if stamp, ok := strings.CutSuffix(one.Name(), "-"+e.Name); !ok || !isStamp(stamp) {
			continue
		}
		path := filepath.Join(o.Root, one.Name())
		var m record.Manifest
		if err := record.ReadJSON(path, "manifest.json", &m); err != nil {
			continue // killed before it stood
		}
		return runs.Resume(ctx, path, e.Options(), o)
	}
	return runs.Run(ctx, e, o)
}

// isStamp says whether a text is the time that the name of a run directory begins with.
func isStamp(text string) bool {
	_, err := time.Parse("20060102-150405", text)
	return err == nil
}

// table writes the trials as CSV, a row for each.
func (s *State) table(to io.Writer) error {
	w := csv.NewWriter(to)
	var settings []string // of all searches, each a column after the others
	for _, one := range s.Searches {
		for _, t := range one.Trials {
			for _, v := range t.Values {
				if key, _, _ := strings.Cut(v, "="); !slices.Contains(settings, key) {
					settings = append(settings, key)
				}
			}
		}
	}
	w.Write(append([]string{"data", "label", "trial", "chosen", "status", "value", "sd", "cells", "round", "resource",
		"seconds", "error"}, settings...))
	num := func(v eval.Number) string {
		if math.IsNaN(float64(v)) {
			return ""
		}
		return strconv.FormatFloat(float64(v), 'g', -1, 64)
	}
	for _, one := range s.Searches {
		for _, t := range one.Trials {
			row := []string{one.Data, one.Label, strconv.Itoa(t.Number), strconv.FormatBool(t.Number == one.Best), t.Status,
				num(t.Value), num(t.SD), strconv.Itoa(t.Cells), strconv.Itoa(t.Round), strconv.Itoa(t.Resource),
				strconv.FormatFloat(t.Seconds, 'g', -1, 64), t.Error}
			values := make([]string, len(settings))
			for _, v := range t.Values {
				key, text, _ := strings.Cut(v, "=")
				values[slices.Index(settings, key)] = text
			}
			w.Write(append(row, values...))
		}
	}
	w.Flush()
	return w.Error()
}

// Result is one model before and after, over the cells of the test.
type Result struct {
	Data, Label               string
	Trial, Trials, Cells      int
	Values                    []string
	Searched, SearchedDefault float64 // the objective on training rows
	Default, Tuned            float64 // mean over the cells of the test
	DefaultSeeds, TunedSeeds  []float64
	Gain                      float64 // of Tuned over Default: above 0 where it is better, or larger if neither is
}

// GainOf is what the gain of a metric is called.
func GainOf(metric string) string {
	if m, _ := eval.MetricNamed(metric); m.Better == 0 {
		return "CHANGE"
	}
	return "GAIN"
}

// Results sets each model of a finished search beside itself by a metric of the test part.
func (s *State) Results(dir, metric string) (out []Result, err error) {
	if s.Test == nil || s.Test.Finished.IsZero() {
		return nil, errors.New("tune: the test part was not read")
	}
	values := map[[2]string][]float64{}
	for _, name := range s.Test.Runs {
		rec, err := record.Open(filepath.Join(dir, filepath.FromSlash(name)))
		if err == nil && !record.InResults(metric) {
			err = rec.ReadMetrics()
		}
		if err != nil {
			return nil, err
		}
		for i := range rec.Results {
			r := &rec.Results[i]
			if r.Status == record.OK {
				at := [2]string{r.Data, r.Label}
				values[at] = append(values[at], r.Metric(metric))
			}
		}
	}
	mean := func(v []float64) float64 {
		sum := 0.0
		for _, x := range v {
			sum += x
		}
		return sum / float64(len(v)) // NaN of none
	}
	for _, one := range s.Searches {
		t := one.Chosen()
		r := Result{Data: one.Data, Label: one.Label, Trial: t.Number, Trials: len(one.Trials), Cells: one.Cells,
			Values: t.Values, Searched: float64(t.Value), SearchedDefault: float64(one.Trials[0].Value)}
		r.DefaultSeeds = values[[2]string{one.Data, one.Label}]
		r.TunedSeeds = values[[2]string{one.Data, tunedLabel(one.Label)}]
		r.Default, r.Tuned = mean(r.DefaultSeeds), mean(r.TunedSeeds)
		about, _ := eval.MetricNamed(metric)
		if r.Gain = r.Tuned - r.Default; about.Better == eval.Lower {
			r.Gain = r.Default - r.Tuned
		}
		out = append(out, r)
	}
	return out, nil
}
