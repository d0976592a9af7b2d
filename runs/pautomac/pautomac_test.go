package pautomac

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestProblems: complete problems only, in order, compressed or not.
func TestProblems(t *testing.T) {
	dir := t.TempDir()
	if _, err := Problems(dir); err == nil || !strings.Contains(err.Error(), "no complete problem") {
		t.Error(err)
	}
	if _, err := Problems(filepath.Join(dir, "missing")); err == nil {
		t.Error("a folder that is not there has problems")
	}
	for _, name := range []string{"10.pautomac.train", "10.pautomac.test.gz", "10.pautomac_solution.txt",
		"2.pautomac.train.gz", "2.pautomac.test", "2.pautomac_solution.txt.gz", "3.pautomac.train", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Problems(dir)
	if err != nil || len(got) != 2 || got[0] != 2 || got[1] != 10 {
		t.Errorf("%v, %v", got, err)
	}
}

// TestJudge: one problem whose words are all equal, so that settings come near the optimum; and damaged files.
func TestJudge(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("1.pautomac.train", "200 2\n"+strings.Repeat("2 0 1\n", 200))
	write("1.pautomac.test", "2 2\n2 0 1\n1 0\n")
	write("1.pautomac_solution.txt", "2\n0.9\n0.1\n")
	told := 0
	rows, err := Judge(t.Context(), dir, []int{1}, func(problem, done int) { told = 10*problem + done })
	if err != nil || told != 11 {
		t.Fatal(err, told)
	}
	v := Views(rows)[0]
	if v.Traces != 200 || v.Symbols != 400 || len(v.Settings) != 4 {
		t.Errorf("%+v", v)
	}
	for name, s := range v.Settings {
		want := math.Exp2(-(0.9*math.Log2(0.9) + 0.1*math.Log2(0.1)))
		if math.Abs(float64(s.Optimum)-want) > 1e-12 || !(float64(s.Excess) > 0) {
			t.Errorf("%s: %+v, want the optimum %v", name, s, want)
		}
	}
	var b bytes.Buffer
	if err := Write(&b, rows); err != nil || !strings.Contains(b.String(), "| 1 | 200 | 400 | 1.3841 |") {
		t.Errorf("%v %s", err, &b)
	}
	write("1.pautomac_solution.txt", "2\n0.9\n")
	_, err = Judge(t.Context(), dir, []int{1}, func(int, int) {})
	if err == nil || !strings.Contains(err.Error(), "problem 1") {
		t.Error(err)
	}
}
