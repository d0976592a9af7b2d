package experiment_test

import (
	"strings"
	"testing"

	"plumbline/configs"
	"plumbline/runs/experiment"
	"plumbline/runs/runstest"
)

const varied = "name: v\ndata: [synth]\nmodels: [iforest]\n"

func TestVary(t *testing.T) {
	for _, c := range []struct{ axis, want string }{
		{"{contamination: [0, 0.1]}", ""},
		{"{irrelevant: [0, 0.5]}", ""},
		{"{label_noise: [0.2], training: [0.5]}", "one axis at a time"},
		{"{contamintion: [0.1]}", "did you mean"},
		{"{contamination: [0.7]}", "0.7 is not between 0 and 0.5"},
		{"{training: [0.5, 0.5]}", "given twice"},
		{"{attack_copies: [1.5]}", "is not between"},
		{"{attack_copies: [2]}", "no model sees an attack in training"},
	} {
		_, err := experiment.Load(runstest.Write(t, varied+"vary: "+c.axis), experiment.LoadOptions{Builtin: configs.Files})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want it to say %q", c.axis, err, c.want)
		}
	}
	e := runstest.Load(t, varied+"split: {kind: random, attacks: split, training: 0.9}\nvary: {label_noise: [0, 0.25]}")
	for range 2 {
		if len(e.Sets) != 2 || e.Sets[1].Config.Name != "synth-label_noise-0.25" || e.Sets[1].Split.LabelNoise != 0.25 ||
			e.Sets[0].Split.LabelNoise != 0 || e.Sets[1].Split.Training != 0.9 || e.Sets[1].Axis.Of != "synth" ||
			e.Sets[1].Axis.Value != 0.25 {
			t.Fatalf("%+v", e.Sets)
		}
		text, err := e.Resolved()
		if err != nil {
			t.Fatal(err)
		}
		e = runstest.Load(t, string(text)) // what is written down is the same experiment
	}
}
