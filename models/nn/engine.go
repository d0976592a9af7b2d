package nn

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"plumbline/configs/settings"
)

// Engine builds trainable networks. What an engine cannot run it refuses, naming itself. It may use up
// to the given number of workers, which change no bit of what is learnt.
type Engine interface {
	New(n Network, p Params, workers int) (Trainer, error)
	NewSequence(s Sequence, p Params, workers int) (Trainer, error)
}

// Trainer is a network in training. It is not safe for concurrent use.
type Trainer interface {
	// Epoch does one gradient step for each batch of the rows order of the n×d matrix x, targets t (n rows, of
	// the width of the output or what [Sequence.Targets] says), and returns the mean loss of the samples as
	// they were met. The last batch may be smaller. ctx is checked between batches.
	Epoch(ctx context.Context, x, t []float32, order []int32, batch int, rate float64) (loss float64, err error)
	// Gradient is the loss of some rows and its gradient, neither clipped nor followed by a step. It sees the
	// dropout of the step to come.
	Gradient(x, t []float32, rows []int32) (loss float64, g Params, err error)
	// Params is a copy of the weights.
	Params() Params
	Close() error
}

// Centred is a trainer whose network's Centres may change between epochs.
type Centred interface {
	SetCentres(centres [][]float32) error
	Centres() [][]float32 // nil: none
}

var engines = map[string]Engine{}

// RegisterEngine makes an engine known by name. It is called from init and panics when the name is taken.
func RegisterEngine(name string, e Engine) {
	if _, dup := engines[name]; dup {
		panic("neural: engine registered twice: " + name)
	}
	engines[name] = e
}

// Engines lists the engines by name.
func Engines() []string { return slices.Sorted(maps.Keys(engines)) }

// LookupEngine is the engine of a name.
func LookupEngine(name string) (Engine, error) {
	e, ok := engines[name]
	if !ok {
		return nil, fmt.Errorf("neural: unknown engine %q%s", name, settings.DidYouMean(name, Engines()))
	}
	return e, nil
}
