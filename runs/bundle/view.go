package bundle

import (
	"context"

	"plumbline/data"
	"plumbline/runs/experiment"
)

// View is the columns of a table that the model looks at, in the order of the data set; what is missing wraps ErrTable.
func (b *Bundle) View(t *data.Table) (*data.Table, error) { return b.view(t) }

// Samples is what the model sees of some rows of a [Bundle.View].
func (b *Bundle) Samples(ctx context.Context, view *data.Table, rows []int32) (*data.Set, error) {
	return b.samples(ctx, view, rows)
}

// Units is how rows are grouped into what is judged.
func (b *Bundle) Units(view *data.Table, rows []int32) (*experiment.Units, error) {
	return b.units().Units(view, rows)
}
