package recurrent

import (
	"plumbline/data"
	"plumbline/models"
	"plumbline/models/nn"
)

// task is what a network of a sequential detector is to do with a window.
type task interface {
	symbols() bool // works on symbols, not on the rows of events
	// network is the description for events of size columns, or an alphabet of size symbols.
	network(size int) nn.Sequence
	// example is a window as it is trained on: input and target.
	example(s *data.Set, w window, x, t []float32)
	// input is a window as it is judged.
	input(s *data.Set, w window, x []float32)
	// score judges a window by what the network gave.
	score(s *data.Set, w window, out []float32) float64
}

// fittedTask is a task that takes from the training set what the network's description depends on.
type fittedTask interface {
	task
	learn(s *data.Set) task
	arrays() models.Arrays // what was learnt, to be saved
	restore(arrays models.Arrays, size int) (task, error)
}

// residualTask is a task whose errors are vectors.
type residualTask interface {
	task
	// vectors is how many error vectors a window has, and how wide they are.
	vectors(s *data.Set, w window) (n, width int)
	// errors writes a window's error vectors.
	errors(s *data.Set, w window, out, to []float32)
}

// overlapping is a task that may score an event by all windows that hold it. Its error vectors are those of a
// window's last events, in their order.
type overlapping interface {
	residualTask
	shared() bool
}

// explainsColumns is a task that gives the terms of a window's score: one for each column of the events.
type explainsColumns interface {
	task
	terms(s *data.Set, w window, out []float32, to []float64)
}

// explainsEvents is a task that gives the terms of a window's score: one for each of the last events, as many as it
// sees.
type explainsEvents interface {
	task
	steps(s *data.Set, w window, out []float32, to []float64)
}
