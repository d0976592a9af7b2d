package flows

import (
	"strings"
	"testing"
)

// TestArgusTCP: what Argus 3.0.8.2 and ra make of connections, one record a line: Dur, who comes first (c the client),
// Dir, State as words and as flags, packets, and bytes of the first. Each was seen from the tools on the same packets.
func TestArgusTCP(t *testing.T) {
	for _, c := range []struct {
		script string
		want   string
	}{
		{">S", "0 c -> REQ S_ 1 54"},
		{">S >S", "0.1 c -> REQ S_ 2 108"},
		{">S <SA", "0.1 c -> ACC S_SA 2 54"},
		{">S <SA >A", "0.2 c -> CON SA_SA 3 108"},
		{">S <SA >A >PA:10 <A", "0.4 c -> CON SPA_SA 5 172"},
		{">S <RA/0", "0.1 c -> RST S_RA 2 54"},
		{">S <SA >R/0", "0.2 c -> RST SR_SA 3 108"},
		{">S <SA >A >FA <FA >A", "0.5 c -> FIN FSA_FSA 6 216"},
		{">S <SA >A >FA <RA/0", "0.4 c -> RST FSA_SRA 5 162"},
		{">SA", "0 c -> ACC SA_ 1 54"},
		{">SA >PA:5", "0.1 s -> CLO _SPA 2 0"},
		{"<SA >A <PA:5", "0.2 c -> CLO A_SPA 3 54"},
		{"<SA >R/0", "0.1 s -> RST SA_R 2 54"},
		{">A <SA >A", "0.2 s -> CLO SA_A 3 54"},
		{">PA:10 >S <SA >A", "0.3 s -> CLO SA_SPA 4 54"},
		{">S >SA >A", "0.2 c -> CON SA_ 3 162"},
		{">PA:10", "0 c ?> CON PA_ 1 64"},
		{">PA:10 <PA:10", "0.1 c <?> CON PA_PA 2 64"},
		{">FA <RA/0", "0.1 c <?> RST FA_RA 2 54"},
		{">", "0 c ?> CON _ 1 54"},
		{">FS", "0 c ?> CON FS_ 1 54"},
		{">SEC <SAE >A", "0.2 c -> CON SAEC_SAE 3 108"},
		{">S <A", "0.1 c -> CON S_A 2 54"},
		{">S <S", "0.1 c -> REQ S_S 2 54"},
		// a SYN that was captured after what answers it
		{"<SA >S", "0.1 s -> ACC SA_S 2 54"},
		{"<SA >S >A", "0.2 c -> CLO SA_SA 3 108"},
		{"<SA >S >A >PA:5 <PA:6 >FA <FA >A", "0.7 c -> FIN FSPA_FSPA 8 275"},
		// ports that are used again: the old record lasts until the new one begins
		{">S <SA >A >FA <FA >A >S", "0.6 c -> FIN FSA_FSA 6 216, 0 c -> REQ S_ 1 54"},
		{">S <SA >A >RA/0 @1 >S <SA >A", "1 c -> RST SRA_SA 4 162, 0.2 c -> CON SA_SA 3 108"},
		{">S <RA/0 @1 >S <RA/0", "1.1 c -> RST S_RA 4 108"},
		{">S <SA >A <PA:10 >A @1 >S <SA >A", "1.2 c -> CON SA_SPA 8 270"},
	} {
		t.Run(c.script, func(t *testing.T) {
			if got := argusLines(t, 3600, c.script); got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
}

// TestArgusIntervals: records of connections that go on for longer than the interval of five seconds, from the same
// tools. What was seen of a connection stays, but for a reset; where the side that began speaks second, the record
// begins with it.
func TestArgusIntervals(t *testing.T) {
	for _, c := range []struct {
		script string
		want   string
	}{
		{">S <SA >A >PA:9 <A @6 >PA:9 <A @12 <PA:9 >A @18 >A @24 <A @30 >FA <FA >A", "0.4 c -> CON SPA_SA 5 171, " +
			"0.1 c -> CON PA_A 2 63, 0 c -> CON A_PA 2 54, 0 c -> CON A_ 1 54, 0 c -> CON _A 1 0, 0.2 c -> FIN FA_FA 3 108"},
		{"<SA >A <PA:4 @6 <PA:9 >A @12 >PA:1", "0.2 c -> CLO A_SPA 3 54, 0.1 c -> CLO A_PA 2 54, 0 c -> CLO PA_ 1 55"},
		{">S <SA >A @6 >RA/0 @12 <A", "0.2 c -> CON SA_SA 3 108, 0 c -> RST RA_ 1 54, 0 c -> CON _A 1 0"},
		{">S @6 <SA @12 >A", "0 c -> REQ S_ 1 54, 0 c -> ACC _SA 1 0, 0 c -> CON A_ 1 54"},
		{">S <SA >A @4.9 >A @9.8 >A @14.7 >A", "4.9 c -> CON SA_SA 4 162, 4.9 c -> CON A_ 2 108"},
		{">S <SA >A @6 <PA:1 <A >A", "0.2 c -> CON SA_SA 3 108, 0 c -> CON A_PA 3 54"},
		{">S <SA >A @6 <PA:1 >A >A", "0.2 c -> CON SA_SA 3 108, 0.1 c -> CON A_PA 3 108"},
	} {
		t.Run(c.script, func(t *testing.T) {
			if got := argusLines(t, 5, c.script); got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
}

// argusLines are the records of a connection.
func argusLines(t *testing.T, interval float64, script string) string {
	t.Helper()
	words := crafted(t, &Argus{Interval: interval, States: "words"}, script)
	flags := crafted(t, &Argus{Interval: interval, States: "flags"}, script)
	if len(words) != len(flags) {
		t.Fatal(words, flags)
	}
	var lines []string
	for i, r := range words {
		first := "c"
		if r["Sport"] == "80" {
			first = "s"
		}
		lines = append(lines, strings.Join([]string{r["Dur"], first, r["Dir"], r["State"], flags[i]["State"], r["TotPkts"],
			r["SrcBytes"]}, " "))
	}
	return strings.Join(lines, ", ")
}
