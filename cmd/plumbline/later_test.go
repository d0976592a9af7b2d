package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plumbline/configs"
	"plumbline/data"
	"plumbline/data/datatest"
	"plumbline/data/export"
	"plumbline/data/source"
	"plumbline/eval"
	"plumbline/runs/experiment"
	"plumbline/runs/score"
)

var laterRates = flag.String("later-rates", "", "measure the false-positive rates on later benign traffic of these "+
	"models, with commas between; all: of those of the table in docs/results.md, and rewrite it")

// laterSets are the data sets of the table, with the folder of their files.
var laterSets = [][2]string{{"ctu-argus", "ctu-mcfp-binetflow"}, {"iot23-honeypot-4-1", "iot-23"},
	{"stratosphere-008", "stratosphere-zeek"}}

// laterModels are those of rows, then those of traces.
var laterModels = []string{"iforest", "znorm", "hbos", "pca", "copod", "lof", "knn", "ocsvm", "gmm", "ae", "ngram",
	"markov", "pdfa", "sequent", "msm", "lstm_pred", "lstm_density", "deeplog"}

// asked are the rates.
var asked = []float64{0.01, 0.05}

// benignParts writes the benign flows of a data set, unlabelled and in the order of time, as two files: the first 70 %,
// and the later ones.
func benignParts(t *testing.T, set, dir string) (first, later string) {
	t.Helper()
	c, finder, _, err := experiment.NewLibrary("", configs.Files).DataSet(set)
	if err != nil {
		t.Fatal(err)
	}
	table, _, err := source.Read(context.Background(), c, finder, 2)
	if err != nil {
		t.Fatal(err)
	}
	at, err := table.TimeColumn("")
	if err != nil {
		t.Fatal(err)
	}
	var rows []int32
	for r := range int32(table.Rows) {
		if !table.Attack[r] {
			rows = append(rows, r)
		}
	}
	slices.SortStableFunc(rows, func(a, b int32) int { return int(min(1, max(-1, at.Nanos[a]-at.Nanos[b]))) })
	table.Attack, table.Class, table.Classes, table.Parts, table.Lines, table.Origins = nil, nil, nil, nil, nil, nil
	write := func(name string, rows []int32) string {
		part := &data.Table{Name: set, Rows: len(rows)}
		for _, c := range table.Columns {
			part.Columns = append(part.Columns, taken(c, rows))
		}
		path := filepath.Join(dir, name)
		if _, err := export.Export(context.Background(), part, path, nil); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cut := len(rows) * 7 / 10
	return write("first.csv", rows[:cut]), write("later.csv", rows[cut:])
}

// taken is rows of a column in their order.
func taken(c data.Column, rows []int32) data.Column {
	out := c
	out.Num, out.Code, out.Nanos = nil, nil, nil
	for _, r := range rows {
		switch {
		case c.Num != nil:
			out.Num = append(out.Num, c.Num[r])
		case c.Code != nil:
			out.Code = append(out.Code, c.Code[r])
		default:
			out.Nanos = append(out.Nanos, c.Nanos[r])
		}
	}
	return out
}

// onLater trains a model on earlier flows and scores the later ones, by the commands, and gives the summary.
func onLater(t *testing.T, model string, rate float64, first, later, dir string) (sum score.Summary) {
	t.Helper()
	file := func(name string) string { return filepath.Join(dir, name) }
	events := "data.0.traces.events=false" // that some models need the values of
	if slices.Contains([]string{"msm", "lstm_pred", "lstm_density"}, model) {
		events = "data.0.traces.events=true"
	}
	for _, args := range [][]string{
		{"train", first, events, "--model", model, "--held", "0.3", "--last", "0.02", "--fpr", fmt.Sprint(rate), "-o",
			file("m.plumb"), "-q", "--force"},
		{"score", file("m.plumb"), later, "-o", file("scores.csv"), "--summary", file("sum.json"), "-q", "--force"},
	} {
		if code, _, errOut := plumb(t, args...); code != exitOK {
			t.Fatalf("%v: exit %d: %s", args, code, errOut)
		}
	}
	raw, err := os.ReadFile(file("sum.json"))
	if err == nil {
		err = json.Unmarshal(raw, &sum)
	}
	if err != nil {
		t.Fatal(err)
	}
	// as many held-out scores are above a conformal threshold as the rate allows
	if want := math.Floor(rate*float64(sum.PValues+1)+1e-9) / float64(sum.PValues+1); float64(sum.Expected) >
		want*float64(sum.Units)+1e-6 && want > 0 {
		t.Errorf("%s: %v alarms expected of %d, at most %v were asked for", model, sum.Expected, sum.Units, want)
	}
	return sum
}

// said says whether a warning has a text.
func said(s *score.Summary, text string) bool {
	return slices.ContainsFunc(s.Warnings, func(w string) bool { return strings.Contains(w, text) })
}

// TestLaterBenign: where a conformal threshold gives more alarms on later benign traffic than chance explains, score
// says so, and nowhere else; where columns moved it says that. With -later-rates=all of the models of the table of
// docs/results.md on all three data sets, which it makes; else of some.
func TestLaterBenign(t *testing.T) {
	if testing.Short() {
		t.Skip("training, which package runs tests")
	}
	sets, list := laterSets[2:], []string{"iforest", "ngram"}
	if *laterRates != "" {
		if sets, list = laterSets, laterModels; *laterRates != "all" {
			list = strings.Split(*laterRates, ",")
		}
	}
	rows := make([][]string, len(list)+1)
	for i, m := range list {
		rows[i] = []string{"`" + m + "`"}
	}
	rows[len(list)] = []string{"held out, later; moved"}
	head := "| model |"
	for _, set := range sets {
		datatest.Dir(t, set[1])
		dir := t.TempDir()
		first, later := benignParts(t, set[0], dir)
		head += " " + set[0] + " |"
		for i, m := range list {
			cell := ""
			for k, rate := range asked {
				r := onLater(t, m, rate, first, later, dir)
				text := fmt.Sprintf("%.1f", 100*float64(r.Alarms)/float64(r.Units))
				above := int(math.Round(float64(r.Expected)/float64(r.Units)*float64(r.PValues+1))) - 1
				many := eval.TooMany(int(r.Alarms), int(r.Units), r.PValues, above)
				if many {
					text += "*"
				}
				if many != said(&r, "chance does not explain") || len(r.Moved) > 0 != said(&r, "not as in training") {
					t.Errorf("%s on %s: %d alarms of %d at %v, %v moved, and the warnings are %q", m, set[0], r.Alarms, r.Units,
						rate, r.Moved, r.Warnings)
				}
				if cell += " / " + text; i == 0 && k == 0 {
					rows[len(list)] = append(rows[len(list)], fmt.Sprintf("%d, %d; %d of %d", r.PValues, r.Units, len(r.Moved),
						len(r.Drift)))
				}
			}
			rows[i] = append(rows[i], cell[3:])
		}
	}
	table := head + "\n|" + strings.Repeat(" --- |", len(sets)+1) + "\n"
	for _, r := range rows {
		table += "| " + strings.Join(r, " | ") + " |\n"
	}
	if t.Log(table); *laterRates != "all" {
		return
	}
	const page, begin = "docs/results.md", "<!-- later benign traffic -->\n"
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(raw), begin)
	_, after, ok2 := strings.Cut(rest, "<!-- end -->")
	if !ok || !ok2 {
		t.Fatalf("%s lost its table:\n%s", page, table)
	}
	if err := os.WriteFile(page, []byte(before+begin+table+"<!-- end -->"+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
