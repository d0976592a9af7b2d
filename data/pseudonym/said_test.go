package pseudonym_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"plumbline/data/pseudonym"
)

// TestSaid: of what messages quote, addresses have pseudonyms, names of columns stay, and all else is left out, also
// what was cut off; outside of quotes addresses are found within words. Nothing of a private text is left.
func TestSaid(t *testing.T) {
	change := func(a string) string { return "<" + fmt.Sprint(len(a)) + ">" }
	keep := func(text string) bool { return text == "src_bytes" || text == "a \"b\"" }
	for text, want := range map[string]string{
		`conn.log:7:3: "10.0.0.1" is not a number`:               `conn.log:7:3: "<8>" is not a number`,
		`conn.log:7:3: "printer.example.org" is not a number`:    `conn.log:7:3: "…" is not a number`,
		`"2001:db8:0:0:1" is no address and port`:                `"…" is no address and port`,
		`"x10.0.0.1" and "10.0.0.1:53" and "00:1b:44:11:3a:b7"`:  `"…" and "<11>" and "<17>"`,
		`member "src_bytes": "\xff10.0.0.1" is not UTF-8`:        `member "src_bytes": "…" is not UTF-8`,
		`column 1 is "alice" in the header and "src_bytes" here`: `column 1 is "…" in the header and "src_bytes" here`,
		fmt.Sprintf("no column %q, there is %q", `a "b"`, "c"):   `no column "a \"b\"", there is "…"`,
		`duplicate member "10.0.0.1 and a text that is cut of`:   `duplicate member "…"`,
		`netflow: 10.0.0.1: not a packet`:                        `netflow: <8>: not a packet`,
		`from fe80::1: nothing, nor of src:10.0.0.1.`:            `from <7>: nothing, nor of src:<8>.`,
		`conn-192.168.100.200.log at 10.0.0.1.443`:               `conn-<15>.log at <8>.443`,
		`12:30:45 on 2026-11-27, version 1.2.3, 999.1.1.1`:       `12:30:45 on 2026-11-27, version 1.2.3, 999.1.1.1`,
		`host:2001:db8::7 and mac=00-1b-44-11-3a-b7`:             `host:<11> and mac=<17>`,
		"no \"src_bytes\"; known: alice, bob, src_bytes\nmore":   "no \"src_bytes\"; known: …, src_bytes\nmore",
		`the column "n" is missing; there are 10.0.0.1, tcp, x`:  `the column "…" is missing; there are …`,
		`Plumbline::Anomaly, there are "" and ""`:                `Plumbline::Anomaly, there are "…" and "…"`,
	} {
		if got := pseudonym.Said(text, change, keep); got != want {
			t.Errorf("%s\nbecomes %s\nwant    %s", text, got, want)
		}
	}
	m := mapper(t)
	err := fmt.Errorf("at %q: %w", "128.11.68.132", io.ErrUnexpectedEOF)
	got := m.Error(err, keep)
	if got.Error() != `at "135.242.180.132": unexpected EOF` || !errors.Is(got, io.ErrUnexpectedEOF) {
		t.Error(got)
	}
	if again := m.Error(fmt.Errorf("more: %w", got), keep); again.Error() != "more: "+got.Error() {
		t.Error(again)
	}
	var none *pseudonym.Mapper
	if none.Error(err, keep) != err || m.Error(nil, keep) != nil || none.Said(`"x"`, keep) != `"x"` {
		t.Error("no mapper changes something, or there is an error where there was none")
	}
}
