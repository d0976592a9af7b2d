//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"plumbline/eval"
	"plumbline/runs/record"
)

// large makes a run directory of n cells, ten models of the seeds 1 to n/10, all of which have ended: real cells of one
// seed, copied with the name, the seed and slightly other metrics. What made it takes no part in what is measured.
func large(t *testing.T, n int) (dir string, files int, size int64) {
	t.Helper()
	root := t.TempDir()
	var models, seeds []string
	for i := range 10 {
		models = append(models, fmt.Sprintf("{model: iforest, label: f%d, params: {trees: %d, max_samples: 32}}", i, 2+i%3))
	}
	for i := range n / 10 {
		seeds = append(seeds, strconv.Itoa(i+1))
	}
	write := func(seeds string) string {
		return writeExperiment(t, fmt.Sprintf("name: large\n"+
			"data: [{data: synth, options: {hosts: 5, hours: 12, rate: 2}}]\nmodels: [%s]\n"+
			"seeds: [%s]\nbootstrap: 20\naudit: off\n", strings.Join(models, ", "), seeds))
	}
	if code, _, errOut := plumb(t, "run", write("1"), "--out", filepath.Join(root, "small"), "--quiet"); code != exitOK {
		t.Fatal(errOut)
	}
	if code, _, errOut := plumb(t, "run", write(strings.Join(seeds, ", ")), "--out", filepath.Join(root, "large"),
		"--launcher", "print", "--quiet"); code != exitOK {
		t.Fatal(errOut)
	}
	one := func(of string) string {
		found, err := filepath.Glob(filepath.Join(root, of, "*"))
		if err != nil || len(found) != 1 {
			t.Fatalf("%v, %v", found, err)
		}
		return found[0]
	}
	small, dir := one("small"), one("large")
	var plan struct {
		Cells []record.PlannedCell `json:"cells"`
	}
	if err := record.ReadJSON(dir, "manifest.json", &plan); err != nil || len(plan.Cells) != n {
		t.Fatalf("%d cells, %v", len(plan.Cells), err)
	}
	if err := os.CopyFS(filepath.Join(dir, "data"), os.DirFS(filepath.Join(small, "data"))); err != nil &&
		!os.IsNotExist(err) {
		t.Fatal(err)
	}
	cells := map[string]map[string][]byte{} // files by label
	random := rand.New(rand.NewPCG(1, 1))
	var steps *os.File
	for i, c := range plan.Cells {
		if cells[c.Label] == nil {
			cells[c.Label] = contents(t, filepath.Join(small, path.Dir(c.Cell), "s1"))
		}
		if err := copyCell(dir, c, cells[c.Label], random.Float64()/100); err != nil {
			t.Fatal(err)
		}
		if i%20 == 0 {
			if err := os.MkdirAll(filepath.Join(dir, record.StepsFolder), 0o755); err != nil {
				t.Fatal(err)
			}
			var err error
			if steps, err = os.Create(filepath.Join(dir, record.StepsFolder, fmt.Sprintf("p%06d.jsonl", i/20))); err != nil {
				t.Fatal(err)
			}
			json.NewEncoder(steps).Encode(record.Step{Host: fmt.Sprintf("n%d", i/20%100), PID: 1, Time: time.Now()})
			defer steps.Close()
		}
		json.NewEncoder(steps).Encode(record.Step{Cell: c.Cell, Status: record.OK, Seconds: 1, Time: time.Now()})
		if i%20 == 19 {
			steps.Close()
		}
	}
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		st, err := d.Info()
		files++
		size += st.Size()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir, files, size
}

// contents are the files of a folder.
func contents(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, e := range entries {
		if out[e.Name()], err = os.ReadFile(filepath.Join(folder, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// copyCell leaves a cell as another one of the plan, with its AUROC moved.
func copyCell(dir string, c record.PlannedCell, files map[string][]byte, moved float64) error {
	var st record.Status
	var m eval.Metrics
	if err := json.Unmarshal(files["status.json"], &st); err != nil {
		return err
	}
	if err := json.Unmarshal(files["metrics.json"], &m); err != nil {
		return err
	}
	m.Values["auroc"] = min(1, m.Values["auroc"]+moved)
	st.Result.Set("auroc", m.Values["auroc"])
	st.Cell, st.Result.Cell, st.Result.Seed, st.Result.Label = c.Cell, c.Cell, c.Seed, c.Label
	at := filepath.Join(dir, filepath.FromSlash(c.Cell))
	if err := os.MkdirAll(at, 0o755); err != nil {
		return err
	}
	for name, raw := range files {
		if name == "metrics.json" {
			var b bytes.Buffer
			enc := json.NewEncoder(&b)
			enc.SetIndent("", "  ")
			if err := enc.Encode(m); err != nil {
				return err
			}
			raw = b.Bytes()
			st.Files[name] = record.SumOf(raw)
		}
		if name == "status.json" {
			continue
		}
		if err := os.WriteFile(filepath.Join(at, name), raw, 0o644); err != nil {
			return err
		}
	}
	raw, err := json.MarshalIndent(st, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(at, "status.json"), append(raw, '\n'), 0o644)
}

// TestScale is opt-in, for docs/scale.md: what commands take on runs of as many cells as PLUMBLINE_SCALE says, such as
// 10000,100000. The first reading of each directory is from the disk's cache as writing left it.
func TestScale(t *testing.T) {
	if os.Getenv("PLUMBLINE_SCALE") == "" {
		t.Skip("PLUMBLINE_SCALE=10000,100000 measures commands on so large runs")
	}
	var table strings.Builder
	table.WriteString("\n| cells | command | wall s | CPU s | peak MB |\n| --- | --- | --- | --- | --- |\n")
	for text := range strings.SplitSeq(os.Getenv("PLUMBLINE_SCALE"), ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n%10 != 0 {
			t.Fatalf("PLUMBLINE_SCALE: %q is no number of cells, in tens", text)
		}
		began := time.Now()
		dir, files, size := large(t, n)
		t.Logf("%d cells: %d files, %.1f kB a cell, made in %v", n, files, float64(size)/float64(n)/1e3,
			time.Since(began).Round(time.Second))
		for _, args := range [][]string{
			{"status", dir}, {"run", "--resume", dir, "--cells", "1", "--quiet"},
			{"run", "--resume", dir, "--launcher", "print", "--quiet"}, {"collect", dir}, {"compare", dir},
			{"report", dir, "-o", filepath.Join(t.TempDir(), "report.html")}, {"status", dir}, {"list", filepath.Dir(dir)},
		} {
			c := exec.Command(os.Args[0], args...)
			c.Env = append(os.Environ(), "PLUMBLINE_TEST_MAIN=1")
			var errOut bytes.Buffer
			c.Stderr = &errOut
			began := time.Now()
			if err := c.Run(); err != nil {
				t.Errorf("%v: %v: %s", args, err, errOut.String())
			}
			p := c.ProcessState
			shown := strings.Join(strings.Fields(strings.ReplaceAll(strings.Join(args, " "), dir, "RUN")), " ")
			fmt.Fprintf(&table, "| %d | `%.60s` | %.2f | %.2f | %d |\n", n, shown, time.Since(began).Seconds(),
				(p.UserTime() + p.SystemTime()).Seconds(), p.SysUsage().(*syscall.Rusage).Maxrss*1024/1e6)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	}
	t.Log(table.String())
}
