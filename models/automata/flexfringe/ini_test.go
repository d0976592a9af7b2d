package flexfringe_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/configs/settings"
	"plumbline/models"
	"plumbline/models/automata"
	"plumbline/models/automata/flexfringe"
	"plumbline/models/automata/machine"
)

// sm is SEQUENT's settings, with keys that FlexFringe passes over.
const sm = `[default]
heuristic-name = likelihoodratio
data-name = likelihood_data
state_count = 0
symbol_count = 30
largestblue = 1
blueblue = 0
finalprob = 0
sinkson = 1
sinkcount = 250
mergesinks = 0
mergelocal = -1
testmerge = 0
correction = 1
extrapar = 0.5
symbdist = 0
mergedata = 0
mergeroot = 0
typedist = 1
printwhite = 0
printwhite = 1
slidingwindow = 1
swsize = 10
swstride = 1
markovian = 2
`

func TestImportINI(t *testing.T) {
	in, err := flexfringe.ImportINI(strings.NewReader(sm), "sm.ini", machine.V23)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(machine.Sequent(), in.Spec); d != "" {
		t.Error(d)
	}
	if in.Window != 10 || in.Stride != 1 || in.Missing != machine.Stop {
		t.Errorf("%+v", in)
	}
	want := map[int]string{3: "what is counted", 6: "always 1", 15: "does not know", 16: "does not know",
		20: "printing", 21: "stands twice", 25: "DIFFERS"}
	for _, n := range in.Notes {
		if w := want[n.Line]; w != "" && !strings.Contains(n.Text, w) {
			t.Errorf("line %d: %q, want %q", n.Line, n.Text, w)
		}
		delete(want, n.Line)
	}
	if len(want) > 0 {
		t.Errorf("no notes on %v", want)
	}
	for _, model := range []string{"pdfa", "sequent"} {
		doc, err := settings.Parse("out.yaml", []byte(in.YAML(model)))
		if err != nil {
			t.Fatal(err)
		}
		params, _ := doc.Get("params")
		spec, err := models.Decode(model, params)
		if err != nil {
			t.Fatalf("%s: %v\n%s", model, err, in.YAML(model))
		}
		if s, ok := spec.(*automata.SequentSpec); ok && s.LearnSpec != in.Spec {
			t.Errorf("%+v came back from YAML as %+v", in.Spec, s.LearnSpec)
		}
	}
}

// TestImportShippedINI: the files for AIC and EDSM, and FlexFringe's defaults where a file says nothing.
func TestImportShippedINI(t *testing.T) {
	aic, err := flexfringe.ImportINI(strings.NewReader("[default]\nheuristic-name = aic\nstate_count = "+
		"0\nsymbol_count = 0\nsinkson = 0\nsinkcount = 0\nlargestblue = 1\ncorrection = 0\nfinalprob=1\n"), "aic.ini",
		machine.V26)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(machine.LearnSpec{Heuristic: "aic", Compat: machine.V26, Confidence: 0.05, FinalProb: true,
		TestMerge: true, MergeData: true, MergeRoot: true}, aic.Spec); d != "" {
		t.Error(d)
	}
	edsm, err := flexfringe.ImportINI(strings.NewReader("HEURISTIC_NAME = evidence_driven\nlowerbound = "+
		"1\nlowerboundval = 2\n"), "edsm.ini", machine.V26)
	if err != nil {
		t.Fatal(err)
	}
	if s := edsm.Spec; s.Heuristic != "edsm" || s.LowerBound != 2 || s.StateCount != 25 || s.SymbolCount != 10 ||
		s.SinkCount != 0 {
		t.Errorf("%+v", s)
	}
	if len(edsm.Notes) != 1 || edsm.Notes[0].Key != "largestblue" {
		t.Errorf("%+v", edsm.Notes)
	}
	kl, err := flexfringe.ImportINI(strings.NewReader("heuristic-name = kldistance\npredictremain = 1\n"), "kl.ini",
		machine.V26)
	if err != nil || kl.Spec.Compat != machine.Clean || kl.Missing != machine.Remain {
		t.Errorf("%+v, %v", kl, err)
	}
}

func TestImportINIErrors(t *testing.T) {
	for text, want := range map[string]string{
		"state_count":                           `x.ini:1:1: "state_count": want key = value`,
		"\n  [default":                          "x.ini:2:3: section",
		"heuristic-name = rti+":                 `x.ini:1:18: heuristic "rti+" has no counterpart`,
		"heuristic-name = alergja":              `did you mean "alergia"?`,
		"# x\nstate_count =  many":              `x.ini:2:16: statecount: "many" is not a whole number`,
		"finalprob = 2":                         `x.ini:1:13: finalprob: "2" is not 0 or 1`,
		"confidence_bound = 1.5":                "x.ini:1:20: confidence_bound: 1.5 is out of range",
		"slidingwindow=1\nswsize=4\nswstride=5": "x.ini:3:10: windows of 4 rows moved on by 5",
		"correction = NaN":                      "x.ini:1:14: correction: NaN is not",
	} {
		if _, err := flexfringe.ImportINI(strings.NewReader(text), "x.ini", machine.V26); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
	in, err := flexfringe.ImportINI(strings.NewReader("sinkcont = 3\n[stream]\nsinkcount = 4\n"), "x.ini", machine.V26)
	if err != nil || len(in.Notes) != 3 || !strings.Contains(in.Notes[1].Text, `did you mean "sinkcount"?`) ||
		!strings.Contains(in.Notes[2].Text, "[default]") {
		t.Errorf("%+v, %v", in, err)
	}
}

// FuzzImportINI: whatever the bytes, there is an error or settings that pass their own check.
func FuzzImportINI(f *testing.F) {
	f.Add(sm)
	f.Add("[x]\n;\na=b\n= 1")
	f.Fuzz(func(t *testing.T, text string) {
		in, err := flexfringe.ImportINI(strings.NewReader(text), "x.ini", machine.V26)
		if err != nil {
			return
		}
		if err := in.Spec.Check(); err != nil {
			t.Fatal(err)
		}
		doc, err := settings.Parse("out.yaml", []byte(in.YAML("sequent")))
		if err != nil {
			t.Fatalf("%v\n%s", err, in.YAML("sequent"))
		}
		params, _ := doc.Get("params")
		if _, err := models.Decode("sequent", params); err != nil {
			t.Fatalf("%v\n%s", err, in.YAML("sequent"))
		}
	})
}
