package source

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plumbline/configs/settings"
	"plumbline/data/datatest"
)

func shippedConfig(tb testing.TB, file string) *Config {
	tb.Helper()
	open := func(file string) (settings.Node, error) {
		raw, err := os.ReadFile(file)
		if err != nil {
			return settings.Node{}, err
		}
		return settings.Parse(file, raw)
	}
	doc, err := open(file)
	if err == nil {
		doc, err = doc.Inherit(func(name string) (settings.Node, error) {
			return open(filepath.Join(filepath.Dir(file), name+".yaml"))
		})
	}
	if err != nil {
		tb.Fatal(err)
	}
	c, err := DecodeConfig(doc)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// TestShippedData reads the real files and checks them against counts taken from the files independently
// (rows and labels counted with grep and awk), which agree with the publishers' where those are complete.
func TestShippedData(t *testing.T) {
	for _, c := range []struct {
		name, folder     string
		benign, attacks  int
		columns, classes int
	}{
		{"unsw-nb15-half", "unsw-nb15", 37000, 45332, 42, 10},
		{"ctu13-05-flows", "ctu-13", 4478, 880, 9, 0},
		{"ctu13-07-flows", "ctu-13", 1570, 63, 9, 0},
		{"ctu13-11-flows", "ctu-13", 1515, 786, 9, 0},
		{"ctu-argus", "ctu-mcfp-binetflow", 9797 + 2398 + 1, 23602 + 6751 + 4637 + 1640, 14, 0},
		{"cicids2017-improved", "cicids2017-improved", 1244 + 931 + 1005 + 934,
			3972 + 2961 + 5000 + 5000 + 3859 + 1740 + 11 + 5000 + 73 + 36 + 18 + 13, 87, 13},
		{"ton-iot", "ton-iot", 50000, 161043, 42, 10},
		{"iot23-8-1", "iot-23", 2181, 8222, 17, 2},
		{"iot23-20-1", "iot-23", 3193, 16, 17, 2},
		{"iot23-honeypot-4-1", "iot-23", 452, 0, 17, 1},
		{"stratosphere-008", "stratosphere-zeek", 1402, 4201, 17, 2},
		{"stratosphere-010", "stratosphere-zeek", 1937, 3373, 17, 2},
		{"stratosphere-011", "stratosphere-zeek", 4771, 3951, 17, 2},
		{"stratosphere-001", "stratosphere-zeek", 739 + 9, 244, 17, 3},
		{"adbench", "adbench", 1655, 176, 21, 2},
		{"odds-pyod", "odds-pyod", 1655, 176, 21, 2},
		{"assuremoss", "assuremoss", 100, 0, 8, 1},
		{"ctu13-letters", "ctu-13", 486859, 312020, 3, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			tb := shipped(t, c.name, c.folder)
			all := make([]int32, tb.Rows)
			for i := range all {
				all[i] = int32(i)
			}
			benign, attacks := tb.Count(all)
			if c.benign+c.attacks > 0 && (benign != c.benign || attacks != c.attacks) {
				t.Errorf("%d benign rows and %d attacks, want %d and %d", benign, attacks, c.benign, c.attacks)
			}
			if len(tb.Columns) != c.columns || c.classes > 0 && len(tb.Classes) != c.classes {
				t.Errorf("%d columns, classes %q; want %d and %d", len(tb.Columns), tb.Classes, c.columns, c.classes)
			}
			t.Logf("%d benign, %d attacks, classes %q", benign, attacks, tb.Classes)
		})
	}
}

// TestAnomalyTables reads every table of the two collections with the one config of each.
func TestAnomalyTables(t *testing.T) {
	for _, name := range []string{"adbench", "odds-pyod"} {
		dir := datatest.Dir(t, name)
		files, err := filepath.Glob(filepath.Join(dir, name, "*.csv.gz"))
		if err != nil || len(files) < 10 {
			t.Fatal(files, err)
		}
		for _, f := range files {
			if strings.Contains(f, "published") {
				continue
			}
			c := shippedConfig(t, "../../configs/data/"+name+".yaml")
			c.Files.Train = []string{strings.TrimSuffix(filepath.Base(f), ".gz")}
			tb, _, err := Read(context.Background(), c, NewFinder(dir), 2)
			if err != nil {
				t.Error(err)
				continue
			}
			all := make([]int32, tb.Rows)
			for i := range all {
				all[i] = int32(i)
			}
			if benign, attacks := tb.Count(all); benign == 0 || attacks == 0 || attacks > benign {
				t.Errorf("%s: %d benign rows, %d attacks", f, benign, attacks)
			}
		}
	}
}
