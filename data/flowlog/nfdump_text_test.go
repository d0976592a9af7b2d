package flowlog_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plumbline/data"
	"plumbline/data/datatest"
	"plumbline/data/source"
	"plumbline/data/source/sourcetest"
)

const nfdumpTextConfig = `
name: own
format: nfdump-text
files: {train: [flows.csv]}
`

// nfdumpLines is what nfdump 1.7.1 prints of flows made for this test (-o extended, and -o bilong of one of them).
const nfdumpLines = `
Date first seen             Duration     Proto      Src IP Addr:Port          Dst IP Addr:Port     Flags Tos  Packets    Bytes      pps      bps    Bpp Flows
2017-07-14 02:40:00.123     00:00:07.000 ICMP          10.0.0.1:1     ->         10.0.0.2:3.1   ........   1        1    1.0 M        0    1.1 M 1000000     1
2017-07-14 02:40:00.123     01:02:07.500 ICMP6      2001:db8::1.7     ->      2001:db8::2.3.4   ........   9        5  123.5 M        0  141.1 M 24691357     2
2017-07-14 02:40:00.123     00:00:07.000 STP           10.0.0.1:118   ->         10.0.0.2:886   ........ 118      118  118.0 M       16  134.9 M 1000000     1
2017-07-14 02:40:00.123     00:00:07.000 TCP        2001:db8::1.80    ->      2001:db8::2.443   CE....S.   9        5      700        0   1.5 G      140     1
Summary: total flows: 256, total bytes: 32.6 G, total packets: 32640, avg bps: 37.3 G, avg pps: 4662, avg bpp: 1.0 M
Time window: <unknown>
Total flows processed: 256, passed: 256, Blocks skipped: 0, Bytes read: 16400
Sys: 0.0000s User: 0.0027s Wall: 0.0057s flows/second: 44683.4 Runtime: 0.0057s
`

func TestNfdumpText(t *testing.T) {
	tb, _, err := sourcetest.ReadText(t, nfdumpTextConfig, nfdumpLines, 2)
	if err != nil {
		t.Fatal(err)
	}
	for column, want := range map[string]string{
		"ts": "2017-07-14T02:40:00.123Z", "td": "7 3727.5 7 7", "pr": "ICMP ICMP6 STP TCP",
		"sa": "10.0.0.1 2001:db8::1 10.0.0.1 2001:db8::1", "sp": "1 7 118 80",
		"da": "10.0.0.2 2001:db8::2 10.0.0.2 2001:db8::2",
		"dp": "769 772 886 443", "flg": "........ ........ ........ CE....S.", "stos": "1 9 118 9", "ipkt": "1 5 118 5",
		"ibyt": "1e+06 1.235e+08 1.18e+08 700", "bps": "1.1e+06 1.411e+08 1.349e+08 1.5e+09",
		"bpp": "1e+06 2.4691357e+07 1e+06 140",
		"fl":  "1 2 1 1",
	} {
		var got []string
		for i := range tb.Rows {
			got = append(got, sourcetest.Text(t, tb, column, int32(i)))
		}
		if column == "ts" {
			got = got[:1]
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: %s, want %s", column, s, want)
		}
	}
	if tb.Rows != 4 || tb.Where(0) != "flows.csv:3" {
		t.Errorf("%d rows, first at %s", tb.Rows, tb.Where(0))
	}
	row := func(from, to string) string { return strings.Replace(nfdumpLines, from, to, 1) }
	for want, broken := range map[string]string{
		`"ts,te,td" is no title that is known`: "ts,te,td\n",
		"a column sa twice":                    "Date first seen Src IP Addr Src IP Addr:Port\n",
		"the file is empty":                    "\n \n",
		`"2001:db8::2" has no port`:            row("2001:db8::2.443", "2001:db8::2"),
		`"10.0.0.2" has no port`:               row("10.0.0.2:886", "10.0.0.2"),
		`"3.999" is no type and code of ICMP`:  row(":3.1 ", ":3.999 "),
		`"1:2:3:4" is not a duration`:          row("01:02:07.500", "1:2:3:4"),
		"the line ends before column":          row("     24691357     2\n", "\n") + "2017-07-14 02:40:00.123 5\n",
		`"extra" is left after the last`:       row(" 24691357     2\n", " 24691357     2 extra\n"),
	} {
		if _, _, err := sourcetest.ReadText(t, nfdumpTextConfig, broken,
			2); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestNfdumpTextLabeled reads the layout in which CTU-13 is published besides its binetflow files: tabs that double,
// an arrow without a title, a label at the end.
func TestNfdumpTextLabeled(t *testing.T) {
	const lines = "Date flow start\tDurat\tProt\tSrc IP Addr:Port\t\tDst IP " +
		"Addr:Port\tFlags\tTos\tPackets\tBytes\tFlows\tLabel\n" +
		"2011-08-18 09:10:00.627\t1.500\tTCP\t10.9.84.1:1025\t->\t10.2.3.4:80\tPA_\t0\t3\t600\t1\tBotnet\n" +
		"2011-08-18 09:10:01.627\t0.000\tUDP\t10.9.84.2:53\t->\t10.2.3.4:1024\tINT\t0\t1\t60\t1\tFrom Background\n"
	cfg := nfdumpTextConfig + "label: {column: label, benign: [From Background]}\n"
	tb, _, err := sourcetest.ReadText(t, cfg, lines, 2)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(tb.Attack, []bool{true, false}) || len(tb.Columns) != 12 ||
		!slices.Equal(tb.Classes, []string{"Botnet", "From Background"}) {
		t.Errorf("attacks %v, %d columns", tb.Attack, len(tb.Columns))
	}
	for _, c := range []struct{ column, got, want string }{
		{"td", sourcetest.Text(t, tb, "td", 0), "1.5"},
		{"sa", sourcetest.Text(t, tb, "sa", 0), "10.9.84.1"},
		{"dp", sourcetest.Text(t, tb, "dp", 1), "1024"},
	} {
		if c.got != c.want {
			t.Errorf("%s is %q, want %q", c.column, c.got, c.want)
		}
	}
	dir := filepath.Join(datatest.Dir(t, "nfdump"), "nfdump")
	c := sourcetest.Config(
		t,
		strings.NewReplacer("flows.csv", "sample1.labeled.txt", "From Background", "Background").Replace(cfg),
	)
	real, _, err := source.Read(context.Background(), c, source.Finder{Dirs: []string{dir}}, 2)
	if err != nil {
		t.Fatal(err)
	}
	attacks := 0
	for _, a := range real.Attack {
		if a {
			attacks++
		}
	}
	if real.Rows != 35 || attacks != 4 { // counted with awk
		t.Errorf("%d rows, %d attacks", real.Rows, attacks)
	}
}

// TestNfdumpTextEqualsNfcapd: the text that nfdump prints of a real file is the file's first 300 flows.
func TestNfdumpTextEqualsNfcapd(t *testing.T) {
	dir := filepath.Join(datatest.Dir(t, "nfdump"), "nfdump")
	read := func(format, file string) *data.Table {
		c := sourcetest.Config(t, "name: own\nformat: "+format+"\nfiles: {train: ["+file+"]}\n")
		tb, _, err := source.Read(context.Background(), c, source.Finder{Dirs: []string{dir}}, 2)
		if err != nil {
			t.Fatal(err)
		}
		return tb
	}
	printed, file := read("nfdump-text", "portscan.nfdump-1.7.1.extended.txt"), read("nfcapd", "portscan.nfcapd")
	if printed.Rows != 300 {
		t.Fatalf("%d rows", printed.Rows)
	}
	for _, column := range []string{"ts", "td", "pr", "sa", "sp", "da", "dp", "flg", "stos", "ipkt", "ibyt"} {
		for i := range int32(300) {
			if a, b := sourcetest.Text(t, printed, column, i), sourcetest.Text(t, file, column, i); a != b {
				t.Fatalf("flow %d: %s is %s, in the binary file %s", i+1, column, a, b)
			}
		}
	}
}

func FuzzNfdumpText(f *testing.F) {
	f.Add(nfdumpLines)
	f.Add("Date first seen Src IP Addr:Port Proto Dst Pt Bytes Label\n2017-07-14 02:40:00 1::2.3 ICMP 3.4 1.5 K x y\n")
	f.Fuzz(func(t *testing.T, text string) {
		tb, _, err := sourcetest.ReadText(t, nfdumpTextConfig+"max_bad_share: 1\n", text, 2)
		if err == nil && tb.Rows == 0 {
			t.Error("a table without rows")
		}
	})
}
