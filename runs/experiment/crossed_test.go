package experiment

import (
	"strings"
	"testing"

	"plumbline/configs"
)

// TestCrossed: training on one data set and testing on another is the first's config with the second as its test set.
func TestCrossed(t *testing.T) {
	e := load(
		t,
		"name: x\ndata: {train: nf-bot-iot-v2, test: {data: nf-ton-iot-v2, files: {train: [own.csv]}}}\nmodels: [znorm]\n",
	)
	c := e.Sets[0].Config
	if c.Name != "nf-bot-iot-v2-to-nf-ton-iot-v2" || c.Folder != "nf-bot-iot-v2" || e.Sets[0].Split.Kind != "official" {
		t.Errorf("%s in %s, split %s", c.Name, c.Folder, e.Sets[0].Split.Kind)
	}
	_, err := c.Paths(e.Finder)
	for _, want := range []string{"NF-BoT-IoT-v2.csv", "nf-bot-iot-v2", "own.csv", "nf-ton-iot-v2"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("files are looked for: %v, want %s", err, want)
		}
	}
	var names []string
	for _, l := range c.Locate(e.Finder) {
		names = append(names, l.Name)
	}
	if got := strings.Join(names, " "); got != "NF-BoT-IoT-v2.csv own.csv" {
		t.Errorf("its files are said to be %s", got)
	}
	raw, err := e.Resolved()
	if err != nil {
		t.Fatal(err)
	}
	again := load(t, string(raw))
	if again.Sets[0].Config.Name != c.Name || again.Sets[0].Split.Kind != "official" {
		t.Errorf("what is resolved reads as %s, split %+v", again.Sets[0].Config.Name, again.Sets[0].Split)
	}
	named := load(
		t,
		"name: x\ndata: [{train: nf-bot-iot-v2, test: nf-ton-iot-v2, name: cross, prep: [impute]}]\nmodels: [znorm]\n",
	)
	if c := named.Sets[0].Config; c.Name != "cross" || c.Folder != "nf-bot-iot-v2" {
		t.Errorf("%s in %s", c.Name, c.Folder)
	}
	for text, want := range map[string]string{
		"{train: nsl-kdd}":                                          "test must name the one to test on",
		"{train: nsl-kd, test: kddcup99}":                           `nsl-kd`,
		"{train: {train: nsl-kdd, test: kddcup99}, test: kddcup99}": "is tested on another data set itself",
	} {
		_, err := Load(write(t, "name: x\ndata: ["+text+"]\nmodels: [znorm]\n"), LoadOptions{Builtin: configs.Files})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
