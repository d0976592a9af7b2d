package flexfringe_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"plumbline/data/corpus"
	"plumbline/models/automata"
	"plumbline/models/automata/machine"
)

// The golden files are FlexFringe's output on synthetic input: v26 is its main branch of January 2026
// (4e5ed7d), v23 its state of July 2023 (3306845). NAME.steps.txt holds the printed refinements,
// NAME.model.json the machine, *.train_state_counts.csv the visits of each state when the training
// windows are replayed, *.test_scores.csv SEQUENT's score of each test window.
const golden = "testdata"

func letters(t *testing.T) *corpus.Corpus {
	f, err := os.Open(filepath.Join(golden, "letters.dat"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := &corpus.Corpus{}
	if err := corpus.ReadAbbadingo(f, "letters.dat", corpus.Abbadingo, c); err != nil {
		t.Fatal(err)
	}
	return c
}

// flows cuts a flow file into windows of ten flows of one connection, in order of completion.
func flows(t *testing.T, name string, alphabet []string) (words *corpus.Corpus, first, last []int) {
	f, err := os.Open(filepath.Join(golden, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	s := &corpus.Corpus{Alphabet: alphabet}
	sym, typ := map[string]int32{}, map[string]int32{}
	for i, a := range alphabet {
		sym[a] = int32(i)
	}
	type ev struct {
		sym, typ int32
		row      int
	}
	open := map[string][]ev{}
	for i, r := range rows[1:] {
		key := r[1] + "__" + r[2]
		a := strings.Join(r[3:7], "__")
		if _, ok := sym[a]; !ok {
			sym[a] = int32(len(sym))
			s.Alphabet = append(s.Alphabet, a)
		}
		if _, ok := typ[r[7]]; !ok {
			typ[r[7]] = int32(len(typ))
			s.Types = append(s.Types, r[7])
		}
		o := append(open[key], ev{sym: sym[a], typ: typ[r[7]], row: i})
		if len(o) == 10 {
			var w []int32
			for _, e := range o {
				w = append(w, e.sym)
			}
			s.Append(w, o[9].typ)
			first, last = append(first, o[0].row), append(last, o[9].row)
			o = o[1:]
		}
		open[key] = o
	}
	return s, first, last
}

func TestGoldenSteps(t *testing.T) {
	sm26 := machine.Sequent()
	sm26.Compat, sm26.SinkCount = machine.V26, 40
	sm23 := sm26
	sm23.Compat = machine.V23
	seq := machine.Sequent()
	seq.Compat = machine.V26
	whole := func(t *testing.T) (*corpus.Corpus, corpus.Words) { s := letters(t); return s, s.Words() }
	for _, c := range []struct {
		name  string
		spec  machine.LearnSpec
		words func(*testing.T) (*corpus.Corpus, corpus.Words)
	}{
		{"letters.alergia", machine.Alergia(), whole},
		{"letters.likelihoodratio", machine.Likelihood(), whole},
		{"letters.sequent", seq, func(t *testing.T) (*corpus.Corpus, corpus.Words) {
			s := letters(t)
			return s, s.Windows(10, 1)
		}},
		{"letters.sequent-nowin", seq, func(t *testing.T) (*corpus.Corpus, corpus.Words) {
			s := letters(t)
			return s,
				s.Words()
		}},
		{"flows.v26.sink40", sm26, func(t *testing.T) (*corpus.Corpus, corpus.Words) {
			s, _, _ := flows(t, "flows_train.csv", nil)
			return s, s.Words()
		}},
		{"flows.v23.sink40", sm23, func(t *testing.T) (*corpus.Corpus, corpus.Words) {
			s, _, _ := flows(t, "flows_train.csv", nil)
			return s, s.Words()
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, words := c.words(t)
			raw, err := os.ReadFile(filepath.Join(golden, c.name+".steps.txt"))
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Fields(string(raw))
			var got []string
			m, err := machine.Learn(context.Background(), c.spec, words, s.Alphabet, s.Types,
				func(st machine.Step) { got = append(got, st.String()) })
			if err != nil {
				t.Fatal(err)
			}
			for i := range max(len(got), len(want)) {
				if i >= len(got) || i >= len(want) || got[i] != want[i] {
					t.Fatalf("step %d\n got %v\nwant %v", i, got, want)
				}
			}
			compareModel(t, m, c.name)
		})
	}
}

func compareModel(t *testing.T, m *machine.Machine, name string) {
	raw, err := os.ReadFile(filepath.Join(golden, name+".model.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Alphabet []string
		Nodes    []struct {
			ID, Source, Size, Isred, Issink, Isblue int
			Trace                                   string
			Data                                    struct {
				Final map[string]int    `json:"final_counts"`
				Path  map[string]int    `json:"path_counts"`
				Trans map[string]string `json:"trans_counts"`
			}
		}
		Edges []struct{ Source, Target, Name string }
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Nodes) != len(m.States) {
		t.Fatalf("%d states, want %d", len(m.States), len(d.Nodes))
	}
	for i, n := range d.Nodes {
		s := m.States[i]
		if n.ID != s.ID || n.Size != s.Size || (n.Isred == 1) != s.Red || (n.Issink == 1) != s.Sink || i > 0 &&
			n.Source != s.Source {
			t.Fatalf("state %d: got %+v want %+v", i, s, n)
		}
		for a, c := range n.Data.Trans {
			id := -1
			for k, x := range m.Alphabet {
				if x == a {
					id = k
				}
			}
			if got := m.Seen(int32(i), int32(id)); strconv.Itoa(int(got)) != c {
				t.Fatalf("state %d symbol %s: %d, want %s", i, a, got, c)
			}
		}
		if len(s.Access) > 0 {
			w := strings.Fields(n.Trace)[2:]
			for k := range w {
				if w[k] != m.Alphabet[s.Access[k]] {
					t.Fatalf("state %d access %v want %v", i, s.Access, n.Trace)
				}
			}
		}
	}
	got := map[string]bool{}
	for q := range m.States {
		for i := m.Start[q]; i < m.Start[q+1]; i++ {
			got[fmt.Sprint(m.States[q].ID, m.States[m.To[i]].ID, m.Alphabet[m.On[i]])] = true
		}
	}
	for _, e := range d.Edges {
		if !got[fmt.Sprint(e.Source, " ", e.Target, " ", e.Name)] && !got[e.Source+" "+e.Target+" "+e.Name] &&
			!got[fmt.Sprintf("%s %s%s", e.Source, e.Target, e.Name)] {
			t.Logf("edge %v missing", e)
		}
	}
	if len(d.Edges) != len(m.To) {
		t.Errorf("%d edges want %d", len(m.To), len(d.Edges))
	}
}

func TestGoldenReplayAndScores(t *testing.T) {
	for _, c := range []struct {
		compat machine.Compat
		auroc  float64
	}{{machine.V26, 0.850697}, {machine.V23, 0.905815}} {
		t.Run(string(c.compat), func(t *testing.T) {
			name := "flows." + string(c.compat) + ".sink40."
			spec := machine.Sequent()
			spec.Compat, spec.SinkCount = c.compat, 40
			train, _, _ := flows(t, "flows_train.csv", nil)
			m, err := machine.Learn(context.Background(), spec, train.Words(), train.Alphabet, train.Types, nil)
			if err != nil {
				t.Fatal(err)
			}
			rep := machine.NewReplayer(m, 1, false, machine.Reset, c.compat)
			visits := make([]int64, len(m.States))
			states := make([]int32, 10)
			for w := range train.Words() {
				rep.Replay(w, states, nil)
				for _, q := range states {
					visits[q]++
				}
			}
			checkVisits(t, m, visits, readCSV(t, name+"train_state_counts.csv"))
			checkScores(t, m, rep, visits, readCSV(t, name+"test_scores.csv"), c.auroc)
		})
	}
}

func readCSV(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open(filepath.Join(golden, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

func checkVisits(t *testing.T, m *machine.Machine, visits []int64, want [][]string) {
	t.Helper()
	byID := map[string]int64{}
	for q, n := range visits {
		if n > 0 {
			byID[strconv.Itoa(m.States[q].ID)] = n
		}
	}
	for _, w := range want {
		if got := strconv.FormatInt(byID[w[0]], 10); got != w[1] {
			t.Errorf("state %s: %s visits, want %s", w[0], got, w[1])
		}
	}
	if len(byID) != len(want) {
		t.Errorf("%d states visited, want %d", len(byID), len(want))
	}
}

func checkScores(t *testing.T, m *machine.Machine, rep *machine.Replayer, visits []int64, want [][]string,
	auroc float64) {
	t.Helper()
	test, first, last := flows(t, "flows_test.csv", m.Alphabet)
	if test.Len() != len(want) {
		t.Fatalf("%d windows, want %d", test.Len(), len(want))
	}
	roll := automata.NewStateFrequency(visits, automata.DistinctStates)
	states := make([]int32, 10)
	var pos, neg []float64
	for i, w := range want {
		rep.Replay(test.Trace(i), states, nil)
		score, cause := roll.Window(states)
		ids := make([]string, len(states))
		for k, q := range states {
			ids[k] = strconv.Itoa(m.States[q].ID)
		}
		got := []string{strconv.Itoa(first[i]), strconv.Itoa(last[i]), test.Types[test.Type[i]], strings.Join(ids, " "),
			fmt.Sprintf("%.9f", score), ids[cause], strconv.Itoa(cause)}
		if strings.Join(got, ",") != strings.Join(w, ",") {
			t.Fatalf("window %d\n got %v\nwant %v", i, got, w)
		}
		if w[2] == "benign" {
			neg = append(neg, score)
		} else {
			pos = append(pos, score)
		}
	}
	wins := 0.0
	for _, p := range pos {
		for _, n := range neg {
			if p > n {
				wins++
			} else if p == n {
				wins += 0.5
			}
		}
	}
	if got := wins / float64(len(pos)) / float64(len(neg)); fmt.Sprintf("%.6f", got) != fmt.Sprintf("%.6f", auroc) {
		t.Errorf("AUROC %.6f, want %.6f", got, auroc)
	}
}
