package record

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"plumbline/eval"
)

// Status of a cell.
const (
	OK          = "ok"
	Failed      = "failed"
	TimedOut    = "timeout"
	Interrupted = "interrupted"

	// What Open gives cells that the run ended and that are not as it left them.
	Missing = "missing" // no status.json
	Damaged = "damaged" // a file is not what was written
)

// Result is one cell: what it is, and what was measured of it.
type Result struct {
	Data  string `json:"data"`
	Model string `json:"model"` // registered name
	Label string `json:"label"` // name in the experiment
	Seed  uint64 `json:"seed"`
	Fold  string `json:"fold"`
	// ModelSeed is the seed of the model where it has one and the split has folds. 0: Seed.
	ModelSeed uint64 `json:"model_seed,omitempty"`

	Unit   string `json:"unit"`
	Status string `json:"status"`
	Error  string `json:"error,omitempty"`

	Train    int         `json:"n_train"`    // samples the model saw
	Test     int         `json:"n_test"`     // units judged
	Valid    eval.Number `json:"n_valid"`    // units that the threshold could be fitted to
	Features int         `json:"n_features"` // columns, or symbols of the alphabet

	TrainSHA256   string   `json:"train_sha256"`
	TestSHA256    string   `json:"test_sha256"`
	Cell          string   `json:"cell"`
	Input         string   `json:"input"` // what the model sees: vectors, native vectors or traces
	Deterministic bool     `json:"deterministic"`
	Warnings      []string `json:"warnings,omitempty"`

	// Metrics holds what was measured, by the names of [eval.MetricTable] and the ends of intervals by name + "_low" and
	// "_high". What is not there is undefined. Copies of a Result share it.
	Metrics map[string]float64 `json:"-"`
}

// Metric is a metric by name, NaN if it is undefined.
func (r *Result) Metric(name string) float64 {
	if v, ok := r.Metrics[name]; ok {
		return v
	}
	return math.NaN()
}

// Set sets a metric; NaN makes it undefined.
func (r *Result) Set(name string, v float64) {
	if math.IsNaN(v) {
		delete(r.Metrics, name)
		return
	}
	if r.Metrics == nil {
		r.Metrics = map[string]float64{}
	}
	r.Metrics[name] = v
}

// Interval is the metric's own interval, over the choice of test units; undefined where it has none.
func (r *Result) Interval(metric string) eval.Interval {
	return eval.Interval{Low: r.Metric(metric + lowSuffix), High: r.Metric(metric + highSuffix)}
}

// SetInterval sets the metric's own interval.
func (r *Result) SetInterval(metric string, i eval.Interval) {
	r.Set(metric+lowSuffix, i.Low)
	r.Set(metric+highSuffix, i.High)
}

const lowSuffix, highSuffix = "_low", "_high"

// Judge takes over what scores and labels gave.
func (r *Result) Judge(m *eval.Metrics) {
	for name, v := range m.Values {
		r.Set(name, v)
	}
	for name, i := range m.Intervals {
		r.SetInterval(name, i)
	}
}

// plainResult is a Result without its methods.
type plainResult Result

// MarshalJSON writes one object: the fields, then the metrics in alphabetical order, those without a value left out.
func (r Result) MarshalJSON() ([]byte, error) {
	fields, err := json.Marshal(plainResult(r))
	if err != nil || len(r.Metrics) == 0 {
		return fields, err
	}
	numbers := make(map[string]eval.Number, len(r.Metrics))
	for name, v := range r.Metrics {
		numbers[name] = eval.Number(v)
	}
	more, err := json.Marshal(numbers)
	if err != nil {
		return nil, err
	}
	return append(append(fields[:len(fields)-1], ','), more[1:]...), nil
}

// UnmarshalJSON reads what MarshalJSON wrote. Keys that are no metric are passed over.
func (r *Result) UnmarshalJSON(raw []byte) error {
	p := plainResult{Valid: eval.Number(math.NaN())}
	if err := json.Unmarshal(raw, &p); err != nil {
		return err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return err
	}
	*r = Result(p)
	for _, m := range eval.MetricNames() {
		for _, name := range []string{m, m + lowSuffix, m + highSuffix} {
			text, ok := fields[name]
			if !ok {
				continue
			}
			var v eval.Number
			if err := json.Unmarshal(text, &v); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			r.Set(name, float64(v))
		}
	}
	return nil
}

// column is one column of results.csv.
type column struct {
	name string
	get  func(*Result) string
	set  func(*Result, string) error
}

func textColumn(name string, at func(*Result) *string) column {
	return column{
		name,
		func(r *Result) string { return *at(r) },
		func(r *Result, s string) error { *at(r) = s; return nil },
	}
}

func intColumn(name string, at func(*Result) *int) column {
	return column{
		name, func(r *Result) string { return strconv.Itoa(*at(r)) },
		func(r *Result, s string) (err error) { *at(r), err = strconv.Atoi(s); return err },
	}
}

func numberColumn(name string, get func(*Result) float64, set func(*Result, float64)) column {
	return column{name, func(r *Result) string {
		v := get(r)
		if math.IsNaN(v) {
			return ""
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	}, func(r *Result, s string) error {
		v, err := math.NaN(), error(nil)
		if s != "" {
			v, err = strconv.ParseFloat(s, 64)
		}
		set(r, v)
		return err
	}}
}

// metricColumn is a metric, or an end of its interval.
func metricColumn(name string) column {
	return numberColumn(
		name,
		func(r *Result) float64 { return r.Metric(name) },
		func(r *Result, v float64) { r.Set(name, v) },
	)
}

// columns is results.csv from left to right. The order of the first thirty is part of the format.
var columns = []column{
	textColumn("data", func(r *Result) *string { return &r.Data }),
	textColumn("model", func(r *Result) *string { return &r.Model }),
	textColumn("label", func(r *Result) *string { return &r.Label }),
	{
		"seed", func(r *Result) string { return strconv.FormatUint(r.Seed, 10) },
		func(r *Result, s string) (err error) { r.Seed, err = strconv.ParseUint(s, 10, 64); return err },
	},
	textColumn("fold", func(r *Result) *string { return &r.Fold }),
	textColumn("unit", func(r *Result) *string { return &r.Unit }),
	textColumn("status", func(r *Result) *string { return &r.Status }),
	textColumn("error", func(r *Result) *string { return &r.Error }),
	intColumn("n_train", func(r *Result) *int { return &r.Train }),
	intColumn("n_test", func(r *Result) *int { return &r.Test }),
	intColumn("n_features", func(r *Result) *int { return &r.Features }),
	metricColumn("auroc"),
	metricColumn("auprc"),
	metricColumn("prevalence"),
	metricColumn("fpr_at_95tpr"),
	metricColumn("tpr_at_1fpr"),
	metricColumn("threshold"),
	metricColumn("accuracy"),
	metricColumn("balanced_accuracy"),
	metricColumn("precision"),
	metricColumn("recall"),
	metricColumn("specificity"),
	metricColumn("f1"),
	metricColumn("mcc"),
	metricColumn("fit_seconds"),
	metricColumn("score_seconds"),
	metricColumn("peak_rss_mb"),
	textColumn("train_sha256", func(r *Result) *string { return &r.TrainSHA256 }),
	textColumn("test_sha256", func(r *Result) *string { return &r.TestSHA256 }),
	textColumn("cell", func(r *Result) *string { return &r.Cell }),
	metricColumn("auroc_low"),
	metricColumn("auroc_high"),
	metricColumn("auprc_low"),
	metricColumn("auprc_high"),
	metricColumn("tpr_at_01fpr"),
	numberColumn(
		"n_valid",
		func(r *Result) float64 { return float64(r.Valid) },
		func(r *Result, v float64) { r.Valid = eval.Number(v) },
	),
	metricColumn("weighted_cluster_auroc"),
	metricColumn("zero_filled_cluster_auroc"),
	textColumn("input", func(r *Result) *string { return &r.Input }),
	{
		"deterministic", func(r *Result) string { return strconv.FormatBool(r.Deterministic) },
		func(r *Result, s string) (err error) { r.Deterministic, err = strconv.ParseBool(s); return err },
	},
	{"warnings", func(r *Result) string { return strings.Join(r.Warnings, "; ") }, func(r *Result, s string) error {
		if r.Warnings = nil; s != "" {
			r.Warnings = strings.Split(s, "; ")
		}
		return nil
	}},
	metricColumn("fpr"),
	metricColumn("fpr_asked"),
	metricColumn("near_attack"),
	metricColumn("fpr_near_attack"),
	metricColumn("silhouette"),
	metricColumn("davies_bouldin"),
	metricColumn("calinski_harabasz"),
	metricColumn("brier"),
	metricColumn("log_loss"),
	metricColumn("class_brier"),
	metricColumn("class_log_loss"),
	metricColumn("class_balanced_accuracy"),
	metricColumn("macro_precision"),
	metricColumn("macro_recall"),
	metricColumn("macro_f1"),
	metricColumn("micro_f1"),
	metricColumn("alarms"),
	metricColumn("n_train_attacks"),
}

// InResults says whether results.csv has the metric; the others are in the cells' metrics.json.
func InResults(metric string) bool {
	return slices.ContainsFunc(columns, func(c column) bool { return c.name == metric })
}

// WriteResults writes results.csv.
func WriteResults(w io.Writer, results []Result) error {
	cw := csv.NewWriter(w)
	row := make([]string, len(columns))
	for i, c := range columns {
		row[i] = c.name
	}
	cw.Write(row)
	for k := range results {
		for i, c := range columns {
			row[i] = c.get(&results[k])
		}
		cw.Write(row)
	}
	cw.Flush()
	return cw.Error()
}

// ReadResults reads a results.csv. Unknown columns are passed over, so that newer files can be read.
func ReadResults(r io.Reader, file string) ([]Result, error) {
	cr := csv.NewReader(r)
	head, err := cr.Read()
	if err != nil {
		return nil, fmt.Errorf("runs: %s: %w", file, err)
	}
	byName := map[string]column{}
	for _, c := range columns {
		byName[c.name] = c
	}
	seen := map[string]bool{}
	for _, h := range head {
		seen[h] = true
	}
	for _, need := range []string{"data", "model", "label", "seed", "status"} {
		if !seen[need] {
			return nil, fmt.Errorf("runs: %s:1: no column %q: not a results.csv", file, need)
		}
	}
	var out []Result
	for {
		row, err := cr.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("runs: %s: %w", file, err)
		}
		res := Result{Valid: eval.Number(math.NaN())}
		for i, text := range row {
			c, ok := byName[head[i]]
			if !ok {
				continue
			}
			if err := c.set(&res, text); err != nil {
				line, col := cr.FieldPos(i)
				return nil, fmt.Errorf("runs: %s:%d:%d: column %s: %w", file, line, col, c.name, err)
			}
		}
		out = append(out, res)
	}
}
