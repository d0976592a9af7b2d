package runs

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"plumbline/runs/record"
	"plumbline/runs/runstest"
)

// TestPrequential: half-space trees score a test part in file order as they score it in one call, which is
// test-then-train; kitnet, which judges rows alone, scores as without the protocol until it has learned a block, and
// otherwise after; a model that does not learn from streams scores as ever, and says so; a shuffled stream is another.
// The models that are left are those of training.
func TestPrequential(t *testing.T) {
	if testing.Short() {
		t.Skip("values of several runs")
	}
	run := func(protocol string) (*Outcome, map[string]string) {
		out := runSmall(t, runstest.Small, Options{}, "models=[hst, kitnet, znorm]", "seeds=[1]",
			"+split={kind: time, validation: 0.2}", "+protocol="+protocol)
		for _, r := range out.Results {
			if r.Status != record.OK {
				t.Fatalf("%s: %s", r.Label, r.Error)
			}
		}
		return out, scores(t, out.Dir)
	}
	batch, plain := run("batch")
	one, inTurn := run("prequential")
	_, whole := run("{kind: prequential, block: 1000000}")
	_, shuffled := run("{kind: prequential, order: shuffled}")
	for i, r := range one.Results {
		file := r.Cell + "/" + record.ScoresFile
		same := inTurn[file] == plain[file] && plain[file] != ""
		if want := r.Label != "kitnet"; same != want {
			t.Errorf("%s: scores as without the protocol: %v", r.Label, same)
		}
		if whole[file] != plain[file] {
			t.Errorf("%s: one block of all rows changes scores", r.Label)
		}
		if same, want := shuffled[file] == inTurn[file], r.Label == "znorm"; same != want {
			t.Errorf("%s: scores of a shuffled stream are the same: %v", r.Label, same)
		}
		said := strings.Contains(strings.Join(r.Warnings, "; "), "does not learn from the stream")
		if said != (r.Label == "znorm") {
			t.Errorf("%s: warnings %q", r.Label, r.Warnings)
		}
		if got, want := r.Metric("threshold"), batch.Results[i].Metric("threshold"); got != want {
			t.Errorf("%s: threshold %v, without the protocol %v", r.Label, got, want)
		}
		for _, name := range []string{"model.bin", "threshold.json"} {
			a, err := os.ReadFile(filepath.Join(one.Dir, r.Cell, name))
			if err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(filepath.Join(batch.Dir, r.Cell, name))
			if err != nil || string(a) != string(b) {
				t.Errorf("%s: %s is not that of training, %v", r.Label, name, err)
			}
		}
		f, err := os.Open(filepath.Join(one.Dir, r.Cell, "stream.csv"))
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(f).ReadAll()
		f.Close()
		total := 0
		for k, row := range rows {
			if k == 0 {
				continue
			}
			if row[0] != strconv.Itoa(total) {
				t.Errorf("%s: segment %d begins at %s, want %d", r.Label, k, row[0], total)
			}
			n, _ := strconv.Atoi(row[1])
			total += n
		}
		if err != nil || total != r.Test || len(rows) > segments+1 {
			t.Errorf("%s: %d segments of %d rows of %d, %v", r.Label, len(rows)-1, total, r.Test, err)
		}
	}
	if _, err := os.Stat(filepath.Join(batch.Dir, batch.Results[0].Cell, "stream.csv")); err == nil {
		t.Error("a run without the protocol has a stream.csv")
	}
}
