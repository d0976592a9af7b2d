package infer

import (
	"fmt"
	"strings"
)

// defaultTool is the one in whose columns flows of captures are.
const defaultTool = "zeek"

// captured is what a config says of the flows of a capture in the columns of each tool but Zeek, from drop on: ports of
// clients are no features, sizes are taken by their logarithm, as in the shipped configs of these columns.
var captured = map[string]string{
	"argus": `split: {kind: time, test: 0.4, validation: 0.2}
prep:
  - {step: drop, columns: [Sport, Dport]}
  - impute
  - {step: log1p, columns: [Dur, TotPkts, TotBytes, SrcBytes]}
  - onehot
  - {step: scale, kind: zscore}
traces:
  key: [SrcAddr, DstAddr]
  symbols: [Proto, State, {column: TotBytes, bins: 5}, {column: SrcBytes, bins: 5}]
  window: {length: 10, stride: 1}
`,
	"netflow": `drop: [te]
split: {kind: time, test: 0.4, validation: 0.2}
prep:
  - {step: drop, columns: [sp, dp, opkt, obyt]}
  - impute
  - {step: log1p, columns: [td, ipkt, ibyt]}
  - onehot
  - {step: scale, kind: zscore}
traces:
  key: [sa, da]
  symbols: [pr, {column: ibyt, bins: 5}, {column: ipkt, bins: 5}, {column: td, bins: 5}]
  window: {length: 10, stride: 1}
`,
	"cic": `split: {kind: time, test: 0.4, validation: 0.2}
prep:
  - {step: drop, columns: [Src Port, Dst Port]}
  - {step: impute, number: constant, value: 0}
  - onehot
  - {step: scale, kind: zscore}
traces:
  key: [Src IP, Dst IP]
  symbols: [Protocol, {column: Flow Duration, bins: 5}, {column: Total Fwd Packet, bins: 5}]
  window: {length: 10, stride: 1}
`,
}

// Capture writes a data config that reads a capture as flows in the columns of a tool. Packets with wrong checksums
// count: in captures of one's own machine those that it sent have them, as its network card makes the right ones.
func Capture(name, tool string) ([]byte, error) {
	rest, ok := captured[tool]
	if tool == "zeek" { // as a log of Zeek is
		var b strings.Builder
		writeZeek(&b, func(string) bool { return true })
		rest, ok = b.String(), true
	}
	if !ok {
		return nil, fmt.Errorf("data: %s: no flows in the columns of %q: want zeek, argus, netflow or cic", name, tool)
	}
	var b strings.Builder
	writeHead(&b, name, "pcap")
	fmt.Fprintf(&b, "# packets have no label: label.join with a table of attacks says what is one\n"+
		"options: {as: %s, checksums: false}\n%s", tool, rest)
	return []byte(b.String()), nil
}
