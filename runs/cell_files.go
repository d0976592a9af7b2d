package runs

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"

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

// writeScores writes one line a unit: a table row (of its first attack, or its first), the unit's key, the score, the
// truth. Lines are put together by hand, with encoding/csv for texts alone: there are millions of them. The fastest
// level compresses digits as well as the others do; one line is made while another is compressed.
func writeScores(w io.Writer, p *prepare.Prepared, scores []float64) error {
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(2), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return err
	}
	us := p.Test
	classes := make([]string, len(us.Truth.Names))
	for i, name := range us.Truth.Names {
		classes[i] = field(name)
	}
	out := bufio.NewWriterSize(z, 1<<16)
	out.WriteString("row,unit,score,attack,class\n")
	var line []byte
	for i, s := range scores {
		line = strconv.AppendInt(line[:0], int64(us.First[i]), 10)
		row := line
		line = append(line, ',')
		if us.Keys != nil {
			line = append(line, field(us.Keys[i])...)
		} else {
			line = append(line, row...)
		}
		line = strconv.AppendFloat(append(line, ','), s, 'g', -1, 64)
		if us.Truth.Attack[i] {
			line = append(line, ",1,"...)
		} else {
			line = append(line, ",0,"...)
		}
		out.Write(append(append(line, classes[us.Truth.Class[i]]...), '\n'))
	}
	return errors.Join(out.Flush(), z.Close())
}

// field is a text as a field of a CSV file: in quotes where it needs them.
func field(s string) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.Write([]string{s})
	w.Flush()
	return strings.TrimSuffix(b.String(), "\n")
}
