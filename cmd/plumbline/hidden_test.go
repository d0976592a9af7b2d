package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestHiddenInMessages: with a key, no message of a command about rows that it cannot read, or about files that are
// none of their kind, shows an address, the beginning of one, or a name in the place of one; without a key it does.
func TestHiddenInMessages(t *testing.T) {
	dir, root := runDir(t)
	file := func(name string) string { return filepath.Join(root, name) }
	flows := file("own.csv")
	if code, _, errOut := plumb(t, "data", "export", "synth", flows, "-q"); code != exitOK {
		t.Fatal(errOut)
	}
	raw, err := os.ReadFile(flows)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")[:400]
	const private = "alice-of-accounts-whose-desk-is-in-the-second-room, 172.29.113.254"
	shifted := append([]string(nil), lines...)
	for i := 1; i < len(shifted); i += 3 { // addresses and names where numbers should be
		cells := strings.Split(shifted[i], ",")
		for k := range cells {
			if cells[k] = `"` + private + `"`; i%2 == 0 {
				cells[k] = "172.29.113.254"
			}
		}
		shifted[i] = strings.Join(cells, ",")
	}
	for name, text := range map[string]string{
		"key":        strings.Repeat("0123456789abcdef", 4),
		"bad.csv":    strings.Join(shifted, "\n") + "\n",
		"bare.csv":   strings.Repeat(private+",172.29.113.254,alice\n", 30),
		"config.yml": "name: own\nformat: delimited\nfiles: [bad.csv]\noptions: {header: true, default_type: number}\n",
	} {
		if err := os.WriteFile(file(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tell := 0
	for _, args := range [][]string{
		{"score", dir + "/znorm/s1", file("bad.csv"), "-o", file("s.csv"), "--force"},
		{"score", dir + "/znorm/s1", file("bare.csv"), "-o", file("s.csv"), "--force"},
		{"score", dir + "/znorm/s1", file("bad.csv"), "--as", file("config.yml"), "-o", file("s.csv"), "--force"},
		{"investigate", dir + "/znorm/s1", file("bad.csv")},
		{"investigate", dir + "/znorm/s1", file("bare.csv")},
		{"watch", dir + "/znorm/s1", "--follow", file("bad.csv"), "--once", "--store", file("bad.db")},
		{"watch", dir + "/znorm/s1", "--follow", file("bare.csv"), "--once", "--store", file("bare.db")},
		{"data", "export", file("config.yml"), file("t.csv"), "--data", root, "--force"},
	} {
		shows := func(text string) bool {
			return strings.Contains(text, "172.29") || strings.Contains(text, "alice") || strings.Contains(text, "desk")
		}
		_, out, errOut := plumb(t, args...)
		if shows(out + errOut) {
			tell++
		}
		code, out, errOut := plumb(t, append(args, "--pseudonym-key", file("key"))...)
		if shows(out+errOut) || errOut == "" {
			t.Errorf("%v: exit %d: %s%s", args, code, out, errOut)
		}
	}
	if tell < 4 {
		t.Errorf("without a key %d of the commands say what stands in the rows: nothing was shown to be hidden", tell)
	}
}
