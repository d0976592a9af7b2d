package command

import (
	"errors"

	"plumbline/data/eda"
	"plumbline/data/source"
	"plumbline/runs"
	"plumbline/runs/record"
)

// Exit codes.
const (
	ExitOK     = 0
	ExitFailed = 1 // a run in which some cell is not ok, or that could not be carried out
	ExitUsage  = 2 // wrong arguments or config
	// ExitAgain is of a share of a run that was interrupted, or that another process has cells of: started again, it goes
	// on (EX_TEMPFAIL of sysexits.h).
	ExitAgain = 75
)

// Failure is an error with the exit code it leads to. It has been reported already when quiet.
type Failure struct {
	Code  int
	Quiet bool
	Err   error
}

// Error is the text of the error that failed.
func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap gives that error.
func (f *Failure) Unwrap() error { return f.Err }

// Usage marks an error as one of arguments or config; nil stays nil.
func Usage(err error) error {
	if err == nil {
		return nil
	}
	return &Failure{Code: ExitUsage, Err: err}
}

// Failed marks an error as one of carrying out; nil stays nil.
func Failed(err error) error {
	if err == nil {
		return nil
	}
	return &Failure{Code: ExitFailed, Err: err}
}

// notThere says whether an error is of a name that stands for nothing, wherever that was found out: a mistake in the
// arguments or the config.
func notThere(err error) bool {
	var pair *eda.TestError
	return errors.Is(err, record.ErrNoRun) || errors.Is(err, source.ErrNoFile) || errors.Is(err, runs.ErrNoCell) ||
		errors.As(err, &pair)
}
