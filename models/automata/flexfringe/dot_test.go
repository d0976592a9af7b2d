package flexfringe_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/data/corpus"
	"plumbline/models/automata/flexfringe"
	"plumbline/models/automata/machine"
)

// TestDOTRoundTrip: FlexFringe's models and one with names that need encoding come back as they were.
func TestDOTRoundTrip(t *testing.T) {
	files, err := filepath.Glob(golden + "/*.model.json")
	if err != nil || len(files) != 6 {
		t.Fatal(files, err)
	}
	var machines []*machine.Machine
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		m, err := flexfringe.ReadJSON(f, file)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		machines = append(machines, m)
	}
	odd := &corpus.Corpus{Alphabet: []string{`a "b"`, "c,d:5 %41", "", `\n`, "ü", "<x>", "\xff\ufffd\x80"},
		Types: []string{"not ok", "#1"}}
	for i := range 60 {
		odd.Append([]int32{int32(i % 7), int32(i % 5), int32(i % 4)}, int32(i%2))
	}
	spec := machine.Alergia()
	spec.StateCount, spec.SinkCount = 1, 4
	m, err := machine.Learn(context.Background(), spec, odd.Words(), odd.Alphabet, odd.Types, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range append(machines, m) {
		var b bytes.Buffer
		if err := flexfringe.WriteDOT(m, &b); err != nil {
			t.Fatal(err)
		}
		again, err := flexfringe.ReadDOT(&b, "m.dot")
		if err != nil {
			t.Fatalf("machine %d: %v", i, err)
		}
		if d := cmp.Diff(m, again); d != "" {
			t.Errorf("machine %d: %s", i, d)
		}
	}
}

// TestForeignDOT: a drawing in FlexFringe's layout, with the root named twice, and a plain one.
func TestForeignDOT(t *testing.T) {
	m, err := flexfringe.ReadDOT(strings.NewReader("// drawn // \ndigraph DFA {\n\t0 [label=\"root\" "+
		"shape=box];\n\t\tI -> 0;\n"+
		"\t0 [ label=\"0 #48 fin: 1:3 , \n path: 1:40 , 0:5 , \n45 3\" , penwidth=6.1];\n\t\t0 -> 1 [label=\"a 30 \" "+
		", penwidth=6.1 ];\n"+
		"\t\t0 -> 0 [label=\"b 15 \" , penwidth=6.1 ];\n\t1 [ label=\"1 #30 fin: 0:21 , \n path: 1:9 , \"];\n}\n"),
		"m.dot")
	if err != nil {
		t.Fatal(err)
	}
	s := m.States[0]
	if len(m.States) != 2 || m.Next(0, 0) != 1 || m.Next(0, 1) != 0 || m.Seen(0, 0) != 30 || m.Seen(0, 1) != 15 ||
		s.Size != 48 || s.Paths != 45 || s.Final != 3 {
		t.Errorf("%+v", m)
	}
	if d := cmp.Diff([]string{"1", "0"}, m.Types); d != "" || m.States[1].Final != 21 ||
		m.States[1].FinalTypes[1] != 21 || m.States[1].Paths != 9 {
		t.Errorf("%s %+v", d, m.States[1])
	}
	plain, err := flexfringe.ReadDOT(strings.NewReader("digraph g {\n__start0 [label=\"\" shape=\"none\"]\ns1 "+
		"[label=\"s1\"]\n__start0 -> s1\ns1 -> s1[label=\"a\"]\ns1 -> s2[label=\"b\"]\n}"), "p.dot")
	if err != nil {
		t.Fatal(err)
	}
	if flexfringe.HasCounts(plain) || !flexfringe.HasCounts(m) || len(plain.States) != 2 || plain.Next(0, 1) != 1 {
		t.Errorf("%+v", plain)
	}
}

func TestDOTErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "m.dot:1:1: error: expected one of strict",
		"graph {}":                             "m.dot: want one digraph",
		"digraph {\n a -> b":                   "m.dot:2:8: error: expected",
		"digraph {\n a [x=\"":                  "m.dot:2:7: error: expected id",
		"digraph { a -> b [label=x] }":         "no arrow without a label",
		"digraph { I -> a\nJ -> b }":           `m.dot: arrow "J" -> "b": a second arrow`,
		"digraph { I -> I }":                   "is a state itself",
		"digraph { I -> a; a -> I [label=x] }": `m.dot: arrow "a" -> "I": node "I" marks`,
		"digraph { I -> a;\n a -> a [label=\"x 1\\n4 >= 2\"] }":        `m.dot: arrow "a" -> "a": label`,
		"digraph { I -> a;\n a -> a [label=\"x -1\"] }":                `m.dot: arrow "a" -> "a": symbol "x": "-1" is not a count`,
		"digraph { I -> a; a -> a [label=x]; a -> I2 [label=x] }":      "two edges for the symbol",
		"digraph { I -> a } digraph { I -> a }":                        "want one digraph",
		"digraph { I -> a:n }":                                         "ports are not read",
		"digraph { I -> {a b} }":                                       "subgraphs are not read",
		"digraph { subgraph x {} }":                                    "subgraphs are not read",
		"digraph { I -> a [label=<b>] }":                               "HTML",
		"digraph { I -> a; a [label=\"a #x\"] }":                       `"x" is not a count`,
		"digraph { graph [encoding=percent alphabet=\"%4\"]; I -> a }": "percent code",
		"digraph { /* I -> a }":                                        "m.dot:1:11: error",
		"digraph { I -> a } x":                                         "m.dot:1:20: error",
		"digraph { I -> a; a [access=\"x\"] }":                         "unknown symbol",
	} {
		if _, err := flexfringe.ReadDOT(strings.NewReader(text), "m.dot"); !errors.Is(err, flexfringe.ErrMachine) ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
}

// FuzzReadDOT: whatever the bytes, there is an error or a machine that can be drawn and read again.
func FuzzReadDOT(f *testing.F) {
	f.Add("digraph DFA {\n0 [label=\"0 #4 fin: 1:3 , path: 1:40 , 40 3\"]; I -> 0; 0 -> 1 [label=\"a 3\\nb 1\"]; 1 " +
		"[class=\"blue sink\" counts=\"a:3\" access=\"a\" source=\"0\"] }")
	f.Add("digraph { graph [encoding=percent types=\"a%20b\" alphabet=\"% x\"] I -> s -> t [label=x] }")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := flexfringe.ReadDOT(strings.NewReader(text), "m.dot")
		if err != nil {
			return
		}
		machine.NewReplayer(m, 1, true, machine.Remain, machine.Clean).Replay([]int32{0, -1, 5}, make([]int32, 3), nil)
		var b bytes.Buffer
		if err := flexfringe.WriteDOT(m, &b); err != nil {
			t.Fatal(err)
		}
		drawn := b.String()
		again, err := flexfringe.ReadDOT(&b, "again.dot")
		if err != nil {
			t.Fatalf("what was drawn is refused: %v\n%s", err, drawn)
		}
		if len(again.States) != len(m.States) || len(again.To) != len(m.To) {
			t.Fatalf("%v became %v\n%s", m, again, drawn)
		}
	})
}
