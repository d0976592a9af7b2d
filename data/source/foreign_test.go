package source

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plumbline/configs/settings"
	"plumbline/data/datatest"
)

// TestForeignFiles gives real files under other files' names.
func TestForeignFiles(t *testing.T) {
	const train, test, fifth = "nsl-kdd/KDDTrain+.txt", "nsl-kdd/KDDTest+.txt", "nsl-kdd/KDDTrain+_20Percent.txt"
	const tenth, corrected = "kddcup99/kddcup.data_10_percent", "kddcup99/corrected"
	for _, c := range []struct {
		name, config string
		files        map[string]string // name in the config: real file
		fails, warns string
		rows         [2]int // of train and test
	}{
		{"test file twice", "nsl-kdd", map[string]string{train: test, test: test},
			"KDDTrain+.txt and KDDTest+.txt are the same file under two names", "", [2]int{}},
		{"swapped", "nsl-kdd", map[string]string{train: test, test: train}, "",
			"KDDTrain+.txt has the 22544 rows of the test file, under the other file's name", [2]int{125973, 22544}},
		{"two test files", "nsl-kdd", map[string]string{train: test, test: fifth},
			"there is no training file: KDDTrain+.txt, under its name, has the rows of the test file", "", [2]int{}},
		{"a fifth", "nsl-kdd", map[string]string{train: fifth, test: test}, "",
			"KDDTrain+.txt has the 25192 rows of KDDTrain+_20Percent", [2]int{25192, 22544}},
		{"KDD99 as NSL-KDD", "nsl-kdd", map[string]string{train: corrected, test: test},
			"KDDTrain+.txt:1: 42 columns, want 43; 42 columns are those of KDD99 (config kddcup99)", "", [2]int{}},
		{"NSL-KDD as KDD99", "kddcup99", map[string]string{tenth: train, corrected: corrected},
			"kddcup.data_10_percent:1: 43 columns, want 42; 43 columns are those of NSL-KDD (config nsl-kdd)", "", [2]int{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			real := datatest.Dir(t, "nsl-kdd")
			datatest.Dir(t, "kddcup99")
			dir := t.TempDir()
			for name, file := range c.files {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(filepath.Join(real, file+".gz"), filepath.Join(dir, name+".gz")); err != nil {
					t.Fatal(err)
				}
			}
			tb, rep, err := Read(
				context.Background(),
				shippedConfig(t, "../../configs/data/"+c.config+".yaml"),
				NewFinder(dir),
				2,
			)
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Fatalf("error %v, want %q", err, c.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var rows [2]int
			for _, p := range tb.Parts {
				rows[p]++
			}
			if rows != c.rows || !strings.Contains(strings.Join(rep.Warnings, "\n"), c.warns) {
				t.Errorf("rows %v, warnings %q; want %v, %q", rows, rep.Warnings, c.rows, c.warns)
			}
		})
	}
}

// TestForeignLayouts gives made-up files of one UNSW-NB15 or CICIDS2017 layout under another's name.
func TestForeignLayouts(t *testing.T) {
	raw := strings.Repeat("1,", 48) + "0\n"
	part := unswHeader + row(45, map[int]string{2: "a", 3: "-", 4: "b", 43: "Normal", 44: "0"}) + "\n"
	names := func(n int) string { // a header of n columns
		out := make([]string, n)
		for i := range out {
			out[i] = fmt.Sprint("c", i)
		}
		return strings.Join(out, ",") + "\n"
	}
	for _, c := range []struct{ config, file, text, want string }{
		{"unsw-nb15", "UNSW_NB15_training-set.csv", raw, "49 columns are those of the raw files (config unsw-nb15-raw)"},
		{"unsw-nb15-raw", "UNSW-NB15_1.csv", part, "45 columns are those of the partition's files (config unsw-nb15)"},
		{"cicids2017", "Monday-WorkingHours.pcap_ISCX.csv", names(91),
			"91 columns are those of the corrected version (config cicids2017-improved)"},
		{"cicids2017-improved", "monday.sample.csv", cicHeader + "\n",
			"79 columns are those of the original version (config cicids2017)"},
		{"cicids2017", "Monday-WorkingHours.pcap_ISCX.csv", cseHeader + "\n",
			"80 columns are those of CSE-CIC-IDS2018 (config cse-cic-ids2018)"},
	} {
		cfg := shippedConfig(t, "../../configs/data/"+c.config+".yaml")
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, c.file), []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, _, err := Read(context.Background(), cfg, NewFinder(dir), 1)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.file+":1") {
			t.Errorf("%s: error %v, want %q", c.config, err, c.want)
		}
	}
}

func TestIdentifyIsChecked(t *testing.T) {
	for _, bad := range []string{"{rows: 5}", "{part: train}", "{rows: 5, part: train, is: x}", "{is: x}",
		"{rows: 1, columns: 2, is: x}", "{columns: 2, part: test}"} {
		doc, err := settings.Parse(
			"x.yaml",
			[]byte("name: x\nformat: delimited\nfiles: {train: [a]}\nidentify: ["+bad+"]\noptions: {header: true}\n"),
		)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := DecodeConfig(doc); err == nil || !strings.Contains(err.Error(), "x.yaml:4") {
			t.Errorf("%s: error %v", bad, err)
		}
	}
}
