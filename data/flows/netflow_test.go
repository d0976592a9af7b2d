package flows

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// nfdump is what nfpcapd and nfdump make of a capture, by column. The time-outs are in seconds.
func nfdump(t *testing.T, path, active, idle string) (out []map[string]string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "flows")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if raw, err := exec.Command(tool(t, "nfpcapd"), "-r", path, "-w", dir, "-e", active+","+idle).
		CombinedOutput(); err != nil {
		t.Fatalf("nfpcapd: %v: %s", err, raw)
	}
	names := []string{"ts", "td", "sa", "da", "sp", "dp", "pr", "flg", "stos", "ipkt", "ibyt"}
	cmd := exec.Command(tool(t, "nfdump"), "-R", dir, "-q", "-N", "-6", "-o",
		"fmt:%ts,%td,%sa,%da,%sp,%dp,%pr,%flg,%stos,%pkt,%byt")
	cmd.Env = append(os.Environ(), "TZ=UTC")
	raw, err := cmd.Output()
	if err != nil {
		t.Fatalf("nfdump: %v", err)
	}
	for line := range strings.Lines(string(raw)) {
		cells := strings.Split(strings.TrimRight(line, "\n"), ",")
		if len(cells) != len(names) {
			continue
		}
		row := map[string]string{}
		for i, c := range cells {
			row[names[i]] = strings.TrimSpace(c)
		}
		// type.code of ICMP
		if kind, code, ok := strings.Cut(row["dp"], "."); ok {
			k, _ := strconv.Atoi(kind)
			c, _ := strconv.Atoi(code)
			row["dp"] = fmt.Sprint(k<<8 | c)
		}
		out = append(out, row)
	}
	return out
}

// TestNetFlow: every flow of nfpcapd and nfdump (Debian's nfdump 1.7.1), every column. Time-outs are longer than the
// captures: nfpcapd looks for flows to end every ten to twenty seconds of the packets' time, which is what
// TestNetFlowTimeouts is about.
func TestNetFlow(t *testing.T) {
	tool(t, "nfpcapd")
	for _, path := range captures(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			want := nfdump(t, path, "3600", "3600")
			for _, w := range want { // nfpcapd 1.7.1 leaves it out
				if w["stos"] != "0" {
					t.Fatalf("nfpcapd has a type of service: %v", w)
				}
				delete(w, "stos")
			}
			got := netflowRows(t, path, &NetFlow{Layout: "nfdump", Active: 3600, Idle: 3600})
			id := func(r map[string]string) string {
				return strings.Join([]string{r["ts"], r["sa"], r["sp"], r["da"], r["dp"], r["pr"]}, " ")
			}
			byID := map[string][]map[string]string{}
			for _, r := range got {
				byID[id(r)] = append(byID[id(r)], r)
			}
			differ, equal, options := map[string]int{}, 0, 0
			for _, w := range want {
				list := byID[id(w)]
				if w["pr"] == "0" && strings.Contains(w["sa"], ":") {
					options++ // it does not look past the options of IPv6, which membership reports have
					continue
				}
				if len(list) == 0 {
					if differ["flow"]++; differ["flow"] < 20 {
						t.Logf("not there: %v", w)
					}
					continue
				}
				best := 0 // flows of one datagram each have no order
				for i, g := range list {
					if g["ibyt"] == w["ibyt"] && g["ipkt"] == w["ipkt"] {
						best = i
						break
					}
				}
				g := list[best]
				byID[id(w)] = append(list[:best:best], list[best+1:]...)
				same := true
				for c, v := range w {
					if c == "td" {
						a, _ := strconv.ParseFloat(g[c], 64)
						b, _ := strconv.ParseFloat(v, 64)
						if math.Abs(a-b) < 1e-9 {
							continue
						}
					} else if g[c] == v {
						continue
					}
					same = false
					if differ[c]++; differ[c] < 8 {
						t.Logf("%s: %s is %q, want %q", id(w), c, g[c], v)
					}
				}
				if same {
					equal++
				}
			}
			for name, list := range byID {
				for _, g := range list {
					if options > 0 && g["pr"] == "58" && g["dp"] == "36608" {
						continue
					}
					if differ["too many"]++; differ["too many"] < 20 {
						t.Logf("nfdump has no %s", name)
					}
				}
			}
			t.Logf("%d of %d flows equal", equal, len(want))
			if len(differ) > 0 {
				t.Errorf("differ: %v", differ)
			}
		})
	}
}

func netflowRows(t *testing.T, path string, v *NetFlow) []map[string]string {
	t.Helper()
	checksums := false
	got, _ := build(t, v, Settings{Tunnels: true, Checksums: &checksums, MaxOpen: DefaultMaxOpen}, 2, open(path))
	for _, row := range got {
		at, err := time.Parse(time.RFC3339Nano, row["ts"])
		if err != nil {
			t.Fatal(err)
		}
		row["ts"] = at.UTC().Format("2006-01-02 15:04:05.000")
		row["pr"] = protocolNumber(row["pr"])
	}
	return got
}

// protocolNumber is the number of a protocol's name.
func protocolNumber(name string) string {
	for number, known := range map[string]string{"1": "ICMP", "2": "IGMP", "6": "TCP", "17": "UDP", "58": "ICMP6"} {
		if name == known {
			return number
		}
	}
	return name
}
