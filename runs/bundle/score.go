package bundle

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"strings"

	"plumbline/data"
	"plumbline/data/prep"
	"plumbline/models"
	"plumbline/runs/experiment"
)

// Scored is a table's scores.
type Scored struct {
	Samples *data.Set         // what the model saw: rows, or windows of traces
	Raw     []float64         // of the samples
	Units   *experiment.Units // what is judged
	Scores  []float64         // of the units: higher is more anomalous
	Limit   float64           // a unit of a higher score is an alarm; NaN: the cell has no threshold
}

// Alarm says whether a unit is above the threshold.
func (s *Scored) Alarm(unit int) bool { return s.Scores[unit] > s.Limit }

// Score prepares the rows of a table as those of the data set were prepared, scores them, and brings the scores to the
// units. Windows are cut from these rows alone, and a unit's score is over these rows alone. The table needs the
// columns of [Bundle.Needed], with any levels; labels are not looked at. A table that lacks one wraps ErrTable.
func (b *Bundle) Score(ctx context.Context, t *data.Table) (*Scored, error) {
	view, err := b.view(t)
	if err != nil {
		return nil, err
	}
	rows := allRows(t)
	set, err := b.samples(ctx, view, rows)
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	units, err := b.units().Units(view, rows)
	if err != nil {
		return nil, err
	}
	raw, scores, err := b.Rule().Score(ctx, b.Detector, set, units)
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	return &Scored{Samples: set, Raw: raw, Units: units, Scores: scores, Limit: float64(b.Threshold.Score)}, nil
}

// ByRow says whether each row of a table is judged by itself, whatever the others: by a model of single rows, with
// flows as units.
func (b *Bundle) ByRow() bool {
	return b.Info.Needs.Input == data.Vectors && !b.Info.Needs.Batch && b.units().Name == "flow" &&
		b.Aggregate.Unit != "share"
}

// ScoreRows is what the model sees of some rows of a table, ascending, and their scores; of a bundle that is [ByRow].
func (b *Bundle) ScoreRows(ctx context.Context, t *data.Table, rows []int32) (*data.Set, []float64, error) {
	view, err := b.view(t)
	if err != nil {
		return nil, nil, err
	}
	set, err := b.samples(ctx, view, rows)
	if err != nil {
		return nil, nil, fmt.Errorf("bundle: %w", err)
	}
	scores, err := Score(ctx, b.Detector, set)
	if err != nil {
		return nil, nil, fmt.Errorf("bundle: %w", err)
	}
	return set, scores, nil
}

// Sequences is the traces of the rows before they are cut into windows, of a bundle whose model reads traces.
func (b *Bundle) Sequences(ctx context.Context, t *data.Table) (*prep.Sequences, error) {
	view, err := b.view(t)
	if err != nil {
		return nil, err
	}
	view.Attack, view.Class = nil, nil
	q, err := b.Tracer.Sequences(ctx, view, allRows(t), b.Pipeline)
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	return q, nil
}

// Order is the column that events of traces are in the order of; "": that of the rows.
func (b *Bundle) Order() string {
	if b.Tracer == nil {
		return ""
	}
	if b.Tracer.Spec.Order != "" {
		return b.Tracer.Spec.Order
	}
	for _, f := range b.Columns {
		if _, ok := b.needed[f.Name]; ok && f.Type == data.Time {
			return f.Name
		}
	}
	return ""
}

func allRows(t *data.Table) []int32 {
	rows := make([]int32, t.Rows)
	for i := range rows {
		rows[i] = int32(i)
	}
	return rows
}

// view is the needed columns of a table in the order of the data set, and no others: what the first time or the first
// address column is must not depend on what else a table has.
func (b *Bundle) view(t *data.Table) (*data.Table, error) {
	var missing []string
	v := *t
	v.Columns = nil
	at := make(map[string]int, len(t.Columns))
	for i := range t.Columns {
		at[t.Columns[i].Name] = i
	}
	for _, f := range b.Columns {
		if _, ok := b.needed[f.Name]; !ok {
			continue
		}
		i, ok := at[f.Name]
		switch {
		case !ok:
			missing = append(missing, fmt.Sprintf("no column %q (%v)", f.Name, f.Type))
		case t.Columns[i].Type != f.Type:
			missing = append(missing, fmt.Sprintf("column %q is of type %v, not %v", f.Name, t.Columns[i].Type, f.Type))
		default:
			v.Columns = append(v.Columns, t.Columns[i])
		}
	}
	if missing != nil {
		return nil, fmt.Errorf("bundle: %s: %w: %s", t.Name, ErrTable, strings.Join(missing, "; "))
	}
	return &v, nil
}

func (b *Bundle) samples(ctx context.Context, t *data.Table, rows []int32) (*data.Set, error) {
	var s *data.Set
	var err error
	if b.Info.Needs.Input == data.Traces {
		s, err = b.Tracer.Apply(ctx, t, rows, b.Pipeline)
	} else {
		s, err = b.Pipeline.Apply(ctx, t, rows, runtime.GOMAXPROCS(0))
	}
	if err != nil {
		return nil, err
	}
	return s.Unlabelled(), nil
}

// Rule is how the scores of samples become those of units.
type Rule struct {
	experiment.Aggregate
	FlowLimit float64 // the score above which a flow counts, for Unit share
}

// Rule is the bundle's own.
func (b *Bundle) Rule() Rule {
	a := b.Aggregate
	return Rule{experiment.Aggregate{Flow: a.Flow, Unit: a.Unit, Above: a.Above}, float64(b.Threshold.FlowLimit)}
}

// Score scores samples, and brings the scores to the units of their rows.
func (r Rule) Score(
	ctx context.Context,
	det models.Detector,
	s *data.Set,
	us *experiment.Units,
) (raw, scores []float64, err error) {
	if raw, err = Score(ctx, det, s); err != nil {
		return nil, nil, err
	}
	scores, err = r.Units(s, raw, us)
	return raw, scores, err
}

// Units brings the scores of samples to the units of their rows.
func (r Rule) Units(s *data.Set, raw []float64, us *experiment.Units) ([]float64, error) {
	flows, err := us.Flows(s, raw, r.Flow)
	if err != nil {
		return nil, err
	}
	return us.Gather(flows, r.Unit, r.FlowLimit), nil
}

// Score holds a detector to what it promises: one finite number per sample.
func Score(ctx context.Context, det models.Detector, s *data.Set) ([]float64, error) {
	out, err := det.Score(ctx, s)
	if err != nil {
		return nil, err
	}
	if len(out) != s.N {
		return nil, fmt.Errorf("the model gave %d scores for %d samples", len(out), s.N)
	}
	for i, v := range out {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("the score of sample %d is %v", i, v)
		}
	}
	return out, nil
}
