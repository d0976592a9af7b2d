package runs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"plumbline/data"
	"plumbline/eval"
	"plumbline/models"
	"plumbline/numeric/parallel"
	"plumbline/numeric/stat"
	"plumbline/runs/bundle"
	"plumbline/runs/claim"
	"plumbline/runs/experiment"
	"plumbline/runs/foreign"
	"plumbline/runs/prepare"
	"plumbline/runs/record"
	"plumbline/runs/usage"
)

// job is one cell at work.
type job struct {
	cell    experiment.Cell
	exp     *experiment.Experiment
	dir     *record.Directory
	work    Workplace      // where dir is nil
	files   *record.Folder // of the cell
	data    *prepare.Prepared
	workers int
	log     *slog.Logger
	observe func(Event)
	stop    func(error) // ends the run
	judge   judging
	program string       // version
	plane   *plane       // of the fold
	trained *trained     // of the fold; nil: nothing is kept
	claim   *claim.Claim // on the cell; nil in a run that is carried out alone
	owner   claim.Owner  // this process
	remote  Remote       // nil: the run directory lives here
	epochs  []epochCodes
	phases  phases
	history []models.Epoch
	result  record.Result
	rule    bundle.Rule // how the scores of samples become those of units

	calibration      int // units that the threshold was fitted to
	calibrationAbove int // how many of them are above it
	// calibrated is their scores, where they were held out
	calibrated []float64
}

// run trains, scores and judges the cell, and writes its files. Whatever goes wrong is in the result.
func (j *job) run(ctx context.Context) record.Result {
	started := time.Now()
	j.result = blankResult(j.cell)
	j.files = j.dir.Folder(j.cell.Path())
	j.rule = bundle.Rule{Aggregate: j.exp.Aggregate, FlowLimit: math.NaN()}
	j.clear()
	defer j.keepLog()()
	limited := ctx
	if j.exp.Limit > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, j.exp.Limit)
		defer cancel()
	}
	j.phases.log = j.log.With("cell", j.cell.Path())
	err := j.attempt(limited)
	if err == nil {
		err = j.mine()
	}
	j.phases.next("")
	j.result.Set("peak_rss_mb", usage.PeakRSS())
	switch {
	case err == nil:
		j.result.Status = record.OK
	case ctx.Err() != nil && errors.Is(err, ctx.Err()), errors.Is(err, claim.ErrHeld):
		j.result.Status = record.Interrupted
	case limited.Err() != nil && errors.Is(err, context.DeadlineExceeded):
		j.result.Status, err = record.TimedOut, fmt.Errorf("not done within %v: %w", j.exp.Limit, err)
	case errors.Is(err, context.DeadlineExceeded): // of a model's own limit
		j.result.Status = record.TimedOut
	default:
		j.result.Status = record.Failed
	}
	if err != nil {
		j.result.Error = oneLine(err.Error())
		j.log.Error("cell", "cell", j.cell.Path(), "status", j.result.Status, "error", err.Error())
		logPanic(j.log, "cell", j.cell.Path(), err)
	}
	if errors.Is(err, record.ErrUnwritable) {
		j.stop(err)
	}
	if j.result.Status == record.Interrupted {
		return j.result
	}
	if j.result.Status != record.TimedOut { // a cell that was too slow may go on where it was
		if err := j.checkpoints().remove(); err != nil {
			j.log.Warn("checkpoints are left", "cell", j.cell.Path(), "error", err.Error())
		}
	}
	st := record.Status{
		Cell: j.cell.Path(), Status: j.result.Status, Error: j.result.Error,
		Started: started.UTC(), Finished: time.Now().UTC(), Files: j.files.Files(), Result: j.result,
	}
	if err := j.files.WriteJSON("status.json", st); err != nil {
		j.result.Status, j.result.Error = record.Failed, oneLine(err.Error())
		j.log.Error("cell", "cell", j.cell.Path(), "error", err.Error())
		if errors.Is(err, record.ErrUnwritable) {
			j.stop(err)
		}
	}
	return j.result
}

// clear takes out what an earlier attempt left but for its checkpoints and its log.
func (j *job) clear() {
	if err := j.dir.Remove(j.cell.Path(), checkpointFolder, cellLog); err != nil {
		j.log.Warn("files of an earlier attempt are left", "cell", j.cell.Path(), "error", err.Error())
	}
	j.files.Forget()
}

func oneLine(s string) string {
	out := []rune(s)
	for i, r := range out {
		if r == '\n' || r == '\r' {
			out[i] = ' '
		}
	}
	if len(out) > 2000 {
		out = append(out[:2000], '…')
	}
	return string(out)
}

// attempt is run without the bookkeeping; a panic of the model is an error with its stack in the log.
func (j *job) attempt(ctx context.Context) (err error) {
	if p := parallel.Catch(func() { err = j.steps(ctx) }); p != nil {
		logPanic(j.log, "cell", j.cell.Path(), p)
		return fmt.Errorf("the model panicked: %v (stack in log.jsonl)", p.Value)
	}
	return err
}

// logPanic leaves the stack of a panic in the log, where the error is one.
func logPanic(log *slog.Logger, what, name string, err error) {
	if p := (*parallel.Panic)(nil); errors.As(err, &p) {
		log.Error("panic", what, name, "panic", fmt.Sprint(p.Value), "stack", string(p.Stack))
	}
}

// steps is what a cell does, in order.
func (j *job) steps(ctx context.Context) error {
	out, err := j.measure(ctx)
	if err != nil {
		return err
	}
	if err := j.importance(ctx, out.det, out.test, out.metrics); err != nil {
		return err
	}
	if err := j.coordinates(ctx, out.det, out.metrics); err != nil {
		return err
	}
	j.result.Warnings = out.metrics.Warnings
	j.phases.next("writing")
	return j.writeFiles(out.det, out.scores, out.threshold, out.metrics)
}

// outcome is what comes of a cell.
type outcome struct {
	det       models.Detector
	test      *data.Set
	scores    []float64
	threshold float64
	metrics   *eval.Metrics
}

// measure trains and scores the cell and measures it.
func (j *job) measure(ctx context.Context) (*outcome, error) {
	needs := j.cell.Entry.Info.Needs
	s, err := j.data.Sets(ctx, prepare.NeedsOf(needs))
	if err != nil {
		return nil, err
	}
	if needs.Labels.Any() && attacksIn(s.Train.Attack) == 0 {
		return nil, errors.New("no labelled attack in the training part to learn from: choose another split")
	}
	if needs.Labels.Any() {
		j.result.Set("n_train_attacks", float64(attacksIn(s.Train.Attack)))
	}
	j.result.Train, j.result.Features = s.Train.N, s.Train.D
	if s.Train.Kind == data.Traces {
		j.result.Features = len(s.Train.Alphabet)
	}
	j.result.TrainSHA256, j.result.TestSHA256 = s.TrainSum, s.TestSum
	if j.data.Pipeline(prepare.NeedsOf(needs)) != j.data.Pipe {
		j.result.Input = "native vectors" // others see other columns
	}
	j.result.Test, j.result.Valid = len(j.data.Test.First), eval.Number(len(j.data.Valid.First))
	if err := j.data.FitsModel(j.cell.Entry, s.Train); err != nil {
		return nil, err
	}
	j.phases.next("training")
	det, err := j.fit(ctx, s)
	if err != nil {
		return nil, err
	}
	j.phases.next("threshold")
	threshold, warnings, err := j.fitThreshold(ctx, det, s)
	if err != nil {
		return nil, err
	}
	if f, ok := det.(foreign.Detector); ok {
		warnings = append(f.Warnings(), warnings...)
	}
	j.phases.next("scoring")
	start := time.Now()
	once := j.once(det, s.Test)
	scores, more, err := j.score(ctx, once, s.Test)
	if err != nil {
		return nil, err
	}
	warnings = append(warnings, more...)
	j.result.Set("score_seconds", time.Since(start).Seconds())
	j.phases.next("metrics")
	j.observe(Event{Kind: Judging, Cell: j.cell})
	m, err := j.judge(scores, j.data.Test.Truth, threshold, j.exp.Bootstrap, j.cell.Seed)
	if err != nil {
		return nil, err
	}
	if !m.Unlabelled {
		if err := j.classify(ctx, once, s.Test, scores, m); err != nil {
			return nil, err
		}
		warnings = append(warnings, j.falsePositives(s.Test, scores, threshold)...)
		if err := j.operate(scores, threshold, m); err != nil {
			return nil, err
		}
	}
	m.Warnings = append(warnings, m.Warnings...)
	if err := j.reconstruction(ctx, det, s, m); err != nil {
		return nil, err
	}
	j.result.Judge(m)
	j.result.Warnings = m.Warnings
	if err := j.clusters(ctx, det, s.Test, scores); err != nil {
		return nil, err
	}
	return &outcome{det, s.Test, scores, threshold, m}, nil
}

func attacksIn(attack []bool) int {
	n := 0
	for _, a := range attack {
		if a {
			n++
		}
	}
	return n
}

func (j *job) fit(ctx context.Context, s *prepare.Sets) (models.Detector, error) {
	var mu sync.Mutex
	j.epochs = nil
	env := models.Env{
		Seed:    j.cell.ModelSeed(),
		Workers: j.workers,
		Log:     j.log.With("cell", j.cell.Path()),
		Observe: func(e models.Epoch) {
			mu.Lock()
			j.history = append(j.history, e)
			mu.Unlock()
			j.observe(Event{Kind: EpochDone, Cell: j.cell, Epoch: e})
		},
	}
	shared := &spared{trained: j.trained}
	if j.trained != nil {
		env.Trained = shared
	}
	env.Watch = j.watch(ctx)
	if j.dir != nil && env.Watch == nil { // one that goes on would lack the epochs before
		env.Checkpoints = j.checkpoints()
	}
	det, err := j.cell.Entry.Spec.New(env)
	if err != nil {
		return nil, err
	}
	if f, ok := det.(foreign.Detector); ok {
		at := j.work
		if j.dir != nil {
			at = Workplace{j.dir, j.cell.Path(), func(name string) (string, error) { return j.exp.Finder.Find("", name) }}
		}
		if at.Dir == nil {
			return nil, errors.New("a model from elsewhere needs a directory to work in")
		}
		f.Enter(foreign.Place{
			Data: j.result.Data, Label: j.result.Label, Seed: j.cell.Seed, Fold: j.cell.Fold, Prepared: j.data, Sets: s,
			Folder: filepath.Join(at.Dir.Path, filepath.FromSlash(at.Path)), Files: at.Dir.Folder(at.Path),
			Train: j.exp.Threshold.On == "train", Program: j.program,
			Find: at.Find,
		})
	}
	start := time.Now()
	if err := det.Fit(ctx, s.Train); err != nil {
		return nil, err
	}
	j.result.Set("fit_seconds", time.Since(start).Seconds()+shared.seconds())
	j.observe(Event{Kind: Scoring, Cell: j.cell})
	return det, nil
}

// fitThreshold fits what turns scores into decisions to benign scores of held-out rows, or of training rows where the
// experiment says so: the limit that flows are counted above, and the threshold.
func (j *job) fitThreshold(ctx context.Context, det models.Detector, s *prepare.Sets) (float64, []string, error) {
	share := j.exp.Aggregate.Unit == "share"
	if _, ok := det.(models.Classifier); j.exp.Threshold.OfProbabilities() && (!ok || share) {
		return math.NaN(), []string{"no threshold: rule cost is for probabilities, and the scores are none"}, nil
	}
	if j.exp.Threshold.Fixed() && !share {
		return j.exp.Threshold.Fit(nil)
	}
	from, us := s.Valid, j.data.Valid
	var warnings []string
	if j.exp.Threshold.On == "train" {
		if j.cell.Entry.Info.Needs.Labels.Any() {
			if share {
				return 0, nil, errors.New("aggregate share: its limit cannot be fitted on the training rows of a model " +
					"that learns from labels (threshold.on)")
			}
			return math.NaN(), []string{
				"no threshold: threshold.on: train cannot be used with a model that learns from labels",
			}, nil
		}
		from, us = s.Train, j.data.TrainUnits
		warnings = append(
			warnings,
			"the threshold is fitted on scores of training rows, which are lower than those of new ones",
		)
	}
	if from.N == 0 {
		if share {
			return 0, nil, errors.New(
				"aggregate share: no benign rows were held out to fit the limit of flows to (split.validation)",
			)
		}
		return math.NaN(), []string{"no threshold: no benign rows were held out (split.validation)"}, nil
	}
	raw, err := bundle.Score(ctx, det, from)
	if errors.Is(err, foreign.ErrNoRows) && !share {
		return math.NaN(), []string{"no threshold: there are no scores of held-out rows to fit it to"}, nil
	}
	if err != nil {
		return 0, nil, fmt.Errorf("threshold: %w", err)
	}
	flows, err := us.Flows(from, raw, j.exp.Aggregate.Flow)
	if err != nil {
		return 0, nil, fmt.Errorf("threshold: %w", err)
	}
	if share {
		ascending := slices.Sorted(slices.Values(flows))
		j.rule.FlowLimit = stat.Quantile(ascending, j.exp.Aggregate.Above)
	}
	fitted := us.Gather(flows, j.exp.Aggregate.Unit, j.rule.FlowLimit)
	if j.exp.Threshold.On != "train" {
		j.calibrated = fitted
	}
	t, more, err := j.exp.Threshold.Fit(fitted)
	j.calibration, j.calibrationAbove = len(fitted), 0
	for _, v := range fitted {
		if v > t {
			j.calibrationAbove++
		}
	}
	return t, append(warnings, more...), err
}

// falsePositives counts the benign units that are flagged, and warns where they are not what was asked for.
func (j *job) falsePositives(test *data.Set, scores []float64, threshold float64) []string {
	us := j.data.Test
	if math.IsNaN(threshold) {
		return nil
	}
	f := eval.CountFalsePositives(scores, us.Truth.Attack, us.NearAttack(test), threshold)
	j.result.Set("fpr", f.Rate())
	if test.Kind == data.Traces {
		j.result.Set("near_attack", float64(f.NearAttack))
		j.result.Set("fpr_near_attack", f.NearRate())
	}
	asked, ok := j.exp.Threshold.AskedRate()
	if !ok {
		return nil
	}
	j.result.Set("fpr_asked", asked)
	if doubt := f.Doubt(asked, j.calibration, j.calibrationAbove); doubt != "" {
		return []string{doubt}
	}
	return nil
}

// score is the scores of the test units, by the protocol of the experiment.
func (j *job) score(ctx context.Context, det models.Detector, test *data.Set) (scores []float64, warnings []string,
	err error) {
	if !j.exp.Protocol.Prequential() {
		_, scores, err = j.rule.Score(ctx, det, test, j.data.Test)
		return scores, nil, err
	}
	raw, warnings, err := j.streamed(ctx, det, test)
	if err != nil {
		return nil, nil, err
	}
	scores, err = j.rule.Units(test, raw, j.data.Test)
	return scores, warnings, err
}

func blankResult(c experiment.Cell) record.Result {
	r := record.Result{
		Data: c.Set.Config.Name, Model: c.Entry.Info.Name, Label: c.Entry.Label, Seed: c.Seed, Fold: c.Fold,
		Unit: c.Set.Unit.String(), Cell: c.Path(), Input: c.Entry.Info.Needs.Input.String(),
		Deterministic: !c.Entry.UsesSeed(), Valid: eval.Number(math.NaN()),
	}
	if !r.Deterministic && c.Fold != "" {
		r.ModelSeed = c.ModelSeed()
	}
	return r
}
