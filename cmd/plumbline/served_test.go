package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"plumbline/data"
	"plumbline/data/datatest"
	"plumbline/data/export"
	"plumbline/runs/runstest"
)

// startServer is a server as a process of its own that ends with the test; base is its address.
func startServer(t testing.TB, args ...string) (base string, cmd *exec.Cmd, stderr *bytes.Buffer) {
	t.Helper()
	cmd = exec.Command(os.Args[0], append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Env = append(os.Environ(), "PLUMBLINE_TEST_MAIN=1")
	stderr = &bytes.Buffer{}
	cmd.Stderr = stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			cmd.Process.Kill()
			cmd.Wait()
		}
	})
	r := bufio.NewReader(out)
	line, err := r.ReadString('\n')
	if err != nil {
		cmd.Wait()
		t.Fatalf("%v: %s", err, stderr)
	}
	go io.Copy(io.Discard, r)
	base, _, _ = strings.Cut(line, "/v1/")
	return base, cmd, stderr
}

// send is the status and body of an answer.
func send(t testing.TB, c *http.Client, address, kind string, body []byte, header ...string) (int, []byte) {
	t.Helper()
	method := http.MethodPost
	if kind == "" {
		method = http.MethodGet
	}
	r, err := http.NewRequest(method, address, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, raw
}

func success(t testing.TB, status int, raw []byte) []byte {
	t.Helper()
	if status != http.StatusOK {
		t.Fatalf("status %d: %.500s", status, raw)
	}
	return raw
}

// excerpt is the first lines of a file of the shared data.
func excerpt(t testing.TB, file string, lines int) (out []string) {
	t.Helper()
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	z, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	for sc := bufio.NewScanner(z); len(out) < lines && sc.Scan(); {
		out = append(out, sc.Text())
	}
	return out
}

// text of a score, which is another where any bit is.
func digits(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// TestServedScores: models trained on rows of NSL-KDD, as model files, give each row of the test file the score that
// stands in the run directory, by the command score and by every way of asking a server.
func TestServedScores(t *testing.T) {
	folder := filepath.Join(datatest.Dir(t, "nsl-kdd"), "nsl-kdd")
	dir := t.TempDir()
	const trained, tested = 1500, 400
	rows := excerpt(t, filepath.Join(folder, "KDDTest+.txt.gz"), tested)
	for name, lines := range map[string][]string{"train.txt": excerpt(t, filepath.Join(folder, "KDDTrain+.txt.gz"),
		trained), "test.txt": rows} {
		err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Join(lines, "\n")+"\n"), 0o644)
		if err != nil {
			t.Fatal(err)
		}
	}
	code, out, errOut := plumb(t, "run", "--quiet", "--out", dir, writeExperiment(t, fmt.Sprintf(`
name: served
data:
  - {data: nsl-kdd, name: excerpt, files: {train: [%s], test: [%s]}, identify: [],
    expect: {train_rows: %d, test_rows: %d}}
models:
  - {model: ae, params: {epochs: 2}}
  - {model: sae, params: {epochs: 2}}
  - {model: iforest, params: {trees: 30}}
  - {model: random_forest, params: {trees: 10}}
  - markov
traces: {key: [service], symbols: [protocol_type, flag, {column: src_bytes, bins: 4}], window: {length: 4}}
split: {kind: official, validation: 0.2}
seeds: [1]
bootstrap: 0
audit: off
`, filepath.Join(dir, "train.txt"), filepath.Join(dir, "test.txt"), trained, tested)))
	if code != exitOK {
		t.Fatal(errOut)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	run := lines[len(lines)-1]
	labels := []string{"ae", "sae", "iforest", "random_forest", "markov"}
	var args []string
	want := map[string][]string{}
	for _, l := range labels {
		file := filepath.Join(dir, l+".plumb")
		if code, _, errOut := plumb(t, "bundle", run+"/"+l, "-o", file); code != exitOK {
			t.Fatal(errOut)
		}
		args = append(args, file)
		for i, line := range runstest.Scores(t, filepath.Join(run, "cells", "excerpt", l, "s1"))[1:] {
			if line[0] != strconv.Itoa(trained+i) {
				t.Fatalf("%s: line %d is of row %s", l, i, line[0])
			}
			want[l] = append(want[l], line[2])
		}
		if len(want[l]) != tested {
			t.Fatalf("%s: %d scores", l, len(want[l]))
		}
		scores := filepath.Join(dir, l+".csv")
		if code, _, errOut := plumb(t, "score", file, filepath.Join(dir, "test.txt"), "-o", scores, "-q"); code != exitOK {
			t.Fatal(errOut)
		}
		raw, err := os.ReadFile(scores)
		if err != nil {
			t.Fatal(err)
		}
		same(t, l+": score", want[l], byLine(t, raw))
	}
	base, _, _ := startServer(t, append(args, "--quiet")...)
	asked := newTable(t, rows)
	for _, l := range labels {
		asked.all(t, base, l, func(how string, got []string) { t.Helper(); same(t, l+": "+how, want[l], got) })
	}
}

func same(t testing.TB, how string, want, got []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d scores, want %d", how, len(got), len(want))
		return
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%s: row %d has the score %s, in the run directory %s", how, i, got[i], want[i])
			return
		}
	}
}

// byLine is the scores of a table that score wrote, in the order of the lines of the file.
func byLine(t testing.TB, raw []byte) []string {
	t.Helper()
	all, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	if err != nil || len(all) == 0 {
		t.Fatal(err)
	}
	out := make([]string, len(all)-1)
	line, score := -1, -1
	for i, name := range all[0] {
		switch name {
		case "line":
			line = i
		case "score":
			score = i
		}
	}
	for _, l := range all[1:] {
		at, err := strconv.Atoi(l[line])
		if err != nil || at < 1 || at > len(out) || out[at-1] != "" {
			t.Fatalf("line %q: %v", l[line], err)
		}
		out[at-1] = l[score]
	}
	return out
}

// nslColumns are the names of the columns of NSL-KDD as the data config has them, label and difficulty left out.
func nslColumns(t testing.TB) (names []string, number []bool) {
	t.Helper()
	raw, err := os.ReadFile("configs/data/nsl-kdd.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(raw), "  columns:\n")
	for line := range strings.Lines(list) {
		rest, ok := strings.CutPrefix(line, "    - {name: ")
		if !ok {
			break
		}
		name, kind, _ := strings.Cut(rest, ", ")
		names, number = append(names, name), append(number, strings.HasPrefix(kind, "type: number"))
	}
	if len(names) != 43 {
		t.Fatalf("columns %v", names)
	}
	return names[:41], number[:41]
}

// asking is rows of NSL-KDD in the forms that a server takes.
type asking struct {
	columns []string
	number  []bool
	rows    [][]any // texts and json.Number
	csv     []byte
	parquet []byte
}

func newTable(t testing.TB, rows []string) *asking {
	t.Helper()
	a := &asking{}
	a.columns, a.number = nslColumns(t)
	text := strings.Join(a.columns, ",") + "\n"
	table := &data.Table{Name: "asked", Rows: len(rows), Columns: make([]data.Column, len(a.columns))}
	levels := make([]map[string]uint32, len(a.columns))
	for i, name := range a.columns {
		levels[i] = map[string]uint32{}
		table.Columns[i] = data.Column{Name: name, Type: data.Category}
		if a.number[i] {
			table.Columns[i].Type = data.Number
		}
	}
	for _, line := range rows {
		cells := strings.Split(line, ",")[:len(a.columns)]
		text += strings.Join(cells, ",") + "\n"
		var row []any
		for i, cell := range cells {
			c := &table.Columns[i]
			if a.number[i] {
				v, err := strconv.ParseFloat(cell, 64)
				if err != nil {
					t.Fatal(err)
				}
				c.Num = append(c.Num, v)
				row = append(row, json.Number(cell))
				continue
			}
			if _, ok := levels[i][cell]; !ok {
				levels[i][cell] = uint32(len(c.Levels))
				c.Levels = append(c.Levels, cell)
			}
			c.Code = append(c.Code, levels[i][cell])
			row = append(row, cell)
		}
		a.rows = append(a.rows, row)
	}
	a.csv = []byte(text)
	file := filepath.Join(t.TempDir(), "asked.parquet")
	if _, err := export.Export(context.Background(), table, file, nil); err != nil {
		t.Fatal(err)
	}
	var err error
	if a.parquet, err = os.ReadFile(file); err != nil {
		t.Fatal(err)
	}
	return a
}

// all asks for the scores of a model in every way.
func (a *asking) all(t testing.TB, base, model string, give func(how string, got []string)) {
	t.Helper()
	objects, nd := []map[string]any{}, &bytes.Buffer{}
	var tensors []any
	for i, name := range a.columns {
		var values []any
		for _, row := range a.rows {
			values = append(values, row[i])
		}
		kind := "BYTES"
		if a.number[i] {
			kind = "FP64"
		}
		tensors = append(tensors, map[string]any{"name": name, "datatype": kind, "shape": []int{len(values), 1},
			"data": values})
	}
	for _, row := range a.rows {
		o := map[string]any{}
		for i, name := range a.columns {
			o[name] = row[i]
		}
		objects = append(objects, o)
		if err := json.NewEncoder(nd).Encode(o); err != nil {
			t.Fatal(err)
		}
	}
	encoded := func(v any) []byte {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	split := map[string]any{"columns": a.columns, "data": a.rows}
	at := base + "/v1/models/" + model + "/predict"
	for how, v := range map[string]struct {
		to   string
		body any
	}{
		"objects":         {at, map[string]any{"records": objects}},
		"arrays":          {at, map[string]any{"columns": a.columns, "records": a.rows}},
		"dataframe_split": {base + "/invocations?model=" + model, map[string]any{"dataframe_split": split}},
		"infer":           {base + "/v2/models/" + model + "/infer", map[string]any{"inputs": tensors}},
	} {
		status, raw := send(t, http.DefaultClient, v.to, "application/json", encoded(v.body))
		var answer struct {
			Predictions []struct{ Score float64 }
			Outputs     []struct {
				Name string
				Data []any
			}
		}
		if err := json.Unmarshal(success(t, status, raw), &answer); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range answer.Predictions {
			got = append(got, digits(p.Score))
		}
		if how == "infer" {
			for _, v := range answer.Outputs[0].Data {
				got = append(got, digits(v.(float64)))
			}
		}
		give(how, got)
	}
	for how, v := range map[string]struct {
		to, kind string
		body     []byte
	}{
		"CSV":          {at + "/batch", "text/csv", a.csv},
		"NDJSON":       {at + "/batch", "application/x-ndjson", nd.Bytes()},
		"Parquet":      {at + "/batch", "application/vnd.apache.parquet", a.parquet},
		"invoking CSV": {base + "/invocations?model=" + model, "text/csv", a.csv},
	} {
		status, raw := send(t, http.DefaultClient, v.to, v.kind, v.body, "Accept", "application/x-ndjson")
		success(t, status, raw)
		var got []string
		if how == "invoking CSV" {
			var answer struct{ Predictions []struct{ Score float64 } }
			if err := json.Unmarshal(raw, &answer); err != nil {
				t.Fatal(err)
			}
			for _, p := range answer.Predictions {
				got = append(got, digits(p.Score))
			}
			give(how, got)
			continue
		}
		for line := range bytes.Lines(raw) {
			var p struct{ Score float64 }
			if err := json.Unmarshal(line, &p); err != nil {
				t.Fatal(err)
			}
			got = append(got, digits(p.Score))
		}
		give(how, got)
	}
}
