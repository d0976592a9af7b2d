package tune

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"plumbline/configs"
	"plumbline/runs/experiment"
)

// byColumn is a program that scores rows by one of their columns, which is a setting, and keeps its task.
const byColumn = `
cp "$1/task.json" "%[1]s"
for p in valid test; do tail -n +2 "$1/$p.csv"; done | LC_ALL=C awk -F, -v c="$2" '
BEGIN { print "row,score" } { print $1 "," $(c + 1) }' > "$1/scores.csv"
echo "by column $2"%[2]s
`

// TestProgramsAreTuned: a search finds the setting of a program from elsewhere under which it ranks best, gives it the
// inner parts of the training rows alone, keeps what it printed, and trains again what another program would train.
func TestProgramsAreTuned(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil || runtime.GOOS == "windows" {
		t.Skip("no sh")
	}
	kept := filepath.Join(t.TempDir(), "task.json")
	files := map[string]string{
		"train.csv": rows(240, 1, nil), "test.csv": rows(90, 2, nil), "by.sh": fmt.Sprintf(byColumn, kept, ""),
	}
	e := load(t, "{kind: official}", "grid", files, "tune.trials=0", "tune.seeds=[1]",
		"models=[{model: command, label: by, params: {run: [sh, by.sh, '{folder}', '{column}'], format: csv, "+
			"settings: {column: 3, text: plain, share: 1e-3}}}]",
		"tune.space={models.by.settings.column: {choice: [1, 2, 3]}}")
	dir, s := run(t, e, Options{NoTest: true})
	if len(s.Searches) != 1 || len(s.Searches[0].Trials) < 3 {
		t.Fatalf("%+v", s.Searches)
	}
	values := map[string]float64{}
	for _, trial := range s.Searches[0].Trials {
		if trial.Error != "" {
			t.Fatal(trial.Error)
		}
		values[strings.Join(trial.Values, " ")] = float64(trial.Value)
	}
	// attacks are shifted up in the first column, down in the second, not at all in the third
	if a, b, c := values["models.by.settings.column=1"], values["models.by.settings.column=2"],
		values["models.by.settings.column=3"]; a < 0.75 || b > 0.25 || c < 0.3 || c > 0.7 {
		t.Errorf("%v", values)
	}
	logs, err := filepath.Glob(filepath.Join(dir, "cells", "*", "*", "program.log"))
	if err != nil || len(logs) != 6 {
		t.Errorf("%d logs of 6 cells, %v", len(logs), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "cells", "*", "*", "task")); len(left) > 0 {
		t.Errorf("files of programs are left: %v", left)
	}
	task, err := os.ReadFile(kept)
	for _, want := range []string{`"share": 1e-3`, `"text": "plain"`} {
		if err != nil || !strings.Contains(string(task), want) {
			t.Errorf("task.json lacks %s: %v\n%s", want, err, task)
		}
	}

	again := func() int {
		t.Helper()
		s, err := Resume(context.Background(), dir, experiment.LoadOptions{Builtin: configs.Files,
			DataDirs: []string{filepath.Dir(e.File)}}, Options{NoTest: true})
		if err != nil {
			t.Fatal(err)
		}
		return s.Trained
	}
	if n := again(); n != 0 {
		t.Errorf("%d cells were trained again", n)
	}
	other := fmt.Sprintf(byColumn, kept, "; echo another program")
	if err := os.WriteFile(filepath.Join(filepath.Dir(e.File), "by.sh"), []byte(other), 0o644); err != nil {
		t.Fatal(err)
	}
	if n := again(); n != 6 {
		t.Errorf("of 6 cells %d were trained by the other program", n)
	}
}

// TestScoresAreNotTuned: a file holds scores of test rows, which no search sees.
func TestScoresAreNotTuned(t *testing.T) {
	e := load(t, "{kind: official}", "grid", map[string]string{"train.csv": rows(30, 1, nil)})
	if _, err := e.With("models=[{model: scores, label: mine, params: {file: a.csv}}]",
		"tune.space={models.mine.file: {choice: [a.csv, b.csv]}}"); err == nil ||
		!strings.Contains(err.Error(), "space: models.mine.file: scores that were made elsewhere are of the test rows") {
		t.Error(err)
	}
}
