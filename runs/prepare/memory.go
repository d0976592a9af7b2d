package prepare

import (
	"fmt"

	"plumbline/data"
	"plumbline/data/source"
	"plumbline/runs/experiment"
)

// ErrMemory says that a table, what a model would see of it, or what it would make of that does not fit the memory that
// there is.
var ErrMemory = source.ErrMemory

// Bytes is the size of what a model of these needs sees, all parts of the fold together: float32 values of rows or
// events, and for events their symbol and row. It is known before any of it is made.
func (p *Prepared) Bytes(needs Needs) int64 {
	rows := int64(p.Info.Train + p.Info.Valid + p.Info.Test)
	if needs.Labels { // attacks too
		rows = int64(p.Info.Rows)
	}
	columns := int64(p.Pipeline(needs).Width())
	if !needs.Traces {
		return rows * columns * 4
	}
	size := rows * 8
	if p.Tracer != nil && p.Tracer.Spec.Events {
		size += rows * columns * 4
	}
	return size
}

// beside is what is in memory already: the table, while there is one, and the sets of other needs.
func (p *Prepared) beside() (held int64) {
	if p.live != nil {
		held = p.live.Table.Bytes()
	}
	for needs, s := range p.made {
		if s.err == nil {
			held += p.Bytes(needs)
		}
	}
	return held
}

// fits says whether what a model of these needs sees is within the limit, which is none for 0, beside what is held.
func (p *Prepared) fits(needs Needs, held, limit int64) error {
	size := p.Bytes(needs)
	if limit <= 0 || held+size <= limit {
		return nil
	}
	kind := data.Vectors
	if needs.Traces {
		kind = data.Traces
	}
	return fmt.Errorf("%w: the %v of %d rows and %d columns take %s%s, and %s may be used (--memory)", ErrMemory, kind,
		p.Info.Train+p.Info.Valid+p.Info.Test, p.Pipeline(needs).Width(), megabytes(float64(size)), besideText(held),
		megabytes(float64(limit)))
}

// FitsModel says whether what a model makes of its training set, such as the distance of each pair of rows, is within
// the limit beside what is held.
func (p *Prepared) FitsModel(e *experiment.Entry, train *data.Set) error {
	p.mu.Lock()
	held := p.beside()
	p.mu.Unlock()
	return modelFits(e, train.N, train.D, held, p.src.Memory)
}

func modelFits(e *experiment.Entry, rows, columns int, held, limit int64) error {
	size := e.Info.FitMemory(e.Spec, rows, columns)
	if limit <= 0 || size == 0 || float64(held)+size <= float64(limit) {
		return nil
	}
	return fmt.Errorf("%w: %s takes %s to learn from %d rows%s, and %s may be used (--memory)", ErrMemory, e.Label,
		megabytes(size), rows, besideText(held), megabytes(float64(limit)))
}

// trainRows is how many rows a model of these needs learns from.
func (p *Prepared) trainRows(needs Needs) int {
	if needs.Labels && p.live != nil {
		return len(p.live.split.Train)
	}
	return p.Info.Train
}

func besideText(held int64) string {
	if held == 0 {
		return ""
	}
	return fmt.Sprintf(" beside %s of tables and other sets", megabytes(float64(held)))
}

func megabytes(n float64) string { return fmt.Sprintf("%.3g MB", n/1e6) }
