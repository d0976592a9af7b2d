package terminal

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"plumbline/data/source"
	"plumbline/models"
	"plumbline/runs"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
)

// stage is a progress display with a clock of its own.
type stage struct {
	*Progress
	out   bytes.Buffer
	clock time.Time
}

func newStage(width int) *stage {
	s := &stage{clock: time.Unix(1e9, 0)}
	s.Progress = &Progress{w: &s.out, now: func() time.Time { return s.clock }, at: map[string]doing{},
		stop: make(chan struct{})}
	if width > 0 {
		s.width = func() int { return width }
	}
	return s
}

func cell(label string) experiment.Cell {
	return experiment.Cell{Set: &experiment.DataSet{Config: &source.Config{Name: "flows"}},
		Entry: &experiment.Entry{Label: label}, Seed: 1}
}

func ended(label, status, err string, done int) runs.Event {
	return runs.Event{Kind: runs.Finished, Cell: cell(label), Done: done, Total: 10, Result: record.Result{
		Status: status, Error: err, Metrics: map[string]float64{"auroc": 0.9, "fit_seconds": 1.5},
	}}
}

// TestPlainLinesAreSpaced: cells that end in quick succession share a line; failures always have one.
func TestPlainLinesAreSpaced(t *testing.T) {
	s := newStage(0)
	s.Event(runs.Event{Kind: runs.Planned, Dir: "out", Total: 10})
	s.clock = s.clock.Add(time.Second)
	for i, label := range []string{"a", "b", "c", "d"} {
		s.Event(ended(label, record.OK, "", i+1))
	}
	s.Event(ended("e", record.Failed, "no benign rows", 5))
	s.Event(ended("f", record.Interrupted, record.Interrupted, 6))
	s.Event(ended("g", record.OK, "", 7))
	s.Close()
	s.Close() // again is allowed
	want := `10 cells to out
[1/10] flows a seed 1: AUROC 0.9000, fit 1.5s, score –
[4/10] flows d seed 1: AUROC 0.9000, fit 1.5s, score –, and 2 more just before
[5/10] flows e seed 1: failed: no benign rows
[6/10] flows f seed 1: interrupted
[7/10] flows g seed 1: AUROC 0.9000, fit 1.5s, score –
`
	if got := s.out.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestSignOfLife: without a terminal a long cell says how far it is, at most twice a minute.
func TestSignOfLife(t *testing.T) {
	s := newStage(0)
	s.Event(runs.Event{Kind: runs.Planned, Dir: "out", Total: 2})
	s.Event(runs.Event{Kind: runs.Started, Cell: cell("ae"), Total: 2})
	s.out.Reset()
	for i := range 120 {
		s.clock = s.clock.Add(time.Second)
		s.Event(runs.Event{Kind: runs.EpochDone, Cell: cell("ae"), Total: 2, Epoch: models.Epoch{N: i + 1, Of: 240,
			Loss: 0.5}})
		s.beat()
	}
	lines := strings.Split(strings.TrimSpace(s.out.String()), "\n")
	// half of the first of two cells took 120 s: three such halves are left
	if want := "0/2 about 6m0s left · flows ae seed 1 120/240 loss 0.5"; len(lines) != 4 || lines[3] != want {
		t.Errorf("%d lines, last %q, want 4 and %q", len(lines), lines[len(lines)-1], want)
	}
}

// TestScoring: a model that has been trained is not said to be training while it scores.
func TestScoring(t *testing.T) {
	s := newStage(0)
	s.Event(runs.Event{Kind: runs.Planned, Dir: "out", Total: 2})
	for _, step := range []struct {
		kind runs.EventKind
		want string
	}{
		{runs.Started, "flows lof seed 1 training"}, {runs.Scoring, "flows lof seed 1 scoring"},
		{runs.Judging, "flows lof seed 1 metrics"},
	} {
		s.Event(runs.Event{Kind: step.kind, Cell: cell("lof"), Total: 2})
		if got := s.state(); !strings.HasSuffix(got, step.want) {
			t.Errorf("%q, want %q at the end", got, step.want)
		}
	}
}

func TestBarOnATerminal(t *testing.T) {
	s := newStage(40)
	s.Event(runs.Event{Kind: runs.Planned, Dir: "out", Total: 10})
	s.Event(runs.Event{Kind: runs.Started, Cell: cell("ae"), Total: 10})
	s.clock = s.clock.Add(10 * time.Second)
	s.Event(ended("ae", record.OK, "", 5))
	s.Event(runs.Event{Kind: runs.Started, Cell: cell("a-model-with-a-long-name"), Done: 5, Total: 10})
	out := s.out.String()
	last := out[strings.LastIndex(out, "\r\x1b[K")+len("\r\x1b[K"):]
	if want := "[##########..........] 5/10 about 10s l"; last != want {
		t.Errorf("last line %q, want %q", last, want)
	}
	s.Close()
	if !strings.HasSuffix(s.out.String(), "\r\x1b[K") {
		t.Error("the moving line stays after the end")
	}
	if strings.Contains(s.out.String(), "\x1b[3") {
		t.Error("colours")
	}
}
