package infer_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plumbline/configs/settings"
	"plumbline/data/infer"
	"plumbline/data/source"
)

// rowsUnder is a header and rows of its width whose cells depend on the column's name.
func rowsUnder(separator, header string, cells map[string]string) string {
	var b strings.Builder
	b.WriteString(header + "\n")
	for range 3 {
		for i, n := range strings.Split(header, separator) {
			if i > 0 {
				b.WriteString(separator)
			}
			cell, ok := cells[n]
			if !ok {
				cell = "1"
			}
			b.WriteString(cell)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// TestShippedAreNamed: a file in a layout that a shipped config knows names that config, and no other file does.
func TestShippedAreNamed(t *testing.T) {
	const netflow1 = "IPV4_SRC_ADDR,L4_SRC_PORT,IPV4_DST_ADDR,L4_DST_PORT,PROTOCOL,L7_PROTO,IN_BYTES,OUT_BYTES," +
		"IN_PKTS,OUT_PKTS,TCP_FLAGS,FLOW_DURATION_MILLISECONDS,Label,Attack"
	addresses := map[string]string{"IPV4_SRC_ADDR": "10.0.0.1", "IPV4_DST_ADDR": "10.0.0.2", "Attack": "DoS"}
	flow, err := base64.StdEncoding.DecodeString("DKUCAAABBwEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQAAAA==")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, file, text, want string }{
		{"nfdump", "flows.csv", rowsUnder(",", "ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt,in,out,sas,das",
			map[string]string{"ts": "2024-01-02 03:04:05", "te": "2024-01-02 03:04:06", "sa": "10.0.0.1", "da": "::1",
				"pr": "TCP", "flg": "...A.S.."}), "nfdump"},
		{"nfdump since 1.7.5", "flows.csv", rowsUnder(",",
			"firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,flags,tos,inPackets,inBytes,outPackets,outBytes",
			map[string]string{"firstSeen": "2024-01-02 03:04:05", "srcAddr": "10.0.0.1", "dstAddr": "::1", "proto": "TCP"}),
			"nfdump"},
		{"nfdump's text", "flows.txt", "Date first seen          Duration Proto      Src IP Addr:Port          Dst IP " +
			"Addr:Port   Packets    Bytes Flows\n" +
			"2024-01-02 03:04:05.000     1.000 TCP      10.0.0.1:80    ->   10.0.0.2:443   1  60  1\n", "nfdump-text"},
		{"nfcapd", "flows.nfcapd", string(flow), "nfcapd"},
		{"Argus", "own.binetflow", rowsUnder(",",
			"StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,Label",
			map[string]string{"StartTime": "2024/01/02 03:04:05.000000", "Proto": "tcp", "SrcAddr": "10.0.0.1", "Dir": "->",
				"DstAddr": "10.0.0.2", "State": "CON", "Label": "flow=Background"}), "ctu-argus, ctu13"},
		{"NetFlow, version 1", "own.csv", rowsUnder(",", netflow1, addresses), "nf-uq-nids-v1"},
		{"NetFlow, version 1, a set's own name", "NF-BoT-IoT.csv", rowsUnder(",", netflow1, addresses), "nf-bot-iot-v1"},
		{"CICFlowMeter in Python", "own.csv", rowsUnder(",", strings.ToLower(strings.NewReplacer(" ", "_", "/", "_").
			Replace(cicFeatures))+",label", map[string]string{"label": "BENIGN"}), "cicflowmeter"},
		{"CICFlowMeter of 2018", "own.csv", rowsUnder(",", cicFeatures+",Label", map[string]string{"Label": "BENIGN"}),
			"cicflowmeter"},
		{"Suricata", "eve.json", `{"timestamp":"2024-03-01T10:00:01.000000+0200","flow_id":7,"event_type":"flow",` +
			`"src_ip":"10.0.0.7","dest_ip":"192.0.2.1","proto":"TCP","flow":{"alerted":true,"age":1}}` + "\n" +
			`{"timestamp":"2024-03-01T10:00:08.000000+0200","event_type":"stats","stats":{"uptime":8}}` + "\n", "suricata"},
		{"Zeek's JSON", "conn.log", `{"ts":1591367999.3,"uid":"C5","id.orig_h":"192.0.2.1","id.orig_p":1,` +
			`"id.resp_h":"192.0.2.2","id.resp_p":80,"proto":"tcp","conn_state":"SF","label":"Benign"}` + "\n", "zeek-json"},
		{"another log of Zeek's", "dns.log", `{"ts":1591367999.3,"uid":"C5","id.orig_h":"192.0.2.1","id.orig_p":1,` +
			`"id.resp_h":"192.0.2.2","id.resp_p":80,"proto":"tcp","query":"a.example"}` + "\n", ""},
		{"a table of one's own", "own.csv", "time,src,bytes,label\n1,10.0.0.1,7,0\n2,10.0.0.2,9,1\n", ""},
		{"numbers and a label", "own.csv", "a,b,c,d,e,f,Label\n1,2,3,4,5,6,BENIGN\n1,2,3,4,5,7,DoS\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), c.file)
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			raw, err := infer.Infer(path)
			if err != nil {
				t.Fatal(err)
			}
			said := ""
			for line := range strings.Lines(string(raw)) {
				if strings.HasPrefix(line, "# ") && strings.Contains(line, "shipped config") {
					_, said, _ = strings.Cut(strings.TrimSpace(line), ": ")
				}
			}
			if said != c.want {
				t.Errorf("%q is named, want %q\n%s", said, c.want, raw)
			}
			doc, err := settings.Parse("inferred", raw)
			if err != nil {
				t.Fatal(err)
			}
			cfg, err := source.DecodeConfig(doc)
			if err != nil {
				t.Fatalf("%v\n%s", err, raw)
			}
			if c.want != "nfcapd" { // which has no flows here
				if _, _, err := source.Read(t.Context(), cfg, source.Finder{Dirs: []string{filepath.Dir(path)}}, 1); err != nil {
					t.Errorf("%v\n%s", err, raw)
				}
			}
		})
	}
}

// cicFeatures is the features of CICFlowMeter as CSE-CIC-IDS2018 spells them.
const cicFeatures = "Flow Duration,Tot Fwd Pkts,Tot Bwd Pkts,TotLen Fwd Pkts,TotLen Bwd Pkts,Fwd Pkt Len Max," +
	"Fwd Pkt Len Min,Fwd Pkt Len Mean,Fwd Pkt Len Std,Bwd Pkt Len Max,Bwd Pkt Len Min,Bwd Pkt Len Mean," +
	"Bwd Pkt Len Std,Flow Byts/s,Flow Pkts/s,Flow IAT Mean,Flow IAT Std,Flow IAT Max,Flow IAT Min," +
	"Fwd IAT Tot,Fwd IAT Mean,Fwd IAT Std,Fwd IAT Max,Fwd IAT Min,Bwd IAT Tot,Bwd IAT Mean,Bwd IAT Std," +
	"Bwd IAT Max,Bwd IAT Min,Fwd PSH Flags,Bwd PSH Flags,Fwd URG Flags,Bwd URG Flags,Fwd Header Len," +
	"Bwd Header Len,Fwd Pkts/s,Bwd Pkts/s,Pkt Len Min,Pkt Len Max,Pkt Len Mean,Pkt Len Std,Pkt Len Var," +
	"FIN Flag Cnt,SYN Flag Cnt,RST Flag Cnt,PSH Flag Cnt,ACK Flag Cnt,URG Flag Cnt,CWE Flag Count," +
	"ECE Flag Cnt,Down/Up Ratio,Pkt Size Avg,Fwd Seg Size Avg,Bwd Seg Size Avg,Fwd Byts/b Avg," +
	"Fwd Pkts/b Avg,Fwd Blk Rate Avg,Bwd Byts/b Avg,Bwd Pkts/b Avg,Bwd Blk Rate Avg,Subflow Fwd Pkts," +
	"Subflow Fwd Byts,Subflow Bwd Pkts,Subflow Bwd Byts,Init Fwd Win Byts,Init Bwd Win Byts," +
	"Fwd Act Data Pkts,Fwd Seg Size Min,Active Mean,Active Std,Active Max,Active Min,Idle Mean,Idle Std," +
	"Idle Max,Idle Min"
