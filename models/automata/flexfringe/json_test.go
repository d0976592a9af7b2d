package flexfringe_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/models/automata/flexfringe"
	"plumbline/models/automata/machine"
)

// TestForeignModels replays machines that FlexFringe wrote, and writes them back unchanged in what counts.
func TestForeignModels(t *testing.T) {
	files, err := filepath.Glob(golden + "/*.model.json")
	if err != nil || len(files) != 6 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			m, err := flexfringe.ReadJSON(f, file)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if err := flexfringe.WriteJSON(m, &b); err != nil {
				t.Fatal(err)
			}
			again, err := flexfringe.ReadJSON(&b, "again")
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(m, again); d != "" {
				t.Error(d)
			}
			if m.Next(0, 0) < 0 {
				t.Error("the initial state has no edge for the first symbol")
			}
		})
	}
}

// TestForeignModelReplays: a model of FlexFringe v26, read from its file, gives the golden visits.
func TestForeignModelReplays(t *testing.T) {
	f, err := os.Open(filepath.Join(golden, "flows.v26.sink40.model.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := flexfringe.ReadJSON(f, "sink40")
	if err != nil {
		t.Fatal(err)
	}
	train, _, _ := flows(t, "flows_train.csv", m.Alphabet)
	rep := machine.NewReplayer(m, 1, false, machine.Reset, machine.V26)
	visits := make([]int64, len(m.States))
	states := make([]int32, 10)
	for w := range train.Words() {
		rep.Replay(w, states, nil)
		for _, q := range states {
			visits[q]++
		}
	}
	checkVisits(t, m, visits, readCSV(t, "flows.v26.sink40.train_state_counts.csv"))
}

func TestUnreadableModels(t *testing.T) {
	const node = `{"id":0,"source":-1,"trace":"0 0","data":{"trans_counts":{"a":"1"}}}`
	for text, want := range map[string]string{
		``:                   "EOF",
		`{"alphabet":["a"]}`: "no nodes",
		`{"alphabet":["a","a"],"nodes":[` + node +
			`]}`: "stands twice",
		`{"alphabet":[],"nodes":[` + node +
			`]}`: `unknown symbol "a"`,
		`{"alphabet":["a"],"nodes":[` + node + `,` + node +
			`]}`: "two nodes have the id 0",
		`{"alphabet":["a"],"nodes":[` + node +
			`],"edges":[{"id":"x","source":"7","target":"0","name":"a"}]}`: `unknown state "7"`,
		`{"alphabet":["a"],"nodes":[` + node +
			`],"edges":[{"source":"0","target":"0","name":"b"}]}`: `unknown symbol "b"`,
		`{"alphabet":["a"],"nodes":[` + node +
			`],"edges":[{"source":"0","target":"0","name":"a"},{"source":"0","target":"0","name":"a"}]}`: "two edges",
		`{"alphabet":["a"],"nodes":[` + strings.Replace(node, `"1"`, `"-4"`, 1) +
			`]}`: `count "-4"`,
		`{"alphabet":["a"],"nodes":[` + strings.Replace(node, `"data":{`, `"size":-2,"data":{`, 1) +
			`]}`: "out of range",
	} {
		if _, err := flexfringe.ReadJSON(strings.NewReader(text), "m.json"); !errors.Is(err, flexfringe.ErrMachine) ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
}

// TestPlacesInModels: an error names the line and column at which the item begins that is wrong.
func TestPlacesInModels(t *testing.T) {
	for text, want := range map[string]string{
		"{\n  \"nodes\": [\n    {\"id\": \"x\"}\n  ]\n}": "m.json:3:5: ",
		"{\n  \"nodes\": [\n    {\"id\": 1,}\n  ]\n}":    "m.json:3:14: ",
		"{\n  \"alphabet\": [\"a\"], \"types\": [\"1\"], \"nodes\": [{\"id\": 0, \"trace\": \"0 0\", \"source\": " +
			"-1}],\n \"edges\": [{\"source\":\"0\",\"target\":\"0\",\"name\":\"a\"},\n " +
			"{\"source\":\"0\",\"target\":\"0\",\"name\":\"b\"}]}": "m.json:4:2: ",
		"[]": "m.json:1:1: ",
	} {
		if _, err := flexfringe.ReadJSON(strings.NewReader(text), "m.json"); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
}

func FuzzReadJSON(f *testing.F) {
	raw, err := os.ReadFile(filepath.Join(golden, "letters.sequent.model.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(raw))
	f.Add(`{"alphabet":["a"],"types":["1"],"nodes":[{"id":-1,"trace":"0 0","data":{"path_counts":{"0":3},"trans_counts":{"a":"1"}}}],"edges":[{"source":"-1","target":"-1","name":"a"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := flexfringe.ReadJSON(strings.NewReader(text), "m.json")
		if err != nil {
			return
		}
		rep := machine.NewReplayer(m, 1, true, machine.Remain, machine.Clean)
		states := make([]int32, 3)
		rep.Replay([]int32{0, -1, 5}, states, nil)
		var b bytes.Buffer
		if err := flexfringe.WriteJSON(m, &b); err != nil {
			t.Fatal(err)
		}
		if _, err := flexfringe.ReadJSON(&b, "again"); err != nil {
			t.Fatalf("what was written is refused: %v\n%s", err, b.String())
		}
	})
}
