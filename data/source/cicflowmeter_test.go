package source

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// meterKaggle is how cleaned copies on Kaggle call features that no version of the program calls so.
var meterKaggle = map[string]string{
	"TotLen Fwd Pkts": "Fwd Packets Length Total", "TotLen Bwd Pkts": "Bwd Packets Length Total",
	"Pkt Size Avg": "Avg Packet Size", "Init Fwd Win Byts": "Init Fwd Win Bytes",
	"Init Bwd Win Byts": "Init Bwd Win Bytes", "Fwd Act Data Pkts": "Fwd Act Data Packets",
}

// TestCICFlowMeterSpellings: one config reads every spelling, and each feature gets its own values. Feature k has the
// value k in the first row and k + 1000 in the second, in whatever column of the file it stands.
func TestCICFlowMeterSpellings(t *testing.T) {
	features := strings.Split(cseHeader, ",")
	features = features[3 : len(features)-1] // without port, protocol, time and label
	type column struct {
		name    string
		feature int // from 0; −1 for none
	}
	var y2018, python, kaggle, y2017 []column
	for k, f := range features {
		y2018 = append(y2018, column{f, k})
		python = append(python, column{strings.ToLower(strings.NewReplacer(" ", "_", "/", "_").Replace(f)), k})
		if n, ok := meterKaggle[f]; ok {
			f = n
		}
		kaggle = append(kaggle, column{f, k})
	}
	k := 0
	for i, n := range strings.Split(cicHeader, ",") {
		n = strings.TrimSpace(n)
		again := slices.ContainsFunc(y2017, func(c column) bool { return c.name == n })
		if i == 0 || n == "Label" || again { // the server's port, and a length that stands there twice
			y2017 = append(y2017, column{n, -1})
			continue
		}
		y2017 = append(y2017, column{n, k})
		k++
	}
	slices.Reverse(python) // its order is another
	for _, c := range []struct {
		name, label string
		columns     []column
	}{
		{"2017", "", y2017}, {"2018", "Label", y2018}, {"Python", "label", python}, {"Kaggle", "Attack Type", kaggle},
	} {
		t.Run(c.name, func(t *testing.T) {
			columns := c.columns
			if c.label != "" {
				columns = append(slices.Clone(columns), column{c.label, -1})
			}
			var lines [3][]string
			for _, col := range columns {
				cells := []string{col.name, fmt.Sprint(col.feature), fmt.Sprint(col.feature + 1000)}
				if col.feature < 0 {
					cells = []string{col.name, "77", "77"}
				}
				if n := strings.ToLower(col.name); n == "label" || n == "attack type" {
					cells = []string{col.name, "BENIGN", "DDoS"}
				}
				for i := range lines {
					lines[i] = append(lines[i], cells[i])
				}
			}
			text := ""
			for _, l := range lines {
				text += strings.Join(l, ",") + "\n"
			}
			tb, _, err := fixture(t, "cicflowmeter", map[string]string{"flows.csv": text})
			if err != nil {
				t.Fatal(err)
			}
			if got := truths(tb); got != "BENIGN | DDoS*" {
				t.Errorf("truth %s", got)
			}
			const first = 6 // after addresses, ports, protocol and time
			if len(tb.Columns) != first+len(features) {
				t.Fatalf("%d columns", len(tb.Columns))
			}
			for k, f := range features {
				if v := tb.Columns[first+k].Num; v[0] != float64(k) || v[1] != float64(k+1000) {
					t.Errorf("%s, read as %s, is %v", f, tb.Columns[first+k].Name, v)
				}
			}
		})
	}
}
