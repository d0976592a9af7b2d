package settings

import (
	"strings"
)

// Problem is one thing wrong with a document.
type Problem struct {
	Where string // file:line:column, or where else the value came from; empty for values that no file holds
	Path  string // key path such as models.0.epochs; empty at the root
	Msg   string
}

func (p Problem) String() string {
	s := p.Msg
	if p.Path != "" {
		s = p.Path + ": " + s
	}
	if p.Where != "" {
		s = p.Where + ": " + s
	}
	return s
}

// Problems is an error with a line for each problem.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Err is nil when there are no problems.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}
