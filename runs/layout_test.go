package runs

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plumbline/configs"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
)

// dayHeader is the header of CSE-CIC-IDS2018's day files.
const dayHeader = "Dst Port,Protocol,Timestamp," +
	"Flow Duration,Tot Fwd Pkts,Tot Bwd Pkts,TotLen Fwd Pkts,TotLen Bwd Pkts," +
	"Fwd Pkt Len Max,Fwd Pkt Len Min,Fwd Pkt Len Mean,Fwd Pkt Len Std,Bwd Pkt Len Max,Bwd Pkt Len Min," +
	"Bwd Pkt Len Mean,Bwd Pkt Len Std,Flow Byts/s,Flow Pkts/s,Flow IAT Mean,Flow IAT Std,Flow IAT Max," +
	"Flow IAT Min,Fwd IAT Tot,Fwd IAT Mean,Fwd IAT Std,Fwd IAT Max,Fwd IAT Min,Bwd IAT Tot,Bwd IAT Mean," +
	"Bwd IAT Std,Bwd IAT Max,Bwd IAT Min,Fwd PSH Flags,Bwd PSH Flags,Fwd URG Flags,Bwd URG Flags," +
	"Fwd Header Len,Bwd Header Len,Fwd Pkts/s,Bwd Pkts/s,Pkt Len Min,Pkt Len Max,Pkt Len Mean," +
	"Pkt Len Std,Pkt Len Var,FIN Flag Cnt,SYN Flag Cnt,RST Flag Cnt,PSH Flag Cnt,ACK Flag Cnt," +
	"URG Flag Cnt,CWE Flag Count,ECE Flag Cnt,Down/Up Ratio,Pkt Size Avg,Fwd Seg Size Avg," +
	"Bwd Seg Size Avg,Fwd Byts/b Avg,Fwd Pkts/b Avg,Fwd Blk Rate Avg,Bwd Byts/b Avg,Bwd Pkts/b Avg," +
	"Bwd Blk Rate Avg,Subflow Fwd Pkts,Subflow Fwd Byts,Subflow Bwd Pkts,Subflow Bwd Byts," +
	"Init Fwd Win Byts,Init Bwd Win Byts,Fwd Act Data Pkts,Fwd Seg Size Min,Active Mean,Active Std," +
	"Active Max,Active Min,Idle Mean,Idle Std,Idle Max,Idle Min,Label"

// TestProtocolOnTheRealLayout: the notebook's protocol runs on files that have the published names, columns and
// oddities of CSE-CIC-IDS2018: headers in between, infinite rates, dates of 1970. It sees 76 columns, and two thirds
// of the benign flows train.
func TestProtocolOnTheRealLayout(t *testing.T) {
	dir, r := t.TempDir(), rand.New(rand.NewPCG(2, 2))
	columns := strings.Count(dayHeader, ",") + 1
	benign, attacks := 0, 0
	for _, day := range []string{"02-14", "02-15", "02-16", "02-21", "02-22", "02-23", "02-28", "03-01", "03-02"} {
		var b strings.Builder
		b.WriteString(dayHeader + "\n")
		for i := range 60 {
			cells := make([]string, columns)
			shift, label := 0.0, "Benign"
			if i%3 == 2 {
				shift, label = 4, "DoS attacks-Hulk"
				attacks++
			} else {
				benign++
			}
			for j := range cells {
				cells[j] = fmt.Sprintf("%.3f", 100*(2+r.NormFloat64()+shift*float64(j%2)))
			}
			cells[0], cells[1], cells[columns-1] = "443", "6", label
			cells[2] = fmt.Sprintf("%s/%s/2018 10:%02d:00", day[3:], day[:2], i)
			if i == 7 || i == 8 {
				cells[16] = []string{"Infinity", "NaN"}[i-7]
			}
			b.WriteString(strings.Join(cells, ",") + "\n")
			if i == 30 {
				b.WriteString(dayHeader + "\n")
			}
		}
		cells := strings.Repeat(",1", columns-4)
		fmt.Fprintf(&b, "443,6,01/01/1970 00:00:10%s,Benign\n", cells)
		if err := os.WriteFile(filepath.Join(dir, day+"-2018.csv"), []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	e, err := experiment.Load("jyonalee2019-cse-cic-ids2018", experiment.LoadOptions{
		Builtin: configs.Files, DataDirs: []string{dir}, Overrides: []string{"seeds=[0]", "controls=off", "bootstrap=0"},
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := Run(context.Background(), e, Options{Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range out.Results {
		want := (benign*66 + 50) / 100
		if c.Status != record.OK || c.Features != 76 || c.Train < want-1 || c.Train > want+1 ||
			c.Test != benign+attacks-c.Train {
			t.Errorf("%s: %s %s, %d rows of %d columns train, %d test", c.Label, c.Status, c.Error, c.Train, c.Features,
				c.Test)
		}
		// under scale_std's kernel these rows, of 76 columns that vary alone, are all as far from each other
		if c.Label != "random" && c.Label != "ocsvm-std" && (c.Metric("auroc") < 0.9 || c.Metric("threshold") == 0) {
			t.Errorf("%s: AUROC %v, threshold %v", c.Label, c.Metric("auroc"), c.Metric("threshold"))
		}
	}
	if len(out.Results) != 5 {
		t.Errorf("%d cells", len(out.Results))
	}
}
