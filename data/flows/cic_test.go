package flows

import (
	"math"
	"strconv"
	"testing"
)

// exchange is a connection of ten packets, with a pause of six seconds, worked out by hand below.
const exchange = ">S/1000 <SA/2000 >A/1001 >PA:100 @0.5 <PA:300/2001 <A:60/2002 @6.6 >PA:50 >FA <FA/2003 >A"

// TestCIC: the statistics of a small connection as they are worked out by hand. The repaired program sees one flow of
// ten packets; the original ends it with the first FIN, after eight, and takes the last two for a flow of the server.
func TestCIC(t *testing.T) {
	for _, c := range []struct {
		name string
		v    CIC
		flow int
		of   int
		want map[string]float64
	}{
		{"repaired", CIC{}, 0, 1, map[string]float64{
			"Src Port": 4000, "Dst Port": 80, "Flow Duration": 6.9e6, "Total Fwd Packet": 6, "Total Bwd packets": 4,
			// 0, 0, 100, 50, 0, 0: 12,500 - 6*25^2 = 8,750, over 5
			"Total Length of Fwd Packet": 150, "Fwd Packet Length Max": 100, "Fwd Packet Length Min": 0,
			"Fwd Packet Length Mean": 25, "Fwd Packet Length Std": math.Sqrt(1750), "Fwd Segment Size Avg": 25,
			// 0, 300, 60, 0: 93,600 - 4*90^2 = 61,200, over 3
			"Total Length of Bwd Packet": 360, "Bwd Packet Length Max": 300, "Bwd Packet Length Min": 0,
			"Bwd Packet Length Mean": 90, "Bwd Packet Length Std": math.Sqrt(20400), "Bwd Segment Size Avg": 90,
			"Flow Bytes/s": 510 / 6.9, "Flow Packets/s": 10 / 6.9, "Fwd Packets/s": 6 / 6.9, "Bwd Packets/s": 4 / 6.9,
			// in tenths of seconds 1, 1, 1, 2, 1, 60, 1, 1, 1: mean 69/9, 3,611 - 9*(69/9)^2 = 3,082, over 8
			"Flow IAT Mean": 6.9e6 / 9, "Flow IAT Std": math.Sqrt(3082.0/8) * 1e5, "Flow IAT Max": 6e6, "Flow IAT Min": 1e5,
			// 2, 1, 63, 1, 2: mean 13.8, 3,979 - 5*13.8^2 = 3,026.8, over 4
			"Fwd IAT Total": 6.9e6, "Fwd IAT Mean": 1.38e6, "Fwd IAT Std": math.Sqrt(3026.8/4) * 1e5, "Fwd IAT Max": 6.3e6,
			"Fwd IAT Min": 1e5,
			// 4, 1, 62: mean 67/3, 3,861 - 3*(67/3)^2 = 7,094/3, over 2
			"Bwd IAT Total": 6.7e6, "Bwd IAT Mean": 6.7e6 / 3, "Bwd IAT Std": math.Sqrt(7094.0/6) * 1e5, "Bwd IAT Max": 6.2e6,
			"Bwd IAT Min":   1e5,
			"Fwd PSH Flags": 2, "Bwd PSH Flags": 1, "Fwd URG Flags": 0, "Fwd RST Flags": 0, "Fwd Header Length": 120,
			"Bwd Header Length": 80, "Packet Length Min": 0, "Packet Length Max": 300, "Packet Length Mean": 51,
			// 106,100 - 10*51^2 = 80,090, over 9
			"Packet Length Variance": 80090.0 / 9, "Packet Length Std": math.Sqrt(80090.0 / 9), "Average Packet Size": 51,
			"FIN Flag Count": 2, "SYN Flag Count": 2, "RST Flag Count": 0, "PSH Flag Count": 3, "ACK Flag Count": 9,
			"CWR Flag Count": 0, "ECE Flag Count": 0, "Down/Up Ratio": 4.0 / 6, "FWD Init Win Bytes": 1000,
			"Bwd Init Win Bytes": 2000, "Fwd Act Data Pkts": 2, "Fwd Seg Size Min": 20, "Subflow Fwd Packets": 0,
			"Subflow Fwd Bytes": 15, "Subflow Bwd Packets": 0, "Subflow Bwd Bytes": 36,
			"Active Mean": 6e5, "Active Std": 0, "Active Max": 6e5, "Active Min": 6e5, "Idle Mean": 6e6, "Idle Max": 6e6,
			"Idle Min": 6e6, "Idle Std": 0, "ICMP Type": -1, "ICMP Code": -1, "Total TCP Flow Time": 6.9e6,
			"Fwd Bytes/Bulk Avg": 0, "Bwd Bytes/Bulk Avg": 0,
		}},
		{"as published", CIC{AsPublished: true}, 0, 2, map[string]float64{
			"Source Port": 4000, "Flow Duration": 6.7e6, "Total Fwd Packets": 5, "Total Backward Packets": 3,
			"Total Length of Fwd Packets": 150, "Total Length of Bwd Packets": 360,
			// the first packet counts twice: 0, 0, 0, 0, 100, 300, 60, 50, 0: mean 510/9, 106,100 - 9*(510/9)^2 = 77,200
			"Packet Length Mean": 510.0 / 9, "Packet Length Variance": 77200.0 / 8, "Average Packet Size": 510.0 / 8,
			"Fwd PSH Flags": 0, "Bwd PSH Flags": 0, "PSH Flag Count": 3, "FIN Flag Count": 1, "ACK Flag Count": 7,
			"Down/Up Ratio": 0, "Init_Win_bytes_forward": 1000, "Init_Win_bytes_backward": 2002, "act_data_pkt_fwd": 2,
			"Fwd Header Length": 100, "Fwd Header Length.56": 100, "Bwd Header Length": 60, "Subflow Fwd Bytes": 18,
			// all four packets with payload are taken for the server's, and the pause parts them
			"Bwd Avg Bytes/Bulk": 0, "Active Mean": 6e5, "Idle Mean": 6e6,
		}},
		{"as published, what is left", CIC{AsPublished: true}, 1, 2, map[string]float64{
			"Source Port": 80, "Destination Port": 4000, "Flow Duration": 1e5, "Total Fwd Packets": 1,
			"Total Backward Packets": 1, "FIN Flag Count": 1, "Init_Win_bytes_forward": 2003,
			"Init_Win_bytes_backward": 500, "Down/Up Ratio": 1, "Average Packet Size": 0,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			rows := crafted(t, &c.v, exchange)
			if len(rows) != c.of {
				t.Fatalf("%d flows, want %d: %v", len(rows), c.of, rows)
			}
			sameNumbers(t, rows[c.flow], c.want)
		})
	}
}

func sameNumbers(t *testing.T, row map[string]string, want map[string]float64) {
	t.Helper()
	for name, v := range want {
		got, err := strconv.ParseFloat(row[name], 64)
		if err != nil || math.Abs(got-v) > 1e-9*math.Max(1, math.Abs(v)) {
			t.Errorf("%s is %q, want %v", name, row[name], v)
		}
	}
}

// TestCICBulk: five packets of 100 bytes, a tenth of a second apart, are a bulk of 500 bytes in 0.4 seconds; the
// original finds it, and the other side's packet too, among the server's.
func TestCICBulk(t *testing.T) {
	const script = ">A:100 >A:100 >A:100 >A:100 >A:100 <A:40"
	sameNumbers(t, crafted(t, &CIC{}, script)[0], map[string]float64{"Fwd Bytes/Bulk Avg": 500, "Fwd Packet/Bulk Avg": 5,
		"Fwd Bulk Rate Avg": 1250, "Bwd Bytes/Bulk Avg": 0, "Bwd Packet/Bulk Avg": 0, "Bwd Bulk Rate Avg": 0})
	sameNumbers(t, crafted(t, &CIC{AsPublished: true}, script)[0], map[string]float64{"Fwd Avg Bytes/Bulk": 0,
		"Bwd Avg Bytes/Bulk": 540, "Bwd Avg Packets/Bulk": 6, "Bwd Avg Bulk Rate": 1080})
}

// TestCICCuts: where flows begin and end.
func TestCICCuts(t *testing.T) {
	for _, c := range []struct {
		name, script        string
		repaired, published int
	}{
		{"a packet alone is no flow", ">S", 0, 0},
		{"two are", ">S <RA", 1, 1},
		{"a SYN after a reset begins another", ">S <RA >S <RA", 2, 1},
		{"packets after a reset do not", ">S <SA >A >RA <A <A", 1, 1},
		{"the original ends with each FIN", ">S <SA >A >FA <FA >A >A", 1, 2},
		{"a SYN after one FIN goes on", ">S <SA >A >FA >S <SA", 1, 2},
		{"after both it begins another", ">S <SA >A >FA <FA >A >S <SA", 2, 2},
		{"exactly 120 seconds", ">A <A @120 >A", 1, 1},
		{"more than 120 seconds", ">A <A @120.000001 >A <A", 2, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := len(crafted(t, &CIC{}, c.script)); got != c.repaired {
				t.Errorf("%d flows, want %d", got, c.repaired)
			}
			if got := len(crafted(t, &CIC{AsPublished: true}, c.script)); got != c.published {
				t.Errorf("as published %d flows, want %d", got, c.published)
			}
		})
	}
	// who spoke first is the first side, even where that is the answer to a SYN that was captured later
	sameNumbers(t, crafted(t, &CIC{}, "<SA >S >A >PA:7")[0], map[string]float64{"Src Port": 80, "Total Fwd Packet": 1,
		"Total Bwd packets": 3, "Total Length of Bwd Packet": 7})
	// the settings
	if n := len(crafted(t, &CIC{Timeout: 60}, ">A <A @60.000001 >A <A")); n != 2 {
		t.Errorf("%d flows of 60 seconds", n)
	}
	const pause = ">A <A @2 >A <A"
	sameNumbers(t, crafted(t, &CIC{Idle: 1}, pause)[0], map[string]float64{"Idle Max": 1.9e6, "Active Max": 1e5})
	sameNumbers(t, crafted(t, &CIC{}, pause)[0], map[string]float64{"Idle Max": 0, "Active Max": 0})
	if err := (&CIC{Timeout: -1}).Check(); err == nil {
		t.Error("a flow of less than no time")
	}
	// what goes on after 120 seconds keeps its direction, and the time of the connection
	rows := crafted(t, &CIC{}, ">S <SA >A @130 <A:10 >A @200 <A")
	if len(rows) != 2 {
		t.Fatalf("%d flows", len(rows))
	}
	sameNumbers(t, rows[1], map[string]float64{"Src Port": 4000, "Flow Duration": 70e6, "Total TCP Flow Time": 200e6,
		"Total Fwd Packet": 1, "Total Bwd packets": 2})
}
