package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExportAndBack: what is exported, inferred and exported again is the same table.
func TestExportAndBack(t *testing.T) {
	dir := t.TempDir()
	configs := filepath.Join(dir, "configs", "data")
	if err := os.MkdirAll(configs, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(dir, "own.csv"), "1.5,tcp,ok\n,udp,scan\n-3e20,,ok\nbroken,tcp,ok\n")
	write(filepath.Join(configs, "own.yaml"), `name: own
format: delimited
files: {train: [own.csv]}
label: {column: label, benign: [ok]}
max_bad_share: 0.3
options: {columns: [{name: size, type: number}, {name: proto, type: category}, {name: label, type: category}]}
`)
	t.Chdir(dir)
	const want = "size,proto,attack,class,part,file,line\n1.5,tcp,0,ok,train,own.csv,1\n,udp,1,scan,train,own.csv,2\n" +
		"-3e+20,,0,ok,train,own.csv,3\n"
	code, out, errOut := plumb(t, "data", "export", "own", "own.out.csv", "--data", dir)
	if code != exitOK || !strings.Contains(out, "own.out.csv: 3 rows, 7 columns") ||
		!strings.Contains(errOut, "own: reading") || !strings.Contains(errOut, "warning: 1 of 4 rows could not be read") {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
	if got, _ := os.ReadFile("own.out.csv"); string(got) != want {
		t.Errorf("%s", got)
	}
	for _, file := range []string{"a.parquet", "b.ndjson.gz", "c.csv.zst"} {
		name := file[:1]
		if code, _, errOut := plumb(t, "data", "export", "own", file, "--data", dir, "--quiet"); code != exitOK ||
			strings.Contains(errOut, "reading") {
			t.Fatalf("%s: exit %d: %s", file, code, errOut)
		}
		if code, _, errOut := plumb(t, "data", "infer", file, "-o", filepath.Join(configs, name+".yaml")); code != exitOK {
			t.Fatalf("%s: exit %d: %s", file, code, errOut)
		}
		if code, _, errOut := plumb(t, "data", "export", name, name+".back.csv", "--data", dir, "--quiet"); code != exitOK {
			t.Fatalf("%s: exit %d: %s", file, code, errOut)
		}
		plain, _, _ := strings.Cut(file, ".gz")
		plain, _, _ = strings.Cut(plain, ".zst")
		back := strings.ReplaceAll(want, "own.csv", plain)
		if name == "c" { // its lines come after a header
			back = strings.NewReplacer("csv,1", "csv,2", "csv,2", "csv,3", "csv,3", "csv,4").Replace(back)
		}
		if got, _ := os.ReadFile(name + ".back.csv"); string(got) != back {
			t.Errorf("%s came back as\n%s", file, got)
		}
	}
	for _, c := range []struct {
		args []string
		want string
		code int
	}{
		{[]string{"own", "x.parquet.gz"}, "cannot be wrapped in gzip", exitUsage},
		{[]string{"own", "x.xlsx"}, "ends in .parquet, .csv or .ndjson", exitUsage},
		{[]string{"own"}, "want a data set and a file", exitUsage},
		{[]string{"ownn", "x.csv"}, "ownn", exitUsage},
		{[]string{"own", "none/x.csv", "--data", dir}, "no such file", exitFailed},
	} {
		if code, _, errOut := plumb(t, append([]string{"data", "export"}, c.args...)...); code != c.code ||
			!strings.Contains(errOut, c.want) {
			t.Errorf("%v: exit %d: %s", c.args, code, errOut)
		}
	}
	if left, _ := filepath.Glob("*.part"); left != nil {
		t.Errorf("left behind: %q", left)
	}
	if _, out, _ := plumb(t, "__complete", "data", "export", "ow"); !strings.Contains(out, "own") {
		t.Errorf("completion: %s", out)
	}
}
