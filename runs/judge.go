package runs

import (
	"context"
	"fmt"
	"log/slog"
	"math"

	"plumbline/eval"
	"plumbline/numeric/parallel"
	"plumbline/runs/bundle"
	"plumbline/runs/experiment"
	"plumbline/runs/prepare"
	"plumbline/runs/record"
)

// Workplace is a folder of a directory in which a program from elsewhere works and leaves what it printed.
type Workplace struct {
	Dir  *record.Directory
	Path string // with slashes
	// Find is the path of a file that the program's arguments name.
	Find func(name string) (string, error)
}

// Judge trains a model on a prepared fold, judges it on the fold's test rows as a cell of a run would, and writes
// nothing but what a program from elsewhere leaves at its workplace, which other models do not need. Metrics are those
// of metrics.json, without intervals where the experiment's bootstrap is 0. Of the experiment, thresholds, aggregation,
// protocol and timeout are looked at. A panic of the model is an error.
func Judge(ctx context.Context, e *experiment.Experiment, p *prepare.Prepared, c experiment.Cell, workers int,
	at Workplace,
) (m *eval.Metrics, err error) {
	silent := slog.New(slog.DiscardHandler)
	j := &job{
		cell: c, exp: e, data: p, workers: workers, work: at, log: silent, observe: func(Event) {}, stop: func(error) {},
		judge: eval.Summarise,
		rule:  bundle.Rule{Aggregate: e.Aggregate, FlowLimit: math.NaN()}, phases: phases{log: silent},
		result: blankResult(c),
	}
	if e.Limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, e.Limit)
		defer cancel()
	}
	var out *outcome
	if caught := parallel.Catch(func() { out, err = j.measure(ctx) }); caught != nil {
		return nil, fmt.Errorf("the model panicked: %v", caught.Value)
	}
	if err != nil {
		return nil, err
	}
	return out.metrics, nil
}
