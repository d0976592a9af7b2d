package score_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"plumbline/configs"
	"plumbline/data"
	"plumbline/data/export"
	"plumbline/data/pseudonym"
	"plumbline/data/source"
	"plumbline/runs"
	"plumbline/runs/bundle"
	"plumbline/runs/experiment"
	"plumbline/runs/runstest"
	"plumbline/runs/score"
)

const small = `
name: small
data: [{data: synth, options: {hosts: 6, hours: 12, rate: 3}}]
models: [iforest]
split: {validation: 0.2}
traces: {events: true}
bootstrap: 0
audit: off
`

// trained is the bundles of a run on simulated flows, by label, and its whole table in a file.
func trained(t testing.TB, overrides ...string) (map[string]*bundle.Bundle, *data.Table, string) {
	t.Helper()
	e := runstest.Load(t, small, overrides...)
	out, err := runs.Run(context.Background(), e, runs.Options{Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	bundles := map[string]*bundle.Bundle{}
	for _, r := range out.Results {
		if r.Status != "ok" {
			t.Fatal(r.Cell, r.Error)
		}
		var file bytes.Buffer
		if err := bundle.Pack(&file, out.Dir, r.Cell); err != nil {
			t.Fatal(err)
		}
		if bundles[r.Label], err = bundle.Read(&file, r.Label); err != nil {
			t.Fatal(err)
		}
	}
	table, _, err := source.Read(context.Background(), e.Sets[0].Config, e.Finder, 1)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "flows.csv")
	if _, err := export.Export(context.Background(), table, path, nil); err != nil {
		t.Fatal(err)
	}
	return bundles, table, path
}

// input is how files are read for a bundle.
func input(t testing.TB, b *bundle.Bundle, labels bool, files ...string) *bundle.Input {
	t.Helper()
	in, err := b.Input(context.Background(), files, bundle.InputOptions{
		Labels: labels, Library: experiment.NewLibrary("", configs.Files),
	})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// scored is the lines of a file, the head first, and the summary.
func scored(t testing.TB, b *bundle.Bundle, in *bundle.Input, o score.Options) ([][]string, *score.Summary) {
	t.Helper()
	var text bytes.Buffer
	out := score.NewLines(&text, "csv", "")
	sum, err := score.Run(context.Background(), b, in, o, out.Write)
	if err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&text).ReadAll()
	if err != nil || len(lines) == 0 {
		t.Fatal(err)
	}
	return lines, sum
}

// column is the values of a column.
func column(t testing.TB, lines [][]string, name string) (out []string) {
	t.Helper()
	k := slices.Index(lines[0], name)
	if k < 0 {
		t.Fatalf("no column %s in %v", name, lines[0])
	}
	for _, l := range lines[1:] {
		out = append(out, l[k])
	}
	return out
}

// byLine is scores by the line of the file.
func byLine(t testing.TB, lines [][]string) map[string]string {
	t.Helper()
	at, values := column(t, lines, "line"), column(t, lines, "score")
	out := map[string]string{}
	for i := range at {
		if _, twice := out[at[i]]; twice {
			t.Fatalf("line %s stands there twice", at[i])
		}
		out[at[i]] = values[i]
	}
	return out
}

// TestSameScores: however few rows are held, a file has the scores that its table has as a whole, in every bit: of
// models of rows, of windows of traces with symbols and with numbers, and of models that judge all rows together where
// they are given all.
func TestSameScores(t *testing.T) {
	for _, unit := range []string{"flow", "host"} {
		for _, window := range []string{"{length: 10, stride: 1}", "{length: 6, stride: 4}", "{length: 5, growing: true}"} {
			models := "models=[markov]"
			if window == "{length: 10, stride: 1}" {
				models = "models=[iforest, markov, {model: lstm_pred, params: {epochs: 1, units: [4]}}, sequent]"
			} else if unit == "host" {
				continue
			}
			bundles, table, path := trained(t, "+unit="+unit, "+traces.window="+window, models)
			for label, b := range bundles {
				bare := *table
				bare.Attack, bare.Class, bare.Classes = nil, nil, nil
				want, err := b.Score(context.Background(), &bare)
				if err != nil {
					t.Fatal(err)
				}
				for _, hold := range []int{0, 500} {
					if hold > 0 && label == "sequent" {
						continue
					}
					lines, sum := scored(t, b, input(t, b, false, path), score.Options{Hold: hold})
					name := fmt.Sprintf("%s, unit %s, window %s, hold %d", label, unit, window, hold)
					got := byLine(t, lines)
					alarms := int64(0)
					for i, v := range want.Scores {
						line := strconv.Itoa(int(want.Units.First[i]) + 2)
						if text := strconv.FormatFloat(v, 'g', -1, 64); got[line] != text {
							t.Fatalf("%s: line %s has %q, want %s (%s)", name, line, got[line], text, sum.Warnings)
						}
						if want.Alarm(i) {
							alarms++
						}
					}
					if len(got) != len(want.Scores) || sum.Alarms != alarms || sum.Units != int64(len(got)) ||
						sum.Rows != int64(table.Rows) || sum.Late != 0 || sum.ClosedEarly != 0 {
						t.Errorf("%s: %d lines, want %d with %d alarms: %+v", name, len(got), len(want.Scores), alarms, sum)
					}
				}
			}
		}
	}
}

// TestBounds: where more is open than may be held, traces and units are closed, and the summary says so; every row has
// one line all the same.
func TestBounds(t *testing.T) {
	bundles, table, path := trained(t, "+unit=flow", "+traces.window={length: 0}", "models=[markov, sequent]")
	for _, label := range []string{"markov", "sequent"} {
		lines, sum := scored(t, bundles[label], input(t, bundles[label], false, path), score.Options{Hold: 300})
		if n := len(byLine(t, lines)); n != table.Rows || label == "markov" && sum.ClosedEarly == 0 ||
			label == "sequent" && sum.Batches < 2 || len(sum.Warnings) == 0 {
			t.Errorf("%s: %d lines of %d: %+v", label, n, table.Rows, sum)
		}
	}
	bundles, _, path = trained(t, "+unit=connection")
	lines, sum := scored(t, bundles["iforest"], input(t, bundles["iforest"], false, path), score.Options{Hold: 8})
	flows := 0
	for _, text := range column(t, lines, "flows") {
		n, _ := strconv.Atoi(text)
		flows += n
	}
	if sum.ClosedEarly == 0 || flows != table.Rows {
		t.Errorf("%d flows of %d: %+v", flows, table.Rows, sum)
	}
}

// TestLines: what a line says beside the score; alarms alone; the truth; reasons with actual and usual values.
func TestLines(t *testing.T) {
	bundles, table, path := trained(t, "threshold={rule: fpr, value: 0.05}")
	b := bundles["iforest"]
	lines, sum := scored(t, b, input(t, b, true, path), score.Options{Labels: true, Reasons: 2})
	if want := strings.Split("file line time src dst score alarm p_value attack class reason_1 share_1 actual_1 "+
		"expected_1 reason_2 share_2 actual_2 expected_2", " "); !slices.Equal(lines[0], want) {
		t.Fatalf("the columns are %v", lines[0])
	}
	src, _ := table.Column("src")
	alarms, found := 0, column(t, lines, "reason_1")
	for i, l := range lines[1:] {
		if l[0] != path || l[3] != src.Level(int32(i)) || !strings.HasSuffix(l[2], "Z") ||
			(l[8] == "1") != table.Attack[i] || l[9] != table.Classes[table.Class[i]] {
			t.Fatalf("row %d: %v", i, l)
		}
		p, err := strconv.ParseFloat(l[7], 64)
		if err != nil || p <= 0 || p > 1 {
			t.Fatalf("row %d: p-value %q", i, l[7])
		}
		is := l[6] == "1"
		if is {
			alarms++
		}
		if is != (found[i] != "") {
			t.Fatalf("row %d, alarm %v, has the reason %q", i, is, found[i])
		}
		if c, err := table.Column(found[i]); is && err == nil && l[12] != string(c.AppendText(nil, int32(i))) {
			t.Fatalf("row %d: %s is said to be %s", i, found[i], l[12])
		}
	}
	tr := sum.Truth
	if int64(alarms) != sum.Alarms || tr == nil || tr.Benign+tr.Attacks != int64(table.Rows) ||
		tr.BenignAlarms+tr.AttackAlarms != sum.Alarms || sum.Reasons == "" || !(sum.PerDay > 0) {
		t.Errorf("%d alarms: %+v %+v", alarms, sum, tr)
	}
	only, _ := scored(t, b, input(t, b, false, path), score.Options{AlarmsOnly: true})
	if len(only) != alarms+1 {
		t.Errorf("%d lines of alarms, want %d", len(only)-1, alarms)
	}
}

// TestOtherColumns: columns that are called otherwise are found, what is not as in training is said, and a file that
// lacks a column is refused with its name.
func TestOtherColumns(t *testing.T) {
	bundles, table, _ := trained(t)
	b := bundles["iforest"]
	other := *table
	other.Columns = slices.Clone(table.Columns)
	for i := range other.Columns {
		c := &other.Columns[i]
		switch c.Name {
		case "src_bytes":
			c.Name, c.Num = "Src Bytes", slices.Clone(c.Num)
			for k := range c.Num {
				c.Num[k] = 1e6 + float64(k%97)
			}
		case "service":
			c.Levels = slices.Clone(c.Levels)
			c.Levels[0] = "gopher"
		}
	}
	path := filepath.Join(t.TempDir(), "other.csv")
	if _, err := export.Export(context.Background(), &other, path, nil); err != nil {
		t.Fatal(err)
	}
	_, sum := scored(t, b, input(t, b, false, path), score.Options{})
	if sum.Read != "as inferred" || len(sum.Columns) != 1 || !slices.Contains(sum.Moved, "src_bytes") ||
		!slices.ContainsFunc(sum.Unknown, func(u score.Unknown) bool {
			return u.Column == "service" && slices.Contains(u.Some, "gopher") && u.Rows > 0
		}) {
		t.Errorf("%+v", sum)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// a header with the names is enough, unless a value has another notation or the labels are asked for
	named := bytes.Replace(raw, []byte("Src Bytes"), []byte("src_bytes"), 1)
	odd := bytes.ReplaceAll(named, []byte("1.000001e+06"), []byte("NA"))
	odd = bytes.ReplaceAll(odd, []byte("1000001"), []byte("NA"))
	if bytes.Equal(odd, named) {
		t.Fatalf("no number became NA: %.500s", named)
	}
	for _, c := range []struct {
		text   []byte
		labels bool
		read   string
	}{{named, false, "by the names in its header"}, {named, true, "as inferred"}, {odd, false, "as inferred"}} {
		if err := os.WriteFile(path, c.text, 0o644); err != nil {
			t.Fatal(err)
		}
		lines, sum := scored(t, b, input(t, b, c.labels, path), score.Options{})
		if sum.Read != c.read || int(sum.Rows) != table.Rows || column(t, lines, "src")[0] == "" ||
			column(t, lines, "time")[0] == "" {
			t.Errorf("want %s: %+v", c.read, sum)
		}
	}
	if err := os.WriteFile(path, bytes.Replace(raw, []byte("duration"), []byte("length"), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = b.Input(context.Background(), []string{path}, bundle.InputOptions{
		Library: experiment.NewLibrary("", configs.Files)})
	if err == nil || !strings.Contains(err.Error(), `"duration"`) {
		t.Errorf("without a column: %v", err)
	}
}

// TestBadRowsOfPseudonyms: what the summary says of rows that cannot be read has pseudonyms for the addresses in them.
func TestBadRowsOfPseudonyms(t *testing.T) {
	bundles, table, path := trained(t, "models=[znorm]")
	b := bundles["znorm"]
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	number := slices.IndexFunc(b.Needed(), func(c bundle.Column) bool { return c.Type == data.Number })
	head, rows, _ := strings.Cut(string(raw), "\n")
	at := slices.Index(strings.Split(head, ","), b.Needed()[number].Name)
	first, others, _ := strings.Cut(rows, "\n")
	cells := strings.Split(first, ",")
	cells[at] = "10.1.2.3"
	m, err := pseudonym.New(make([]byte, pseudonym.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	for _, hide := range []*pseudonym.Mapper{nil, m} {
		if err := os.WriteFile(path, raw, 0o644); err != nil {
			t.Fatal(err)
		}
		in := input(t, b, false, path) // which looks at the first rows
		in.Config.MaxBad = 0.5
		err := os.WriteFile(path, []byte(head+"\n"+others+strings.Join(cells, ",")+"\n"), 0o644)
		if err != nil {
			t.Fatal(err)
		}
		_, sum := scored(t, b, in, score.Options{Pseudonyms: hide})
		said := strings.Join(sum.Warnings, "\n")
		if sum.Bad != 1 || sum.Rows != int64(table.Rows-1) || strings.Contains(said, "10.1.2.3") != (hide == nil) ||
			strings.Contains(said, m.Text("10.1.2.3")) == (hide == nil) {
			t.Errorf("hidden %v, %d bad: %s", hide != nil, sum.Bad, said)
		}
	}
}
