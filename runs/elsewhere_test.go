package runs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"plumbline/configs"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
)

// elsewhere is a run of programs in sh on a few simulated flows, each a model of its own.
func elsewhere(t *testing.T, settings string, programs map[string]string) (map[string]record.Result, string) {
	t.Helper()
	if _, err := exec.LookPath("sh"); err != nil || runtime.GOOS == "windows" {
		t.Skip("no sh")
	}
	dir := t.TempDir()
	var text strings.Builder
	text.WriteString("name: elsewhere\ndata:\n  - {data: synth, options: {hosts: 4, hours: 6, rate: 4}}\nbootstrap: 0\n" +
		"audit: off\ncontrols: off\n" + settings + "models:\n")
	for label, program := range programs {
		file := label + ".sh"
		if err := os.WriteFile(filepath.Join(dir, file), []byte(program), 0o644); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, "  - {model: command, label: %s, params: {run: [sh, %s], format: csv, timeout: 20s}}\n",
			label, file)
	}
	file := filepath.Join(dir, "experiment.yaml")
	if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	out := runFile(t, file, dir)
	results := map[string]record.Result{}
	for _, r := range out.Results {
		results[r.Label] = r
	}
	return results, out.Dir
}

// score is a program that gives each row the second column of its part, and works in any locale.
const score = `LC_ALL=C; for p in valid test $2; do tail -n +2 "$1/$p.csv"; done |
awk -F, 'BEGIN { print "row,score" } { print $1 "," $2 }' > "$1/scores.csv"
`

// TestCommandFailures: whatever becomes of a program is a row with its reason, what it printed is kept, and nothing of
// its files is.
func TestCommandFailures(t *testing.T) {
	results, dir := elsewhere(t, "", map[string]string{
		"good":    score + "echo done; test \"$PLUMBLINE_SEED\" = 1\n",
		"fails":   "echo reading; echo 'no module named x' >&2; exit 3\n",
		"nothing": "true\n",
		"short":   score + "head -n 5 \"$1/scores.csv\" > \"$1/s\"; mv \"$1/s\" \"$1/scores.csv\"\n",
		"nan":     "echo 'row,score\n0,nan' > \"$1/scores.csv\"\n",
	})
	for label, want := range map[string]string{
		"good": "", "fails": "exit status 3; its last line: no module named x", "nothing": "left no scores.csv",
		"short": "command: scores.csv lacks scores of", "nan": `command: scores.csv:2: score "nan"`,
	} {
		r := results[label]
		if (r.Status == record.OK) != (want == "") || !strings.Contains(r.Error, want) {
			t.Errorf("%s: %s: %s", label, r.Status, r.Error)
		}
		folder := filepath.Join(dir, filepath.FromSlash(r.Cell))
		if _, err := os.Stat(filepath.Join(folder, "task")); err == nil {
			t.Errorf("%s: its files are left", label)
		}
		raw, err := os.ReadFile(filepath.Join(folder, "program.log"))
		if err != nil || label == "fails" && string(raw) != "reading\nno module named x\n" {
			t.Errorf("%s: printed %q, %v", label, raw, err)
		}
	}
	var from struct {
		Files []struct{ Name, SHA256 string }
	}
	if err := record.ReadJSON(dir, results["good"].Cell+"/origin.json", &from); err != nil || len(from.Files) != 1 ||
		from.Files[0].Name != "good.sh" || len(from.Files[0].SHA256) != 64 {
		t.Errorf("%+v, %v", from, err)
	}
	rec, err := record.Open(dir)
	if err != nil || len(rec.Check()) > 0 {
		t.Errorf("%v %v", rec.Check(), err)
	}
}

// TestCommandThreshold: with thresholds on training rows these need scores too.
func TestCommandThreshold(t *testing.T) {
	results, _ := elsewhere(t, "threshold: {on: train}\n", map[string]string{
		"all": strings.Replace(score, "$2", "train", 1), "without": score,
	})
	if r := results["all"]; r.Status != record.OK || !(r.Metric("threshold") > 0) {
		t.Errorf("%+v", r)
	}
	r := results["without"]
	if r.Status != record.OK || !strings.Contains(strings.Join(r.Warnings, "\n"), "no threshold") {
		t.Errorf("%+v", r)
	}
}

// TestCommandKilled: time and memory are limited, and what a program began ends with it, whatever group it is in.
func TestCommandKilled(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("processes are watched on Linux")
	}
	if _, err := exec.LookPath("setsid"); err != nil {
		t.Skip("no setsid")
	}
	dir := t.TempDir()
	pids := filepath.Join(dir, "pids")
	hold := "sleep 300 & echo $! >> " + pids + "; setsid sleep 300 & echo $! >> " + pids + "; "
	text := "name: killed\ndata:\n  - {data: synth, options: {hosts: 4, hours: 6, rate: 4}}\nbootstrap: 0\n" +
		"controls: off\naudit: off\nmodels:\n"
	for label, params := range map[string]string{
		"late": `run: [sh, -c, "` + hold + `sleep 300"], timeout: 1s`,
		"large": `run: [sh, -c, "x=$(head -c 90000000 /dev/zero | tr '\\0' a); ` + hold + `sleep 300"], ` +
			`timeout: 60s, memory_mb: 50`,
		"left": `run: [sh, -c, "` + hold + `exit 1"], timeout: 60s`,
	} {
		text += "  - {model: command, label: " + label + ", params: {" + params + "}}\n"
	}
	file := filepath.Join(dir, "experiment.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	out := runFile(t, file, dir)
	if d := time.Since(begun); d > 50*time.Second {
		t.Errorf("it took %v", d)
	}
	want := map[string][2]string{
		"late": {record.TimedOut, "killed after 1s"}, "large": {record.Failed, "more memory than it may have"},
		"left": {record.Failed, "exit status 1"},
	}
	for _, r := range out.Results {
		if w := want[r.Label]; r.Status != w[0] || !strings.Contains(r.Error, w[1]) {
			t.Errorf("%s: %s: %s", r.Label, r.Status, r.Error)
		}
	}
	raw, err := os.ReadFile(pids)
	if err != nil || len(strings.Fields(string(raw))) < 4 {
		t.Fatalf("%q, %v", raw, err)
	}
	deadline := time.Now().Add(10 * time.Second) // on a busy machine a process that was killed takes a while to die
	for _, pid := range strings.Fields(string(raw)) {
		for {
			stat, err := os.ReadFile("/proc/" + pid + "/stat")
			if err != nil || !strings.Contains(string(stat), "(sleep)") || strings.Contains(string(stat), ") Z ") {
				break
			}
			if time.Now().After(deadline) {
				t.Errorf("process %s still runs: %s", pid, stat)
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// TestScoresChecked: scores of other values, of another fold or without some rows are not taken.
func TestScoresChecked(t *testing.T) {
	results, dir := elsewhere(t, "", map[string]string{"good": score})
	scores, err := filepath.Abs(filepath.Join(dir, filepath.FromSlash(results["good"].Cell), record.ScoresFile))
	if err != nil {
		t.Fatal(err)
	}
	at := t.TempDir()
	manifest := func(data, sum string) string {
		file := filepath.Join(at, fmt.Sprintf("%s-%.4s.json", data, sum))
		text := fmt.Sprintf(`{"data": %q, "parts": {"test": {"matrix_sha256": %q}}}`, data, sum)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	for _, c := range []struct{ params, status, want string }{
		{"manifest: " + manifest("synth", results["good"].TestSHA256), record.OK, ""},
		{"manifest: " + manifest("synth", strings.Repeat("0", 64)), record.Failed, "the scores are of other values"},
		{"manifest: " + manifest("kdd", results["good"].TestSHA256), record.Failed, `it is of data set "kdd"`},
		{"manifest: nowhere.json", record.Failed, "nowhere.json"},
		{"", record.OK, "only the row numbers are checked"},
	} {
		text := "name: s\ndata:\n  - {data: synth, options: {hosts: 4, hours: 6, rate: 4}}\nbootstrap: 0\naudit: off\n" +
			"controls: off\n" +
			"models:\n  - {model: scores, params: {file: '" + scores + "', " + c.params + "}}\n"
		file := filepath.Join(t.TempDir(), "experiment.yaml")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		r := runFile(t, file, t.TempDir()).Results[0]
		if all := r.Error + strings.Join(r.Warnings, "\n"); r.Status != c.status || !strings.Contains(all, c.want) {
			t.Errorf("%s: %s: %s", c.params, r.Status, all)
		}
		if good := results["good"]; c.status == record.OK && r.Metric("auroc") != good.Metric("auroc") {
			t.Errorf("%s: AUROC %v, was %v", c.params, r.Metric("auroc"), good.Metric("auroc"))
		}
	}
}

// runFile carries an experiment file out.
func runFile(t *testing.T, file, root string) *Outcome {
	t.Helper()
	e, err := experiment.Load(file, experiment.LoadOptions{Builtin: configs.Files})
	if err != nil {
		t.Fatal(err)
	}
	out, err := Run(t.Context(), e, Options{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
