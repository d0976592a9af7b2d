package runs

import (
	"encoding/csv"
	"errors"
	"io"
	"math"
	"strconv"

	"github.com/klauspost/compress/zstd"

	"plumbline/eval"
	"plumbline/models"
	"plumbline/runs/bundle"
	"plumbline/runs/prepare"
)

// writeFiles writes the cell's files but for the status.
func (j *job) writeFiles(det models.Detector, scores []float64, threshold float64, m *eval.Metrics) error {
	if err := j.files.WriteJSON("metrics.json", m); err != nil {
		return err
	}
	if err := j.files.Write("history.csv", j.writeHistory); err != nil {
		return err
	}
	if j.exp.Keep.Scores {
		write := func(w io.Writer) error { return writeScores(w, j.data, scores) }
		if err := j.files.Write("scores.csv.zst", write); err != nil {
			return err
		}
	}
	t := j.exp.Threshold
	return bundle.Write(j.files, bundle.Parts{
		Cell: j.cell, Columns: j.data.Schema, Pipeline: j.data.Pipe, Tracer: j.data.Tracer,
		Detector: det, NoModel: !j.exp.Keep.Models, Aggregate: j.exp.Aggregate, Program: j.program,
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

// writeScores writes one line a unit: a table row (of its first attack, or its first), the unit's key, the
// score, the truth.
func writeScores(w io.Writer, p *prepare.Prepared, scores []float64) error {
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	out := csv.NewWriter(z)
	line := []string{"row", "unit", "score", "attack", "class"}
	out.Write(line)
	us := p.Test
	for i, s := range scores {
		line[0] = strconv.Itoa(int(us.First[i]))
		line[1] = line[0]
		if us.Keys != nil {
			line[1] = us.Keys[i]
		}
		line[2], line[3] = strconv.FormatFloat(s, 'g', -1, 64), "0"
		if us.Truth.Attack[i] {
			line[3] = "1"
		}
		line[4] = us.Truth.Names[us.Truth.Class[i]]
		out.Write(line)
	}
	out.Flush()
	return errors.Join(out.Error(), z.Close())
}
