package prepare

import (
	"errors"
	"fmt"

	"plumbline/data"
)

// ErrMemory says that what a model would see does not fit the memory that there is.
var ErrMemory = errors.New("not enough memory")

// Bytes is the size of what a model of these needs sees, all parts of the fold together: float32 values of rows or
// events, and for events their symbol and row. It is known before any of it is made.
func (p *Prepared) Bytes(needs Needs) int64 {
	rows := int64(p.Info.Train + p.Info.Valid + p.Info.Test)
	if needs.Labels { // attacks too
		rows = int64(p.Info.Rows)
	}
	columns := int64(len(p.Pipe.Outputs))
	if !needs.Traces {
		return rows * columns * 4
	}
	size := rows * 8
	if p.Tracer != nil && p.Tracer.Spec.Events {
		size += rows * columns * 4
	}
	return size
}

// fits says whether that is within the limit, which is none for 0.
func (p *Prepared) fits(needs Needs, limit int64) error {
	size := p.Bytes(needs)
	if limit <= 0 || size <= limit {
		return nil
	}
	kind := data.Vectors
	if needs.Traces {
		kind = data.Traces
	}
	return fmt.Errorf("%w: the %v of %d rows and %d columns take %s, and %s may be used (--memory)", ErrMemory, kind,
		p.Info.Train+p.Info.Valid+p.Info.Test, len(p.Pipe.Outputs), gigabytes(size), gigabytes(limit))
}

func gigabytes(n int64) string { return fmt.Sprintf("%.3g GB", float64(n)/1e9) }
