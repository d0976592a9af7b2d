package flows

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/flows.sha256")

// TestFlowsStay: every value of every vocabulary is what it was, on the captures at hand, those of Zeek's tests and a
// simulated one; the golden file has a hash of all flows of each. A change of what flows are is a change of that file.
func TestFlowsStay(t *testing.T) {
	if testing.Short() {
		t.Skip("TestNoMatterHow is about goroutines")
	}
	const golden = "testdata/flows.sha256"
	data := os.Getenv("PLUMBLINE_DATA")
	captures := map[string][]string{"simulated": {simulated(t)}}
	for name, pattern := range map[string]string{"pcap": "pcap/*.pcap", "zeek-conn": "../reference/zeek-conn/*.pcap*"} {
		if files, _ := filepath.Glob(filepath.Join(data, pattern)); len(files) > 0 {
			captures[name] = files
		}
	}
	var lines []string
	all := everyVocabulary()
	for _, set := range slices.Sorted(maps.Keys(captures)) {
		for _, name := range slices.Sorted(maps.Keys(all)) {
			hash := sha256.New()
			for _, path := range captures[set] {
				raw, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				flows, _ := text(t, all[name], Settings{Tunnels: true, MaxOpen: 1000}, 2, inMemory(raw))
				fmt.Fprintf(hash, "%s\n%s", filepath.Base(path), flows)
			}
			lines = append(lines, fmt.Sprintf("%s, %s: %x", set, name, hash.Sum(nil)))
		}
	}
	if *update {
		if err := os.WriteFile(golden, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	raw, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSpace(string(raw)), "\n")
	for _, l := range lines {
		if !slices.Contains(want, l) {
			t.Errorf("other flows than before: %s", l)
		}
	}
}
