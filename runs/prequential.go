package runs

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"plumbline/data"
	"plumbline/eval"
	"plumbline/models"
	"plumbline/runs/bundle"
)

// segments is how many stretches of the stream stream.csv has at most.
const segments = 100

// streamed scores the test samples in turn, each by what the model has learned before it, and leaves the model as
// training left it. A model that does not learn from streams scores them as it is, with a warning.
func (j *job) streamed(ctx context.Context, det models.Detector, test *data.Set) (raw []float64, warnings []string,
	err error) {
	if test.Kind != data.Vectors {
		raw, err = bundle.Score(ctx, det, test)
		return raw, []string{"protocol prequential: the model judges traces as training left it"}, err
	}
	turns := j.exp.Protocol.Turns(test.N, j.data.Set.Split.Seed)
	stream := test.Subset(turns)
	var got []float64
	_, learns := det.(models.Updater)
	switch {
	case j.cell.Entry.Info.Needs.Batch: // it learns each row as it scores it, on a copy
		got, err = bundle.Score(ctx, det, stream)
	case learns:
		got, err = j.byBlocks(ctx, det, stream)
	default:
		warnings = append(warnings, "protocol prequential: the model does not learn from the stream")
		got, err = bundle.Score(ctx, det, stream)
	}
	if err != nil {
		return nil, nil, err
	}
	raw = make([]float64, test.N)
	for i, at := range turns {
		raw[at] = got[i]
	}
	return raw, warnings, nil
}

// byBlocks scores a block, learns it, and goes on to the next, with a copy of the model.
func (j *job) byBlocks(ctx context.Context, det models.Detector, stream *data.Set) ([]float64, error) {
	var state bytes.Buffer
	if err := det.Save(&state); err != nil {
		return nil, err
	}
	own, err := j.cell.Entry.Spec.New(models.Env{Seed: j.cell.ModelSeed(), Workers: j.workers, Log: j.log})
	if err != nil {
		return nil, err
	}
	if err := own.Load(&state); err != nil {
		return nil, err
	}
	var out []float64
	for from := 0; from < stream.N; from += j.exp.Protocol.Block {
		to := min(from+j.exp.Protocol.Block, stream.N)
		rows := make([]int, to-from)
		for i := range rows {
			rows[i] = from + i
		}
		block := stream.Subset(rows)
		got, err := bundle.Score(ctx, own, block)
		if err != nil {
			return nil, err
		}
		out = append(out, got...)
		if err := own.(models.Updater).Update(ctx, block); err != nil {
			return nil, fmt.Errorf("rows %d to %d of the stream: %w", from, to-1, err)
		}
	}
	return out, nil
}

// writeStream writes how the scores fare along the stream, where rows are what is judged.
func (j *job) writeStream(scores []float64, threshold float64) error {
	if !j.exp.Protocol.Prequential() || j.data.Test.Keys != nil {
		return nil
	}
	turns := j.exp.Protocol.Turns(len(scores), j.data.Set.Split.Seed)
	inTurn, attack := make([]float64, len(scores)), make([]bool, len(scores))
	for i, at := range turns {
		inTurn[i], attack[i] = scores[at], j.data.Test.Truth.Attack[at]
	}
	along, err := eval.Along(inTurn, attack, threshold, segments)
	if err != nil {
		return err
	}
	return j.files.Write("stream.csv", func(w io.Writer) error {
		out := csv.NewWriter(w)
		out.Write([]string{"first", "samples", "attacks", "auroc", "fpr", "recall"})
		for _, s := range along {
			out.Write([]string{strconv.Itoa(s.First), strconv.Itoa(s.Samples), strconv.Itoa(s.Attacks),
				numberText(s.AUROC), numberText(s.FPR), numberText(s.Recall)})
		}
		out.Flush()
		return out.Error()
	})
}
