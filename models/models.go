package models

import (
	"context"
	"errors"
	"hash/fnv"
	"io"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"time"

	"plumbline/data"
	"plumbline/numeric/parallel"
)

// Detector learns what normal looks like and scores how far samples are from it.
type Detector interface {
	// Fit learns from train, forgetting any earlier Fit, also when it fails. It keeps no reference to train and does
	// not
	// change it. A cancelled ctx ends it promptly with ctx.Err() somewhere in the error. Unusable data is
	// an error that wraps ErrInput.
	Fit(ctx context.Context, train *data.Set) error
	// Score returns one finite number per sample, higher meaning more anomalous. Unless Needs.Batch, a
	// sample's score does not depend on the other samples. Safe for concurrent use after Fit or Load;
	// before either it is ErrNotFitted.
	Score(ctx context.Context, s *data.Set) ([]float64, error)
	// Save writes what Fit learned (no code, no gob of interfaces); Load restores it into a detector
	// built from the same Spec. Foreign or truncated bytes are an error that wraps ErrState.
	Save(w io.Writer) error
	Load(r io.Reader) error
}

// Sentinels. Test for them with errors.Is.
var (
	ErrInput     = errors.New("unusable input")      // the data does not fit the model
	ErrNotFitted = errors.New("not fitted")          // Score or Save before Fit or Load
	ErrState     = errors.New("unreadable model")    // Load of foreign, truncated or damaged bytes
	ErrSpec      = errors.New("bad hyper-parameter") // a Spec value out of range, or an impossible combination
)

// Spec is one model's hyper-parameters as they stand in a config file, and its constructor. It is a
// pointer to a struct whose fields carry yaml names, a jsonschema tag with the legal range, and a doc comment
// that is the help text of the setting (see settings.FieldDoc).
type Spec interface {
	// New checks the values and builds an unfitted detector. It touches no data and no files. A bad value
	// is an error that wraps ErrSpec.
	New(env Env) (Detector, error)
}

// Env is what a runner lends to a detector: its random streams, a place to report to, and how many
// goroutines it may use. The zero Env works.
type Env struct {
	Seed    uint64
	Log     *slog.Logger // nil: silent
	Observe func(Epoch)  // nil: nobody watches; called from Fit's own goroutine
	Workers int          // goroutines that Fit and Score may keep busy; < 1 means all processors

	// Watch, where it is not nil, is called by models that are a Coder before the first epoch, as 0, and after each, with
	// what codes rows by the weights of then. It must not change them.
	Watch func(epoch int, codes func(context.Context, *data.Set) (*data.Set, error)) error

	Checkpoints Checkpoints // where a long Fit leaves what it can go on from; nil: nowhere
	Trained     Trained     // weights that other models have learnt from the same rows; nil: none are kept
}

// Checkpoints keeps the state of a long Fit under names that the Fit chooses, so that one that was interrupted
// can go on. What a Fit learns does not depend on it. It is safe for concurrent use.
type Checkpoints interface {
	// Load is what was saved last under the name, or nil.
	Load(name string) ([]byte, error)
	Save(name string, state []byte) error
}

// Trained keeps weights for models that would learn the same again, such as one network under several one-class models.
// What a Fit learns does not depend on it. It is safe for concurrent use.
type Trained interface {
	// Find is what was kept under the key, a hash of all that the weights depend on, or nil. Nobody may change it.
	Find(key string) *Weights
	// Keep takes weights, which nobody may change any more.
	Keep(key string, w *Weights)
}

// Weights are what came of a training, how it went, and how long it took.
type Weights struct {
	Arrays  [][]float32
	History []Epoch
	Took    time.Duration
}

// Rand is a random stream that belongs to the seed and the name alone: the same two give the same
// numbers whatever else was drawn. Use one stream for one purpose.
func (e Env) Rand(stream string) *rand.Rand {
	h := fnv.New64a()
	io.WriteString(h, stream)
	return rand.New(rand.NewPCG(e.Seed, h.Sum64()))
}

// Parallel is Workers with its default filled in.
func (e Env) Parallel() int {
	if e.Workers >= 1 {
		return e.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// Logger is Log with its default filled in.
func (e Env) Logger() *slog.Logger {
	if e.Log != nil {
		return e.Log
	}
	return slog.New(slog.DiscardHandler)
}

// Blocks runs work on [0, n) in blocks, on up to Parallel goroutines, and returns when all are done. The
// cut into blocks depends on n alone: what work writes per index, or per block (from/block), is the same
// whatever the number of workers. A cancelled ctx leaves the remaining blocks out and is the error. A
// panic of work is that of Blocks, so that the caller can catch it.
func (e Env) Blocks(ctx context.Context, n, block int, work func(from, to int)) error {
	return parallel.Blocks(ctx, e.Parallel(), n, block, work)
}

// Progress reports ep to whoever watches.
func (e Env) Progress(ep Epoch) {
	if e.Observe != nil {
		e.Observe(ep)
	}
}

// Epoch is one step of a long Fit that is worth a line of history: an epoch of a network, a sweep of a
// solver, a batch of trees.
type Epoch struct {
	N, Of     int     // 1-based, and the most there will be (0: nobody knows)
	Loss      float64 // mean training loss; NaN where the model has none
	ValidLoss float64 // NaN when there is none
	Rate      float64 // learning rate; NaN when there is none
	Samples   int     // samples seen in this step
}

// Coder is a fitted model that has a code of each row, such as the bottleneck of an auto-encoder.
type Coder interface {
	// Codes returns vectors, one for each row of the set in its order.
	Codes(ctx context.Context, s *data.Set) (*data.Set, error)
}

// Explainer gives the reasons for scores.
type Explainer interface {
	// Explain returns, for every sample, one contribution per name; higher means that it adds more to the score.
	Explain(ctx context.Context, s *data.Set) (names []string, contributions [][]float64, err error)
}

// Expecter is a model that expects a value in each column of a row, against which the row's own can be held.
type Expecter interface {
	// Expected returns, for every sample, one value for each column of the set, in its units.
	Expected(ctx context.Context, s *data.Set) ([][]float64, error)
}

// Clusterer is a model that partitions samples before it judges them.
type Clusterer interface {
	// Clusters is the number of each sample's cluster, from 0.
	Clusters(ctx context.Context, s *data.Set) ([]int32, error)
}

// Reconstructor is a model that rebuilds samples.
type Reconstructor interface {
	// Reconstruction is the mean over columns of the squared difference between each sample and what the model makes of
	// it, whatever its score is; nil where a model of these settings rebuilds nothing.
	Reconstruction(ctx context.Context, s *data.Set) ([]float64, error)
}

// Rescalable is a [Spec] whose training takes epochs, so that there can be a longer one: the clusters of a partitioned
// model that have few rows are trained for more of them.
type Rescalable interface {
	Spec
	// Rescaled is the same settings with a training that is factor times as long, factor at least 1.
	Rescaled(factor float64) Spec
}

// Cause is what in a sample its score comes from.
type Cause struct {
	Name  string // of what causes scores of one kind, such as a machine's state or a column
	Event int    // position in the trace, from 0; -1 when it is the sample as a whole
}

// Investigator is a model that can say which part of a sample stands out, so that alarms can be sorted by cause.
type Investigator interface {
	// Causes returns one cause for each sample. Where Needs.Batch, samples must be those of Score, in their order.
	Causes(ctx context.Context, s *data.Set) ([]Cause, error)
}

// Classifier gives probabilities next to scores.
type Classifier interface {
	// Probabilities returns n×k class probabilities, each row summing to 1, and the k class names.
	Probabilities(ctx context.Context, s *data.Set) (classes []string, p [][]float64, err error)
}

// ScoringClassifier gives scores and probabilities in one pass: those of Score and of Probabilities.
type ScoringClassifier interface {
	Classifier
	ScoreProbabilities(ctx context.Context, s *data.Set) (scores []float64, classes []string, p [][]float64, err error)
}

// AttackProbabilities is what a [Classifier] gives whose scores are probabilities of an attack.
func AttackProbabilities(scores []float64) (classes []string, p [][]float64) {
	p = make([][]float64, len(scores))
	for i, v := range scores {
		p[i] = []float64{1 - v, v}
	}
	return []string{"benign", "attack"}, p
}

// Updater is a detector that goes on learning from a stream.
type Updater interface {
	// Update learns from more samples, in their order, without forgetting; before Fit or Load it is ErrNotFitted, and
	// a set that Score refuses it refuses alike, learning nothing. It keeps no reference to the set and does not change
	// it. It must not run beside another call.
	Update(ctx context.Context, more *data.Set) error
}
