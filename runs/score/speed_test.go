package score_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"plumbline/data"
	"plumbline/data/source"
	"plumbline/runs/score"
	"plumbline/runs/usage"
)

// BenchmarkScore scores 150,000 flows in CSV with an isolation forest, lines written as CSV, and says how that compares
// with reading alone and the model alone: share is (1/r + 1/s) over the time of both together, where r are the rows a
// second of processor time that are read and s those that are scored.
func BenchmarkScore(b *testing.B) {
	bundles, _, path := trained(b)
	model := bundles["iforest"]
	raw, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	head := bytes.IndexByte(raw, '\n') + 1
	many := bytes.NewBuffer(bytes.Clone(raw[:head]))
	for rows := 0; rows < 150_000; rows += bytes.Count(raw[head:], []byte{'\n'}) {
		many.Write(raw[head:])
	}
	large := filepath.Join(b.TempDir(), "large.csv")
	if err := os.WriteFile(large, many.Bytes(), 0o644); err != nil {
		b.Fatal(err)
	}
	in := input(b, model, false, large)
	ctx := context.Background()
	var read, judged, both time.Duration
	rows := 0
	for b.Loop() {
		began := usage.ProcessTime()
		var blocks []*data.Table
		rows = 0
		_, err := source.Stream(ctx, in.Config, in.Finder, 2, false, func(t *data.Table, _ float64) error {
			rows += t.Rows
			if len(blocks) == 0 {
				t.Origins = []data.Origin{{Name: "block", Rows: t.Rows}}
				all := make([]int32, t.Rows)
				for i := range all {
					all[i] = int32(i)
				}
				blocks = append(blocks, in.Table(t.Only(all)))
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		read += usage.ProcessTime() - began
		began = usage.ProcessTime()
		for n := 0; n < rows; n += blocks[0].Rows {
			if _, err := model.Score(ctx, blocks[0]); err != nil {
				b.Fatal(err)
			}
		}
		judged += usage.ProcessTime() - began
		began = usage.ProcessTime()
		out := score.NewLines(io.Discard, "csv", "")
		if _, err := score.Run(ctx, model, in, score.Options{Workers: 2}, out.Write); err != nil {
			b.Fatal(err)
		}
		both += usage.ProcessTime() - began
	}
	n := float64(rows) * float64(b.N)
	b.ReportMetric(n/read.Seconds(), "read/s")
	b.ReportMetric(n/judged.Seconds(), "judged/s")
	b.ReportMetric(n/both.Seconds(), "scored/s")
	b.ReportMetric((read+judged).Seconds()/both.Seconds(), "share")
}
