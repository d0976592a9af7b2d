package source

import (
	"context"
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"plumbline/data"
)

// Data sets whose files cannot be part of the tests are read here from invented rows in the exact layout of
// the originals, quirks included, by the config that ships.

// inLayout is the configs that are tried on nothing but such rows.
var inLayout = []string{
	"bot-iot",
	"ciciot2023",
	"cidds-001",
	"cse-cic-ids2018-improved",
	"ctu13",
	"ctu13-01",
	"ctu13-02",
	"ctu13-03",
	"ctu13-04",
	"ctu13-05",
	"ctu13-06",
	"ctu13-07",
	"ctu13-08",
	"ctu13-09",
	"ctu13-10",
	"ctu13-11",
	"ctu13-12",
	"ctu13-13",
	"ctu13-background-benign",
	"ctu13-to-and-from",
	"edge-iiotset",
	"hikari-2021",
	"nf-bot-iot-v1",
	"nf-bot-iot-v3",
	"nf-ton-iot-v1",
	"nf-ton-iot-v3",
	"nf-unsw-nb15-v1",
	"nf-unsw-nb15-v3",
	"uwf-zeekdata22",
}

// fixture reads files made of texts with a shipped config; those of the config that are not given are left
// out.
func fixture(t *testing.T, name string, files map[string]string) (*data.Table, *ReadReport, error) {
	t.Helper()
	c := shippedConfig(t, "../../configs/data/"+name+".yaml")
	dir := t.TempDir()
	folder := filepath.Join(dir, c.Folder)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	fits := func(pattern, f string) bool { ok, err := path.Match(pattern, f); return ok && err == nil }
	absent := func(pattern string) bool {
		for f := range files {
			if fits(pattern, f) {
				return false
			}
		}
		return true
	}
	for f, text := range files {
		all := slices.Concat(c.Files.Train, c.Files.Test)
		if !slices.ContainsFunc(all, func(pattern string) bool { return fits(pattern, f) }) {
			t.Fatalf("%s has no file %s", name, f)
		}
		if err := os.WriteFile(filepath.Join(folder, f), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c.Files.Train, c.Files.Test = slices.DeleteFunc(c.Files.Train, absent), slices.DeleteFunc(c.Files.Test, absent)
	return Read(context.Background(), c, NewFinder(dir), 2)
}

// truths is the class of every row, attacks with a star.
func truths(t *data.Table) string {
	var out []string
	for i, c := range t.Class {
		name := t.Classes[c]
		if t.Attack[i] {
			name += "*"
		}
		out = append(out, name)
	}
	return strings.Join(out, " | ")
}

func text(t *testing.T, tb *data.Table, column string, row int32) string {
	t.Helper()
	c, err := tb.Column(column)
	if err != nil {
		t.Fatal(err)
	}
	return string(c.AppendText(nil, row))
}

// check compares what was read with the truth of the rows and some values, written as AppendText does.
func check(t *testing.T, tb *data.Table, truth string, columns int, values map[string]string) {
	t.Helper()
	if got := truths(tb); got != truth {
		t.Errorf("truth %s, want %s", got, truth)
	}
	if len(tb.Columns) != columns {
		t.Errorf("%d columns, want %d", len(tb.Columns), columns)
	}
	for at, want := range values {
		cut := strings.LastIndex(at, "@")
		column := at[:cut]
		var k int32
		fmt.Sscan(at[cut+1:], &k)
		if got := text(t, tb, column, k); got != want {
			t.Errorf("%s of row %d is %q, want %q", column, k, got, want)
		}
	}
}

// cicHeader is the header of MachineLearningCVE files: most names begin with a blank, and one column comes
// twice.
const cicHeader = ` Destination Port, Flow Duration, Total Fwd Packets, Total Backward Packets,Total Length of Fwd Packets, Total Length of Bwd Packets, Fwd Packet Length Max, Fwd Packet Length Min, Fwd Packet Length Mean, Fwd Packet Length Std,Bwd Packet Length Max, Bwd Packet Length Min, Bwd Packet Length Mean, Bwd Packet Length Std,Flow Bytes/s, Flow Packets/s, Flow IAT Mean, Flow IAT Std, Flow IAT Max, Flow IAT Min,Fwd IAT Total, Fwd IAT Mean, Fwd IAT Std, Fwd IAT Max, Fwd IAT Min,Bwd IAT Total, Bwd IAT Mean, Bwd IAT Std, Bwd IAT Max, Bwd IAT Min,Fwd PSH Flags, Bwd PSH Flags, Fwd URG Flags, Bwd URG Flags, Fwd Header Length, Bwd Header Length,Fwd Packets/s, Bwd Packets/s, Min Packet Length, Max Packet Length, Packet Length Mean, Packet Length Std, Packet Length Variance,FIN Flag Count, SYN Flag Count, RST Flag Count, PSH Flag Count, ACK Flag Count, URG Flag Count, CWE Flag Count, ECE Flag Count, Down/Up Ratio, Average Packet Size, Avg Fwd Segment Size, Avg Bwd Segment Size, Fwd Header Length,Fwd Avg Bytes/Bulk, Fwd Avg Packets/Bulk, Fwd Avg Bulk Rate, Bwd Avg Bytes/Bulk, Bwd Avg Packets/Bulk,Bwd Avg Bulk Rate,Subflow Fwd Packets, Subflow Fwd Bytes, Subflow Bwd Packets, Subflow Bwd Bytes,Init_Win_bytes_forward, Init_Win_bytes_backward, act_data_pkt_fwd, min_seg_size_forward,Active Mean, Active Std, Active Max, Active Min,Idle Mean, Idle Std, Idle Max, Idle Min, Label`

// row is n cells 1, 2, 3, … with some replaced.
func row(n int, cells map[int]string) string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprint(i + 1)
		if c, ok := cells[i]; ok {
			out[i] = c
		}
	}
	return strings.Join(out, ",")
}

func TestFixtureCICIDS2017(t *testing.T) {
	tb, rep, err := fixture(t, "cicids2017", map[string]string{
		"Monday-WorkingHours.pcap_ISCX.csv": cicHeader + "\r\n" + row(79, map[int]string{78: "BENIGN"}) + "\r\n",
		// a Windows-1252 dash in the label, a flow without duration, and an empty rate
		"Thursday-WorkingHours-Morning-WebAttacks.pcap_ISCX.csv": cicHeader + "\n" +
			row(79, map[int]string{78: "Web Attack \x96 XSS"}) + "\n" +
			row(79, map[int]string{14: "Infinity", 15: "NaN", 78: "BENIGN"}) + "\n" +
			row(79, map[int]string{14: "", 78: "Web Attack \x96 Brute Force"}) + "\n",
	})
	if err != nil {
		t.Fatal(err)
	}
	check(
		t,
		tb,
		"BENIGN | Web Attack – XSS* | BENIGN | Web Attack – Brute Force*",
		78,
		map[string]string{
			"Destination Port@0":     "1",
			"Fwd Header Length@1":    "35",
			"Fwd Header Length.56@1": "56",
			"Flow Bytes/s@1":         "15",
			"Flow Bytes/s@2":         "-",
			"Flow Packets/s@2":       "-",
			"Flow Bytes/s@3":         "-",
			"Idle Min@3":             "78",
		},
	)
	if !strings.Contains(
		strings.Join(rep.Warnings, " "),
		"the training part has 4 rows, the complete data set has 2830743",
	) {
		t.Errorf("warnings %q", rep.Warnings)
	}
	_, _, err = fixture(
		t,
		"cicids2017",
		map[string]string{
			"Monday-WorkingHours.pcap_ISCX.csv": cicHeader + "\n" + row(
				79,
				map[int]string{78: "BENIGN"},
			) + "\n" + row(
				78,
				nil,
			) + "\n",
		},
	)
	if err == nil || !strings.Contains(err.Error(), "Monday-WorkingHours.pcap_ISCX.csv:3: 78 columns, want 79") {
		t.Errorf("a row cut short: %v", err)
	}
}

// cseHeader is the header of CSE-CIC-IDS2018's day files.
const cseHeader = `Dst Port,Protocol,Timestamp,Flow Duration,Tot Fwd Pkts,Tot Bwd Pkts,TotLen Fwd Pkts,TotLen Bwd Pkts,Fwd Pkt Len Max,Fwd Pkt Len Min,Fwd Pkt Len Mean,Fwd Pkt Len Std,Bwd Pkt Len Max,Bwd Pkt Len Min,Bwd Pkt Len Mean,Bwd Pkt Len Std,Flow Byts/s,Flow Pkts/s,Flow IAT Mean,Flow IAT Std,Flow IAT Max,Flow IAT Min,Fwd IAT Tot,Fwd IAT Mean,Fwd IAT Std,Fwd IAT Max,Fwd IAT Min,Bwd IAT Tot,Bwd IAT Mean,Bwd IAT Std,Bwd IAT Max,Bwd IAT Min,Fwd PSH Flags,Bwd PSH Flags,Fwd URG Flags,Bwd URG Flags,Fwd Header Len,Bwd Header Len,Fwd Pkts/s,Bwd Pkts/s,Pkt Len Min,Pkt Len Max,Pkt Len Mean,Pkt Len Std,Pkt Len Var,FIN Flag Cnt,SYN Flag Cnt,RST Flag Cnt,PSH Flag Cnt,ACK Flag Cnt,URG Flag Cnt,CWE Flag Count,ECE Flag Cnt,Down/Up Ratio,Pkt Size Avg,Fwd Seg Size Avg,Bwd Seg Size Avg,Fwd Byts/b Avg,Fwd Pkts/b Avg,Fwd Blk Rate Avg,Bwd Byts/b Avg,Bwd Pkts/b Avg,Bwd Blk Rate Avg,Subflow Fwd Pkts,Subflow Fwd Byts,Subflow Bwd Pkts,Subflow Bwd Byts,Init Fwd Win Byts,Init Bwd Win Byts,Fwd Act Data Pkts,Fwd Seg Size Min,Active Mean,Active Std,Active Max,Active Min,Idle Mean,Idle Std,Idle Max,Idle Min,Label`

func TestFixtureCSECICIDS2018(t *testing.T) {
	flow := func(at, rate, label string) string {
		return row(80, map[int]string{1: "6", 2: at, 16: rate, 79: label}) + "\n"
	}
	tb, rep, err := fixture(t, "cse-cic-ids2018", map[string]string{
		"02-14-2018.csv": cseHeader + "\n" + flow(
			"14/02/2018 08:31:01",
			"5.5",
			"Benign",
		) + cseHeader + "\n" + flow(
			"14/02/2018 10:32:00",
			"Infinity",
			"FTP-BruteForce",
		),
		"02-16-2018.csv": cseHeader + "\n" + flow(
			"01/01/1970 00:00:10",
			"2",
			"Benign",
		) + flow(
			"16/02/2018 22:18:00",
			"NaN",
			"DoS attacks-Hulk",
		) + flow(
			"16/02/2018 22:18:00",
			"-Infinity",
			"Benign",
		),
	})
	if err != nil {
		t.Fatal(err)
	}
	check(
		t,
		tb,
		"Benign | FTP-BruteForce* | DoS attacks-Hulk* | Benign",
		79,
		map[string]string{
			"Timestamp@0":   "2018-02-14T08:31:01Z",
			"Flow Byts/s@0": "5.5",
			"Flow Byts/s@1": "-",
			"Flow Byts/s@2": "-",
			"Flow Byts/s@3": "-",
			"Protocol@3":    "6",
			"Dst Port@3":    "1",
		},
	)
	if notes := strings.Join(rep.Notes, " "); !strings.Contains(notes, "1 of 5 rows are left out by the filters") {
		t.Errorf("notes %q", rep.Notes)
	}
	// the complete files are counted before anything is left out
	if !strings.Contains(strings.Join(rep.Warnings, " "), "has 5 rows") {
		t.Errorf("warnings %q", rep.Warnings)
	}
	for what, broken := range map[string]string{
		"02-14-2018.csv:2:3: Timestamp": flow("2018-02-14 08:31", "1", "Benign"),
		"02-14-2018.csv:2:17":           flow("14/02/2018 08:31:01", "fast", "Benign"),
	} {
		if _, _, err := fixture(t, "cse-cic-ids2018",
			map[string]string{"02-14-2018.csv": cseHeader + "\n" + broken}); err == nil ||
			!strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestVariantsOfCTU13: what the two other ways to count make of the same labels.
func TestVariantsOfCTU13(t *testing.T) {
	for name, want := range map[string]string{
		"ctu13": "from-botnet:+ to-botnet:drop from-normal:- to-normal:- normal:- background:drop from-background:drop",
		"ctu13-to-and-from": "from-botnet:+ to-botnet:+ from-normal:- to-normal:- normal:- background:drop " +
			"from-background:drop",
		"ctu13-background-benign": "from-botnet:+ to-botnet:+ from-normal:- to-normal:- normal:- background:- " +
			"from-background:-",
	} {
		j := newLabeler(shippedConfig(t, "../../configs/data/"+name+".yaml").Label)
		for _, pair := range strings.Fields(want) {
			label, is, _ := strings.Cut(pair, ":")
			v, err := j.label("flow=" + label + "-V46-UDP")
			got := map[bool]string{true: "+", false: "-"}[v.attack]
			if v.drop {
				got = "drop"
			}
			if err != nil || got != is {
				t.Errorf("%s: %s is %s, %v, want %s", name, label, got, err, is)
			}
		}
	}
}

func TestFixtureCTU13(t *testing.T) {
	// the header of the official files has SrcBytes before Label; older and newer exports add and lack columns
	const flows = `StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,Label
2011/08/15 16:43:28.078942,0.001,udp,147.32.84.1,53,  <->,10.1.1.1,0x0303,CON,0,0,2,120,60,flow=Background-UDP-Established
2011/08/15 16:43:29.000000,12.5,tcp,147.32.84.165,1025,   ->,10.1.1.2,80,FSPA_FSPA,0,,14,5000,400,flow=From-Botnet-V46-TCP-HTTP
2011/08/15 16:43:30.000001,1e-3,icmp,10.1.1.3,,   ->,147.32.84.165,0x0008,ECO,,,1,98,98,flow=To-Botnet-V46-ICMP
2011/08/15 16:43:30.250000,3,udp,10.1.1.3,9,  ->,147.32.84.170,53,INT,0,,1,70,70,flow=To-Normal-V46-UDP-NTP-server
2011/08/15 16:43:31.500000,0,tcp,147.32.84.170,443,   ->,10.1.1.4,443,S_,0,0,1,62,62,flow=From-Normal-V46-Stribrek
2011/08/15 16:43:32.500000,0,tcp,147.32.84.171,443,   ->,10.1.1.4,443,S_,0,0,1,62,62,flow=Normal-V46-HTTP-windowsupdate
`
	for name, made := range map[string]string{"comma": flows, "tab": strings.ReplaceAll(flows, ",", "\t"),
		"CRLF": strings.ReplaceAll(flows, "\n", "\r\n")} {
		t.Run(name, func(t *testing.T) {
			tb, rep, err := fixture(t, "ctu13-05", map[string]string{"capture20110815-2.binetflow": made})
			if err != nil {
				t.Fatal(err)
			}
			check(
				t,
				tb,
				"flow=From-Botnet-V46-TCP-HTTP* | flow=To-Normal-V46-UDP-NTP-server | flow=From-Normal-V46-Stribrek | "+
					"flow=Normal-V46-HTTP-windowsupdate",
				14,
				map[string]string{
					"Sport@0":     "1025",
					"Dport@2":     "443",
					"SrcAddr@0":   "147.32.84.165",
					"StartTime@0": "2011-08-15T16:43:29Z",
					"dTos@0":      "-",
					"dTos@2":      "0",
				},
			)
			if !strings.Contains(strings.Join(rep.Notes, " "), "2 of 6 rows are left out by the label rules") {
				t.Errorf("notes %q", rep.Notes)
			}
		})
	}
	for _, name := range inLayout {
		if !strings.HasPrefix(name, "ctu13") {
			continue
		}
		file := shippedConfig(t, "../../configs/data/"+name+".yaml").Files.Train[0]
		if tb, _, err := fixture(t, name, map[string]string{file: flows}); err != nil || tb.Rows != 4+
			map[string]int{"ctu13-to-and-from": 1, "ctu13-background-benign": 2}[name] {
			t.Errorf("%s: %v", name, err)
		}
	}
	noPort := flows + strings.Replace(strings.Split(flows, "\n")[1], "0x0303", "0xzz", 1) + "\n"
	if _, _, err := fixture(t, "ctu13-05", map[string]string{"capture20110815-2.binetflow": noPort}); err == nil ||
		!strings.Contains(err.Error(), `capture20110815-2.binetflow:8:8: Dport: "0xzz" is not a number`) {
		t.Errorf("a port that is none: %v", err)
	}
	noLabel := strings.Replace(flows, "flow=Background-UDP-Established", "flow=Unheard-of", 1)
	if _, _, err := fixture(t, "ctu13-05", map[string]string{"capture20110815-2.binetflow": noLabel}); err == nil ||
		!strings.Contains(err.Error(), `capture20110815-2.binetflow:2: label "flow=Unheard-of" is in neither list`) {
		t.Errorf("a label that is none: %v", err)
	}
}

func TestFixtureUGR16(t *testing.T) {
	tb, _, err := fixture(
		t,
		"ugr16",
		map[string]string{
			"july.week5.csv": `2016-07-27 13:43:21,0.168,42.219.156.211,143.72.8.137,53,55261,UDP,.A....,0,0,1,76,background
2016-07-27 13:43:30,48.38,42.219.158.16,2.3.4.5,443,1024,TCP,.AP.SF,0,72,15,4300,nerisbotnet
2016-07-27 13:43:31,0,42.219.158.17,2.3.4.6,0,2048,ICMP,.A....,0,0,1,60,anomaly-sshscan
`,
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	check(
		t,
		tb,
		"background | nerisbotnet* | anomaly-sshscan*",
		12,
		map[string]string{
			"te@0":  "2016-07-27T13:43:21Z",
			"td@1":  "48.38",
			"sa@1":  "42.219.158.16",
			"pr@2":  "ICMP",
			"byt@1": "4300",
		},
	)
}

// TestFixtureNfdump: a header, flows, and a summary that is none of them.
func TestFixtureNfdump(t *testing.T) {
	const flows = `ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt,in,out,label
2024-01-31 10:00:00,2024-01-31 10:00:01,1.250,10.0.0.1,10.0.0.2,40000,443,TCP,...AP.SF,0,0,10,1200,8,4300,1,2,benign
2024-01-31 10:00:02,2024-01-31 10:00:02,0.000,10.0.0.9,10.0.0.2,40001,22,TCP,......S.,0,0,1,60,0,0,1,2,scan
Summary
flows,bytes,packets,avg_bps,avg_pps,avg_bpp
2,5560,19,1,2,3
`
	for _, made := range []string{flows, strings.ReplaceAll(flows, "\n", "\r\n")} {
		tb, rep, err := fixture(t, "nfdump", map[string]string{"flows.csv": made})
		if err != nil {
			t.Fatal(err)
		}
		check(
			t,
			tb,
			"benign | scan*",
			13,
			map[string]string{
				"ts@1":   "2024-01-31T10:00:02Z",
				"td@0":   "1.25",
				"sa@1":   "10.0.0.9",
				"flg@1":  "......S.",
				"obyt@0": "4300",
			},
		)
		if rep.Bad != 0 || rep.Rows != 2 {
			t.Errorf("%+v", rep)
		}
	}
	nameless := strings.ReplaceAll(strings.ReplaceAll(flows, ",label", ","), ",benign", ",")
	if _, _, err := fixture(t, "nfdump", map[string]string{"flows.csv": nameless}); err == nil ||
		!strings.Contains(err.Error(), "flows.csv:2: the label is missing") {
		t.Errorf("without labels: %v", err)
	}
}

func TestFixtureAssureMOSS(t *testing.T) {
	tb, _, err := fixture(
		t,
		"assuremoss",
		map[string]string{
			"data_sample_100.csv": `_source_flow_id,_source_flow_final,_source_source_ip,_source_destination_ip,_source_network_bytes,_source_network_transport,_source_@timestamp,_source_event_duration,_source_destination_port,_source_source_port,label
AbC,True,10.244.0.5,10.96.0.1,1200,tcp,2021-11-16T10:00:01.250Z,5000000,443,40000,0
DeF,False,10.244.0.6,10.96.0.10,80,udp,2021-11-16T10:00:02.000Z,1000,53,40001,1
`,
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	check(
		t,
		tb,
		"0 | 1*",
		8,
		map[string]string{
			"_source_source_ip@1":      "10.244.0.6",
			"_source_@timestamp@0":     "2021-11-16T10:00:01.25Z",
			"_source_event_duration@0": "5e+06",
		},
	)
}

// unswHeader is the header of the partition files, which begin with a byte order mark.
const unswHeader = "\ufeffid,dur,proto,service,state,spkts,dpkts,sbytes,dbytes,rate,sttl,dttl,sload," +
	"dload,sloss,dloss,sinpkt,dinpkt,sjit,djit,swin,stcpb,dtcpb,dwin,tcprtt,synack,ackdat," +
	"smean,dmean,trans_depth,response_body_len,ct_srv_src,ct_state_ttl,ct_dst_ltm," +
	"ct_src_dport_ltm,ct_dst_sport_ltm,ct_dst_src_ltm,is_ftp_login,ct_ftp_cmd," +
	"ct_flw_http_mthd,ct_src_ltm,ct_srv_dst,is_sm_ips_ports,attack_cat,label\n"

func TestFixtureUNSWPartition(t *testing.T) {
	rows := func(n int) string {
		var b strings.Builder
		b.WriteString(unswHeader)
		for i := range n {
			cells := map[int]string{0: fmt.Sprint(i + 1), 2: "tcp", 3: "-", 4: "FIN", 43: "Normal", 44: "0"}
			if i%5 == 4 {
				cells[43], cells[44] = "Exploits", "1"
			}
			b.WriteString(row(45, cells) + "\r\n")
		}
		return b.String()
	}
	// the two files under each other's names, as many copies have them
	tb, rep, err := fixture(
		t,
		"unsw-nb15",
		map[string]string{"UNSW_NB15_training-set.csv": rows(82332), "UNSW_NB15_testing-set.csv": rows(175341)},
	)
	if err != nil {
		t.Fatal(err)
	}
	if said := strings.Join(rep.Warnings, "\n"); !strings.Contains(
		said,
		"UNSW_NB15_training-set.csv has the 82332 rows of the test file, under the other file's name",
	) ||
		!strings.Contains(said, "UNSW_NB15_testing-set.csv has the 175341 rows of the train file") ||
		len(rep.Warnings) != 2 {
		t.Errorf("warnings %q", rep.Warnings)
	}
	if tb.Parts[0] != data.PartTest || tb.Parts[82332] != data.PartTrain || tb.Origins[0].Part != data.PartTest ||
		text(t, tb, "service", 0) != "-" ||
		len(tb.Columns) != 42 ||
		truths(
			&data.Table{Class: tb.Class[:5], Attack: tb.Attack[:5], Classes: tb.Classes},
		) != "Normal | Normal | Normal | Normal | Exploits*" {
		t.Errorf("parts %v %v, %d columns, classes %q", tb.Parts[0], tb.Parts[82332], len(tb.Columns), tb.Classes)
	}
}

func TestFixtureUNSWRaw(t *testing.T) {
	flow := func(cells map[int]string) string {
		all := map[int]string{
			0:  "59.166.0.1",
			1:  "1390",
			2:  "149.171.126.6",
			3:  "53",
			4:  "udp",
			5:  "CON",
			13: "dns",
			28: "1421927414",
			29: "1421927415",
			37: "0",
			38: "0",
			39: "0",
			47: "",
			48: "0",
		}
		for k, v := range cells {
			all[k] = v
		}
		return row(49, all) + "\n"
	}
	tb, _, err := fixture(t, "unsw-nb15-raw", map[string]string{
		"UNSW-NB15_1.csv": "\ufeff" + flow(
			nil,
		) + flow(
			map[int]string{1: "0x000b", 3: "-", 13: "-", 39: " ", 47: " Fuzzers ", 48: "1"},
		),
		"UNSW-NB15_2.csv": flow(map[int]string{37: "", 38: "", 47: "Backdoors", 48: "1"}),
		"UNSW-NB15_3.csv": flow(
			map[int]string{47: "Backdoor", 48: "1"},
		) + flow(
			map[int]string{47: " Fuzzers", 48: "1"},
		),
	})
	if err != nil {
		t.Fatal(err)
	}
	check(
		t,
		tb,
		"0 | Fuzzers* | Backdoor* | Backdoor* | Fuzzers*",
		47,
		map[string]string{
			"srcip@0":            "59.166.0.1",
			"sport@1":            "11",
			"dsport@1":           "-",
			"service@1":          "-",
			"ct_ftp_cmd@1":       "-",
			"ct_flw_http_mthd@2": "-",
			"stime@0":            "2015-01-22T11:50:14Z",
			"ct_dst_src_ltm@0":   "47",
		},
	)
	if len(tb.Classes) != 3 {
		t.Errorf("classes %q", tb.Classes)
	}
}

// TestFixtureKDD99: no header, and a dot after the label.
func TestFixtureKDD99(t *testing.T) {
	flow := func(label string) string {
		return row(42, map[int]string{1: "tcp", 2: "http", 3: "SF", 41: label}) + "\n"
	}
	tb, rep, err := fixture(
		t,
		"kddcup99",
		map[string]string{
			"kddcup.data_10_percent": flow("normal.") + flow("smurf."),
			"corrected":              flow("normal.") + flow("snmpguess."),
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	check(
		t,
		tb,
		"normal | smurf* | normal | snmpguess*",
		41,
		map[string]string{"duration@0": "1", "service@3": "http", "dst_host_srv_rerror_rate@1": "41"},
	)
	if len(rep.Warnings) != 2 {
		t.Errorf("warnings %q", rep.Warnings)
	}
	wide := row(43, map[int]string{1: "tcp", 2: "http", 3: "SF", 41: "normal", 42: "20"}) + "\n"
	if _, _, err := fixture(t, "kddcup99",
		map[string]string{"corrected": "", "kddcup.data_10_percent": wide}); err == nil ||
		!strings.Contains(err.Error(), ":1: 43 columns, want 42") {
		t.Errorf("a file of NSL-KDD: %v", err)
	}
}

// TestWrongFile: the other part's file under a part's name is recognised by its rows.
func TestWrongFile(t *testing.T) {
	c := &Config{Name: "x", Expect: Expect{TrainRows: 100, TestRows: 30}}
	for _, k := range []struct {
		got  [2]int
		want string
	}{
		{[2]int{100, 30}, ""},
		{[2]int{30, 30}, "the files of the training part have the 30 rows of the other part"},
		{[2]int{100, 100}, "the files of the test part have the 100 rows of the other part"},
		{[2]int{99, 30}, "the training part has 99 rows, the complete data set has 100"},
	} {
		if got := strings.Join(expectations(c, k.got), "\n"); !strings.Contains(got, k.want) ||
			k.want == "" && got != "" {
			t.Errorf("%v: %q, want %q", k.got, got, k.want)
		}
	}
}

func TestFilter(t *testing.T) {
	const day = int64(24 * time.Hour)
	make := func() *data.Table {
		return &data.Table{
			Name:    "x",
			Rows:    5,
			Attack:  []bool{false, true, false, true, false},
			Class:   []uint32{0, 1, 0, 1, 0},
			Classes: []string{"ok", "bad"},
			Origins: []data.Origin{{Rows: 5}},
			Columns: []data.Column{
				{Name: "v", Type: data.Number, Num: []float64{1, 2, math.NaN(), 3, 4}},
				{Name: "t", Type: data.Time, Nanos: []int64{0, day, 2 * day, data.NoTime, 3 * day}},
				{Name: "c", Type: data.Category, Code: []uint32{0, 0, 0, 0, 0}, Levels: []string{"x"}},
			},
		}
	}
	for _, c := range []struct {
		f    []RowFilter
		want string
	}{
		{[]RowFilter{{"v", "2", ""}}, "bad* | ok | bad* | ok"},
		{[]RowFilter{{"v", "", "2.5"}}, "ok | bad* | ok"},
		{[]RowFilter{{"t", "1970-01-02", "1970-01-03T00:00:00Z"}}, "bad* | ok | bad*"},
		{[]RowFilter{{"v", "2", ""}, {"t", "1970-01-03", ""}}, "ok | bad* | ok"},
		{[]RowFilter{{"v", "9", ""}, {"t", "", "1970-01-02"}}, "filter"},
		{[]RowFilter{{"v", "1970-01-02", ""}}, "is not a number"},
		{[]RowFilter{{"t", "7", ""}}, "is not a time"},
		{[]RowFilter{{"c", "7", ""}}, "of type category"},
		{[]RowFilter{{"w", "7", ""}}, `"w"`},
	} {
		tb := make()
		b := &intake{config: &Config{Filter: c.f}}
		err := b.filter(tb)
		if got := truths(tb) + fmt.Sprint(err); !strings.Contains(got, c.want) || err == nil && got != c.want+"<nil>" {
			t.Errorf("%+v: %s, want %s", c.f, got, c.want)
		}
	}
	for f, want := range map[RowFilter]string{{"", "1", ""}: "names no column", {"a", "", ""}: "needs from or to",
		{"a", "soon", ""}: "neither a number nor a time", {"a", "9999-01-01", ""}: "neither"} {
		if err := f.check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", f, err, want)
		}
	}
}
