package flows

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"plumbline/data/synth/capture"
)

// tool is the path of a program that results are held against. Where programs are required (.ci/run installs them) it
// must be there.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if path, err := exec.LookPath("/usr/sbin/" + name); err == nil { // not in everybody's path
		return path
	}
	if os.Getenv("PLUMBLINE_PROGRAMS") == "required" {
		t.Fatalf("%s is required: %v", name, err)
	}
	t.Skipf("%s is not installed (.ci/programs installs it)", name)
	return ""
}

// captures are the real ones, where they are, one that is simulated, and one of what those do not have.
func captures(t *testing.T) []string {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(os.Getenv("PLUMBLINE_DATA"), "pcap", "*.pcap"))
	if len(files) == 0 && os.Getenv("PLUMBLINE_REQUIRE_DATA") != "" {
		t.Fatal("no captures under PLUMBLINE_DATA")
	}
	return append(files, simulated(t), seldom(t))
}

// simulated is a capture of half an office with all attacks, the last two minutes.
func simulated(t *testing.T) string {
	t.Helper()
	s := capture.Default()
	s.Minutes, s.Clients, s.Rate, s.AttackFrom = 3, 12, 2.5, 0.3
	var b bytes.Buffer
	if _, err := s.Write(&b); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "simulated.pcap")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// hardware is an address of it.
var hardware = regexp.MustCompile(`^([0-9a-f]{2}:){5}[0-9a-f]{2}$`)

// ra is what argus and ra make of a capture, by column, but for the records about argus itself and those of frames that
// are neither of IP nor ARP. dir is for its file.
func ra(argus, ra, dir, path string, interval float64, states string) (out []map[string]string, err error) {
	file := filepath.Join(dir, fmt.Sprint(filepath.Base(path), interval))
	// -X: without the machine's own configuration
	if raw, err := exec.Command(argus, "-X", "-r", path, "-S", fmt.Sprint(interval), "-w", file).
		CombinedOutput(); err != nil {
		return nil, fmt.Errorf("argus: %w: %s", err, raw)
	}
	args := []string{"-X", "-n", "-u", "-p", "6", "-c", ",", "-r", file, "-s", "stime", "dur", "proto", "saddr", "sport",
		"dir", "daddr", "dport", "state", "stos", "dtos", "pkts", "bytes", "sbytes"}
	if states == "flags" {
		args = append(args, "-Z", "b")
	}
	raw, err := exec.Command(ra, append(args, "-", "not", "man")...).Output()
	if err != nil {
		return nil, fmt.Errorf("ra: %w", err)
	}
	columns := (&Argus{}).Columns()
	for line := range strings.Lines(string(raw)) {
		cells := strings.Split(strings.TrimRight(line, "\n"), ",")
		if len(cells) != len(columns) || cells[0] == "StartTime" {
			continue
		}
		row := map[string]string{}
		for i, c := range cells {
			row[columns[i].Name] = strings.TrimSpace(c)
		}
		for _, port := range []string{"Sport", "Dport"} {
			if n, err := strconv.ParseUint(row[port], 0, 32); err == nil {
				row[port] = fmt.Sprint(n)
			}
		}
		if hardware.MatchString(row["SrcAddr"]) {
			continue
		}
		out = append(out, row)
	}
	return out, nil
}

// argusRows is what this package makes of a capture.
func argusRows(t *testing.T, path string, interval float64, states string) []map[string]string {
	t.Helper()
	checksums := false
	got, _ := build(t, &Argus{Interval: interval, States: states},
		Settings{Checksums: &checksums, MaxOpen: DefaultMaxOpen}, 2, open(path))
	for _, row := range got {
		at, err := time.Parse(time.RFC3339Nano, row["StartTime"])
		if err != nil {
			t.Fatal(err)
		}
		row["StartTime"] = fmt.Sprintf("%d.%06d", at.Unix(), at.Nanosecond()/1000)
	}
	return got
}

// argusElsewhere are captures of Zeek's tests that Argus reads in another way: it does not know FabricPath, leaves
// frames of more than 1,514 bytes out of two pcapng files, which say nothing of their longest, and does not count the
// four bytes before packets of BSD's loopback.
var argusElsewhere = []string{"core.cisco-fabric-path.pcap", "ldap.sasl-signed-clear.pcapng",
	"ldap.sasl-signed-clear-2.pcapng", "http.http-connect-with-header.pcap"}

// TestArgus: every record of argus and ra (Debian's argus-server 3.0.8.2 and argus-client 3.0.8.2), every column. The
// captures of Zeek's tests, of which some are silent for long, are compared with the longer interval only.
func TestArgus(t *testing.T) {
	if testing.Short() {
		t.Skip("TestNoMatterHow is about goroutines")
	}
	argus, client := tool(t, "argus"), tool(t, "ra")
	type made struct {
		path     string
		interval float64
		states   string
		want     []map[string]string
		err      error
		done     chan struct{}
	}
	var all []*made
	add := func(path string, interval float64, states string) {
		all = append(all, &made{path: path, interval: interval, states: states, done: make(chan struct{})})
	}
	for _, path := range captures(t) {
		add(path, 3600, "flags")
		add(path, 5, "words")
	}
	others, _ := filepath.Glob(filepath.Join(os.Getenv("PLUMBLINE_DATA"), "../reference/zeek-conn/*.pcap*"))
	for _, path := range others {
		if !slices.Contains(argusElsewhere, filepath.Base(path)) {
			add(path, 3600, "flags")
		}
	}
	dir := t.TempDir()
	for _, m := range all { // argus waits for a second, whatever it does
		go func() {
			m.want, m.err = ra(argus, client, dir, m.path, m.interval, m.states)
			close(m.done)
		}()
	}
	for _, m := range all {
		t.Run(fmt.Sprintf("%s every %v s", filepath.Base(m.path), m.interval), func(t *testing.T) {
			if <-m.done; m.err != nil {
				t.Fatal(m.err)
			}
			compareArgus(t, argusRows(t, m.path, m.interval, m.states), m.want)
		})
	}
}

// argusExplained are cells that differ. Argus looks for flows to end when half a second has gone by, and then only with
// the next packet of the capture, so that this one, silent for 35 seconds while nothing else came, goes on there.
var argusExplained = map[string]string{
	"1520628640.304224 192.168.2.16 123 81.2.248.189 123 State": "REQ",
	"1520628640.304224 192.168.2.16 123 81.2.248.189 123 dTos":  "0",
}

// compareArgus holds records against those of ra: the same ones, with the same values.
func compareArgus(t *testing.T, got, want []map[string]string) {
	t.Helper()
	id := func(r map[string]string) string {
		return strings.Join([]string{r["StartTime"], r["SrcAddr"], r["Sport"], r["DstAddr"], r["Dport"]}, " ")
	}
	byID := map[string][]map[string]string{}
	for _, r := range got {
		byID[id(r)] = append(byID[id(r)], r)
	}
	differ := map[string]int{}
	equal := 0
	for _, w := range want {
		list := byID[id(w)]
		if len(list) == 0 {
			differ["record"]++
			t.Logf("not there: %v", w)
			continue
		}
		g := list[0]
		byID[id(w)] = list[1:]
		same := true
		for _, c := range slices.Sorted(maps.Keys(w)) {
			if equalCells(c, g[c], w[c]) || argusExplained[id(w)+" "+c] == w[c] && w[c] != "" {
				continue
			}
			same = false
			if differ[c]++; differ[c] < 8 {
				t.Logf("%s: %s is %q, want %q", id(w), c, g[c], w[c])
			}
		}
		if same {
			equal++
		}
	}
	for name, list := range byID {
		for range list {
			differ["too many"]++
			t.Logf("ra has no %s", name)
		}
	}
	t.Logf("%d of %d records equal", equal, len(want))
	if len(differ) > 0 {
		t.Errorf("differ: %v", differ)
	}
}

// equalCells compares texts; durations as ra has them, in single precision.
func equalCells(column, got, want string) bool {
	if column != "Dur" {
		return got == want
	}
	g, err1 := strconv.ParseFloat(got, 64)
	w, err2 := strconv.ParseFloat(want, 64)
	return err1 == nil && err2 == nil && math.Abs(g-w) <= 1.5e-6+w/(1<<23)
}
