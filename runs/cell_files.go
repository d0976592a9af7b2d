package runs

import (
	"encoding/csv"
	"io"
	"math"
	"strconv"

	"plumbline/eval"
	"plumbline/models"
	"plumbline/runs/bundle"
	"plumbline/runs/foreign"
	"plumbline/runs/prepare"
	"plumbline/runs/record"
)

// writeFiles writes the cell's files but for the status.
func (j *job) writeFiles(det models.Detector, scores []float64, threshold float64, m *eval.Metrics) error {
	if err := j.files.WriteJSON("metrics.json", m); err != nil {
		return err
	}
	if err := j.files.Write("history.csv", j.writeHistory); err != nil {
		return err
	}
	if err := j.writeStream(scores, threshold); err != nil {
		return err
	}
	if j.exp.Keep.Scores {
		us := j.data.Test
		lines := record.Scores{Row: us.First, Unit: us.Keys, Score: scores, Truth: us.Truth}
		if err := j.files.Write(record.ScoresFile, lines.Write); err != nil {
			return err
		}
	}
	t := j.exp.Threshold
	_, elsewhere := det.(foreign.Detector)
	return bundle.Write(j.files, bundle.Parts{
		Cell: j.cell, Columns: j.data.Schema, Pipeline: j.data.Pipeline(prepare.NeedsOf(j.cell.Entry.Info.Needs)),
		Tracer:   j.data.Tracer,
		Detector: det, NoModel: elsewhere || !j.exp.Keep.Models, Aggregate: j.exp.Aggregate, Program: j.program,
		Calibrated: j.calibrated, Profile: j.data.Profile,
		Threshold: bundle.Threshold{
			Rule: t.Rule, Value: t.Value, On: t.On,
			Score: eval.Number(threshold), FlowLimit: eval.Number(j.rule.FlowLimit),
		},
	})
}

func (j *job) writeHistory(w io.Writer) error {
	out := csv.NewWriter(w)
	out.Write([]string{"epoch", "of", "loss", "valid_loss", "rate", "samples"})
	for _, e := range j.history {
		if math.IsNaN(e.Loss) && math.IsNaN(e.ValidLoss) {
			continue // progress, of which there is nothing to plot
		}
		out.Write([]string{
			strconv.Itoa(e.N), strconv.Itoa(e.Of), numberText(e.Loss), numberText(e.ValidLoss), numberText(e.Rate),
			strconv.Itoa(e.Samples),
		})
	}
	out.Flush()
	return out.Error()
}

// numberText is a number as CSV files of a run hold it; empty for NaN.
func numberText(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
