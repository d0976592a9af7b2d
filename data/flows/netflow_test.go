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
// docs/packets.md is about.
func TestNetFlow(t *testing.T) {
	if testing.Short() {
		t.Skip("TestNoMatterHow is about goroutines")
	}
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
	for number, known := range map[string]string{"1": "ICMP", "2": "IGMP", "6": "TCP", "17": "UDP", "58": "ICMP6",
		"89": "OSPF", "132": "SCTP"} {
		if name == known {
			return number
		}
	}
	return name
}

// TestNetFlowMerged: both directions in one record have what the two records of one direction each have.
func TestNetFlowMerged(t *testing.T) {
	if testing.Short() {
		t.Skip("TestNoMatterHow is about goroutines")
	}
	path := simulated(t)
	sum := func(merged bool) (flows int, bytes, packets float64) {
		for _, r := range netflowRows(t, path, &NetFlow{Layout: "nfdump", Merged: merged, Active: 3600, Idle: 3600}) {
			flows++
			for _, c := range []string{"ibyt", "obyt"} {
				bytes += number(t, r[c])
			}
			for _, c := range []string{"ipkt", "opkt"} {
				packets += number(t, r[c])
			}
		}
		return flows, bytes, packets
	}
	n1, b1, p1 := sum(false)
	n2, b2, p2 := sum(true)
	if b1 != b2 || p1 != p2 || n2 >= n1 || n2 < n1/4 {
		t.Errorf("one way %d flows of %v bytes in %v packets, merged %d of %v in %v", n1, b1, p1, n2, b2, p2)
	}
	row := crafted(t, &NetFlow{Layout: "nfdump", Merged: true}, exchange)
	want := map[string]string{"sp": "4000", "dp": "80", "td": "6.9", "pr": "TCP", "flg": "...AP.SF", "ipkt": "6",
		"ibyt": "390", "opkt": "4", "obyt": "520"}
	for c, v := range want {
		if len(row) != 1 || row[0][c] != v {
			t.Errorf("%s is %q of %d flows, want %q", c, row[0][c], len(row), v)
		}
	}
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestNFV2: the features of a small connection, worked out by hand.
func TestNFV2(t *testing.T) {
	rows := crafted(t, &NetFlow{Layout: "nf-v2"}, exchange)
	if len(rows) != 1 {
		t.Fatalf("%d flows", len(rows))
	}
	sameNumbers(t, rows[0], map[string]float64{
		"L4_SRC_PORT": 4000, "L4_DST_PORT": 80, "PROTOCOL": 6, "IN_BYTES": 390, "IN_PKTS": 6, "OUT_BYTES": 520,
		"OUT_PKTS": 4, "TCP_FLAGS": 27, "CLIENT_TCP_FLAGS": 27, "SERVER_TCP_FLAGS": 27,
		"FLOW_DURATION_MILLISECONDS": 6900, "DURATION_IN": 6900, "DURATION_OUT": 6700, "MIN_TTL": 64, "MAX_TTL": 64,
		"LONGEST_FLOW_PKT": 340, "SHORTEST_FLOW_PKT": 40, "MIN_IP_PKT_LEN": 40, "MAX_IP_PKT_LEN": 340,
		// 40 + 40 + 140 in the first second, 90 + 40 + 40 in the seventh
		"SRC_TO_DST_SECOND_BYTES": 220170, "DST_TO_SRC_SECOND_BYTES": 48040,
		"SRC_TO_DST_AVG_THROUGHPUT": 452, "DST_TO_SRC_AVG_THROUGHPUT": 602,
		"NUM_PKTS_UP_TO_128_BYTES": 8, "NUM_PKTS_128_TO_256_BYTES": 1, "NUM_PKTS_256_TO_512_BYTES": 1,
		"NUM_PKTS_512_TO_1024_BYTES": 0, "NUM_PKTS_1024_TO_1514_BYTES": 0, "TCP_WIN_MAX_IN": 1001,
		"TCP_WIN_MAX_OUT": 2003, "ICMP_TYPE": 0, "DNS_QUERY_ID": 0, "RETRANSMITTED_IN_PKTS": 0,
	})
	// the SYN was captured after the answer to it: the first side is that of the first packet
	sameNumbers(t, crafted(t, &NetFlow{Layout: "nf-v2"}, "<SA >S >A >PA:7 >PA:7")[0], map[string]float64{
		"L4_SRC_PORT": 80, "IN_PKTS": 1, "OUT_PKTS": 4, "SRC_TO_DST_SECOND_BYTES": 40, "DST_TO_SRC_SECOND_BYTES": 174})
	// a side that says nothing
	sameNumbers(t, crafted(t, &NetFlow{Layout: "nf-v2"}, ">S >S")[0], map[string]float64{"MIN_IP_PKT_LEN": 0,
		"SHORTEST_FLOW_PKT": 40, "OUT_PKTS": 0, "SERVER_TCP_FLAGS": 0, "SRC_TO_DST_SECOND_BYTES": 80})
}

// TestDNSQuery: identifier and kind of the first question, and how long the first answer is valid.
func TestDNSQuery(t *testing.T) {
	question := []byte("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07example\x00\x00\x1c\x00\x01")
	answer := append([]byte("\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00"), question[12:]...)
	answer = append(answer, "\xc0\x0c\x00\x1c\x00\x01\x00\x00\x01\x2c\x00\x00"...)
	var q dnsQuery
	q.read(question)
	q.read(answer)
	if q.id != 0x1234 || q.kind != 28 || q.ttl != 300 {
		t.Errorf("%+v", q)
	}
	for n := range answer { // cut short anywhere
		var q dnsQuery
		q.read(answer[:n])
		if n < 29 && q.seen {
			t.Errorf("a question in %d bytes: %+v", n, q)
		}
	}
	if replyCode([]byte("230 Login\r\n")) != 230 || replyCode([]byte("23")) != 0 || replyCode([]byte("2x0 ")) != 0 {
		t.Error("codes of FTP")
	}
}
