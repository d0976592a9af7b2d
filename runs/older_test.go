package runs

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"plumbline/configs"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
)

// TestVerifyOlderRun: a run of a version that did not have one of the metrics is as it was left.
func TestVerifyOlderRun(t *testing.T) {
	out := runSmall(t, "name: older\ndata: [{data: synth, options: {hosts: 6, hours: 12}}]\nmodels: [znorm]\n"+
		"controls: off\nbootstrap: 0\n", Options{})
	name := func(file string) string { return filepath.Join(out.Dir, filepath.FromSlash(file)) }
	line := regexp.MustCompile(`\n *"precision_at_fpr": [^\n]*,`)
	// without removes the metric, and gives what the file was and is.
	without := func(file string, more ...string) (was, is record.FileSum) {
		raw, err := os.ReadFile(name(file))
		if err != nil {
			t.Fatal(err)
		}
		was = record.SumOf(raw)
		text := strings.NewReplacer(more...).Replace(line.ReplaceAllString(string(raw), ""))
		if text == string(raw) || !json.Valid([]byte(text)) {
			t.Fatalf("%s without the metric: %s", file, text)
		}
		if err := os.WriteFile(name(file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return was, record.SumOf([]byte(text))
	}
	reseal := func(was, is record.FileSum) []string {
		size := func(s record.FileSum) string { return `"bytes": ` + strconv.FormatInt(s.Bytes, 10) + "," }
		return []string{was.SHA256, is.SHA256, size(was), size(is)}
	}
	cell := out.Results[0].Cell
	was, is := without(cell + "/metrics.json")
	was, is = without(cell+"/status.json", reseal(was, is)...)
	raw, err := os.ReadFile(name("manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(reseal(was, is)...).Replace(string(raw))
	if err := os.WriteFile(name("manifest.json"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	v, err := Verify(t.Context(), out.Dir, experiment.LoadOptions{Builtin: configs.Files})
	if err != nil || len(v.Faults) > 0 || v.Metrics < 10 {
		t.Errorf("%+v, %v", v, err)
	}
}
