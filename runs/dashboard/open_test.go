package dashboard

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plumbline/data/source"
	"plumbline/runs"
	"plumbline/runs/bundle"
	"plumbline/runs/runstest"
)

// TestScores: rows that are scored a block at a time have the scores and reasons that all at once have; which of them
// tested the model is known of the data of its run, and of no other.
func TestScores(t *testing.T) {
	ctx := context.Background()
	e := runstest.Load(t, "name: d\ndata: [{data: synth, options: {hosts: 4, hours: 6, rate: 3}}]\n"+
		"models: [znorm, {model: iforest, params: {trees: 5}}]\nseeds: [1]\ncontrols: off\nbootstrap: 0\n")
	out, err := runs.Run(ctx, e, runs.Options{Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	c := e.Sets[0].Config
	table, _, err := source.Read(ctx, c, e.Finder, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range out.Results {
		b, err := bundle.Open(filepath.Join(out.Dir, r.Cell))
		if err != nil {
			t.Fatal(err)
		}
		whole, err := b.Score(ctx, table)
		if err != nil {
			t.Fatal(err)
		}
		d := &Dashboard{table: table, bundle: b}
		got, limit, err := d.scores(ctx, 100)
		if err != nil || !b.ByRow() || !slices.Equal(got, whole.Scores) || limit != whole.Limit {
			t.Fatalf("%s: scores by blocks of rows differ from those of all: %v", r.Label, err)
		}
		if d, err = Open(ctx, table, c, b, nil); err != nil {
			t.Fatal(err)
		}
		highest := d.highest(3)
		details, err := d.Details(ctx, highest)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range highest {
			if v := details[i]; v == nil || len(v.Reasons) == 0 || v.Reasons[0].Usual == noValue || v.Why == "" {
				t.Errorf("%s: flow %d has no reasons: %+v", r.Label, i, v)
			}
		}
		part := view(t, d.Flows, "part=test", 1)
		story := strings.Join(d.story(view(t, d.Flows, "", 1)).Doubts, " ")
		if part.Kept != r.Test || !strings.Contains(story, "learned from too") || !strings.Contains(story, "tested it") {
			t.Errorf("%s: %d flows tested the model, want %d: %s", r.Label, part.Kept, r.Test, story)
		}
		other := *c
		other.Name = "elsewhere"
		if d, err = Open(ctx, table, &other, b, nil); err != nil || d.dim("part") >= 0 || d.Seen {
			t.Errorf("%s: rows of another data set tested the model: %v", r.Label, err)
		}
	}
}
