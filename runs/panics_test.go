package runs

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/data/rows"
	"plumbline/data/source"
	"plumbline/runs/record"
)

// torn is a table whose column is shorter than it says, so that whoever reads its last rows panics: workers of the
// preprocessing, or the audit where a column of times, which is no feature, is the torn one.
type torn struct {
	Times bool `yaml:"times"`
}

func init() { source.RegisterFormat("torn", func() source.Source { return &torn{} }) }

func (*torn) Schema() []rows.ColumnSpec { return nil }

func (*torn) Check(settings.Node) settings.Problems { return nil }

func (*torn) CheckConfig(*source.Config) settings.Problems { return nil }

func (s *torn) Generate(name string) (*data.Table, error) {
	const n = 600
	t := &data.Table{Name: name, Rows: n, Attack: make([]bool, n), Class: make([]uint32, n),
		Classes: []string{"benign", "attack"}, Parts: make([]data.Part, n)}
	x, y, at := make([]float64, n), make([]float64, n), make([]int64, n)
	for i := range n {
		x[i], y[i], at[i] = math.Sin(float64(i)), math.Cos(float64(i)), int64(i)
		if i%10 == 9 {
			t.Attack[i], t.Class[i] = true, 1
		}
	}
	if s.Times {
		at = at[:n/2]
	} else {
		y = y[:n/2]
	}
	t.Columns = []data.Column{{Name: "x", Type: data.Number, Num: x}, {Name: "y", Type: data.Number, Num: y},
		{Name: "at", Type: data.Time, Nanos: at}}
	return t, nil
}

// TestPanicsOfOneDataSet: what panics while a data set is prepared, on a worker of the preprocessing, or audited fails
// the cell on it and none of the five on another one; the stack is in the log.
func TestPanicsOfOneDataSet(t *testing.T) {
	for _, c := range []struct{ options, stack string }{
		{"{times: false}", "plumbline/data/prep."}, {"{times: true}", "plumbline/data/audit."},
	} {
		out := runSmall(t, `
name: torn
data:
  - {data: synth, options: {hosts: 8, hours: 20, rate: 4}}
  - name: torn
    format: torn
    options: `+c.options+`
    split: {kind: random, test: 0.3, validation: 0.1}
    prep: [impute, {step: scale, kind: zscore}]
models: [znorm]
seeds: [1]
bootstrap: 0
`, Options{}, "data.0.split={kind: kfold, folds: 5, attacks: split, validation: 0.1}")
		if len(out.Results) != 6 || out.Failed != 1 {
			t.Fatalf("%s: %d of %d cells failed, want 1 of 6", c.options, out.Failed, len(out.Results))
		}
		for _, r := range out.Results {
			if failed := r.Status == record.Failed; failed != (r.Data == "torn") ||
				failed && !strings.Contains(r.Error, "index out of range") {
				t.Errorf("%s: %s %q", r.Cell, r.Status, r.Error)
			}
		}
		log, err := os.ReadFile(filepath.Join(out.Dir, "log.jsonl"))
		if err != nil || !strings.Contains(string(log), c.stack) {
			t.Errorf("%s: no stack with %s in the log: %v", c.options, c.stack, err)
		}
	}
}
