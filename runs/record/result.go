package record

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// Status of a cell.
const (
	OK          = "ok"
	Failed      = "failed"
	TimedOut    = "timeout"
	Interrupted = "interrupted"
)

// Number is a float64 that JSON may hold: NaN and infinities are null, and null is NaN.
type Number float64

// MarshalJSON writes null for what JSON cannot hold.
func (n Number) MarshalJSON() ([]byte, error) {
	if v := float64(n); math.IsNaN(v) || math.IsInf(v, 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON reads null as NaN.
func (n *Number) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		*n = Number(math.NaN())
		return nil
	}
	return json.Unmarshal(raw, (*float64)(n))
}

// Result is one cell's row of results.csv.
type Result struct {
	Data   string `json:"data"`
	Model  string `json:"model"` // registered name
	Label  string `json:"label"` // name in the experiment
	Seed   uint64 `json:"seed"`
	Fold   string `json:"fold"`
	Unit   string `json:"unit"`
	Status string `json:"status"`
	Error  string `json:"error,omitempty"`

	Train    int `json:"n_train"`    // samples the model saw
	Test     int `json:"n_test"`     // units judged
	Features int `json:"n_features"` // columns, or symbols of the alphabet

	AUROC        Number `json:"auroc"`
	AUPRC        Number `json:"auprc"`
	Prevalence   Number `json:"prevalence"`
	FPRAt95TPR   Number `json:"fpr_at_95tpr"`
	TPRAt1FPR    Number `json:"tpr_at_1fpr"`
	Threshold    Number `json:"threshold"`
	Accuracy     Number `json:"accuracy"`
	Balanced     Number `json:"balanced_accuracy"`
	Precision    Number `json:"precision"`
	Recall       Number `json:"recall"`
	Specificity  Number `json:"specificity"`
	F1           Number `json:"f1"`
	MCC          Number `json:"mcc"`
	FitSeconds   Number `json:"fit_seconds"`
	ScoreSeconds Number `json:"score_seconds"`
	PeakRSS      Number `json:"peak_rss_mb"` // of the process so far: cells side by side share it
	TrainSHA256  string `json:"train_sha256"`
	TestSHA256   string `json:"test_sha256"`
	Cell         string `json:"cell"`

	AUROCLow      Number   `json:"auroc_low"`
	AUROCHigh     Number   `json:"auroc_high"`
	AUPRCLow      Number   `json:"auprc_low"`
	AUPRCHigh     Number   `json:"auprc_high"`
	TPRAt01       Number   `json:"tpr_at_01fpr"`
	Valid         Number   `json:"n_valid"`                // units that the threshold could be fitted to
	ClusterAUROC  Number   `json:"weighted_cluster_auroc"` // [eval.ClusterMetrics]; NaN for models without clusters
	ZeroFilled    Number   `json:"zero_filled_cluster_auroc"`
	Input         string   `json:"input"` // what the model sees: vectors or traces
	Deterministic bool     `json:"deterministic"`
	Warnings      []string `json:"warnings,omitempty"`
}

// column is one column of results.csv.
type column struct {
	name string
	get  func(*Result) string
	set  func(*Result, string) error
}

func textColumn(name string, at func(*Result) *string) column {
	return column{name, func(r *Result) string { return *at(r) }, func(r *Result, s string) error { *at(r) = s; return nil }}
}

func intColumn(name string, at func(*Result) *int) column {
	return column{name, func(r *Result) string { return strconv.Itoa(*at(r)) }, func(r *Result, s string) (err error) { *at(r), err = strconv.Atoi(s); return err }}
}

func numberColumn(name string, at func(*Result) *Number) column {
	return column{name, func(r *Result) string {
		v := float64(*at(r))
		if math.IsNaN(v) {
			return ""
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	}, func(r *Result, s string) error {
		v, err := math.NaN(), error(nil)
		if s != "" {
			v, err = strconv.ParseFloat(s, 64)
		}
		*at(r) = Number(v)
		return err
	}}
}

// columns is results.csv from left to right. The order of the first thirty is part of the format.
var columns = []column{
	textColumn("data", func(r *Result) *string { return &r.Data }),
	textColumn("model", func(r *Result) *string { return &r.Model }),
	textColumn("label", func(r *Result) *string { return &r.Label }),
	{"seed", func(r *Result) string { return strconv.FormatUint(r.Seed, 10) }, func(r *Result, s string) (err error) { r.Seed, err = strconv.ParseUint(s, 10, 64); return err }},
	textColumn("fold", func(r *Result) *string { return &r.Fold }),
	textColumn("unit", func(r *Result) *string { return &r.Unit }),
	textColumn("status", func(r *Result) *string { return &r.Status }),
	textColumn("error", func(r *Result) *string { return &r.Error }),
	intColumn("n_train", func(r *Result) *int { return &r.Train }),
	intColumn("n_test", func(r *Result) *int { return &r.Test }),
	intColumn("n_features", func(r *Result) *int { return &r.Features }),
	numberColumn("auroc", func(r *Result) *Number { return &r.AUROC }),
	numberColumn("auprc", func(r *Result) *Number { return &r.AUPRC }),
	numberColumn("prevalence", func(r *Result) *Number { return &r.Prevalence }),
	numberColumn("fpr_at_95tpr", func(r *Result) *Number { return &r.FPRAt95TPR }),
	numberColumn("tpr_at_1fpr", func(r *Result) *Number { return &r.TPRAt1FPR }),
	numberColumn("threshold", func(r *Result) *Number { return &r.Threshold }),
	numberColumn("accuracy", func(r *Result) *Number { return &r.Accuracy }),
	numberColumn("balanced_accuracy", func(r *Result) *Number { return &r.Balanced }),
	numberColumn("precision", func(r *Result) *Number { return &r.Precision }),
	numberColumn("recall", func(r *Result) *Number { return &r.Recall }),
	numberColumn("specificity", func(r *Result) *Number { return &r.Specificity }),
	numberColumn("f1", func(r *Result) *Number { return &r.F1 }),
	numberColumn("mcc", func(r *Result) *Number { return &r.MCC }),
	numberColumn("fit_seconds", func(r *Result) *Number { return &r.FitSeconds }),
	numberColumn("score_seconds", func(r *Result) *Number { return &r.ScoreSeconds }),
	numberColumn("peak_rss_mb", func(r *Result) *Number { return &r.PeakRSS }),
	textColumn("train_sha256", func(r *Result) *string { return &r.TrainSHA256 }),
	textColumn("test_sha256", func(r *Result) *string { return &r.TestSHA256 }),
	textColumn("cell", func(r *Result) *string { return &r.Cell }),
	numberColumn("auroc_low", func(r *Result) *Number { return &r.AUROCLow }),
	numberColumn("auroc_high", func(r *Result) *Number { return &r.AUROCHigh }),
	numberColumn("auprc_low", func(r *Result) *Number { return &r.AUPRCLow }),
	numberColumn("auprc_high", func(r *Result) *Number { return &r.AUPRCHigh }),
	numberColumn("tpr_at_01fpr", func(r *Result) *Number { return &r.TPRAt01 }),
	numberColumn("n_valid", func(r *Result) *Number { return &r.Valid }),
	numberColumn("weighted_cluster_auroc", func(r *Result) *Number { return &r.ClusterAUROC }),
	numberColumn("zero_filled_cluster_auroc", func(r *Result) *Number { return &r.ZeroFilled }),
	textColumn("input", func(r *Result) *string { return &r.Input }),
	{"deterministic", func(r *Result) string { return strconv.FormatBool(r.Deterministic) }, func(r *Result, s string) (err error) { r.Deterministic, err = strconv.ParseBool(s); return err }},
	{"warnings", func(r *Result) string { return strings.Join(r.Warnings, "; ") }, func(r *Result, s string) error {
		if r.Warnings = nil; s != "" {
			r.Warnings = strings.Split(s, "; ")
		}
		return nil
	}},
}

// Metrics lists the metric columns of results.csv, which comparisons may rank by.
func Metrics() []string {
	return []string{"auroc", "auprc", "fpr_at_95tpr", "tpr_at_1fpr", "tpr_at_01fpr", "accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "mcc", "weighted_cluster_auroc", "zero_filled_cluster_auroc", "fit_seconds", "score_seconds"}
}

// Metric is the value of a number column by name, NaN if there is no such column.
func (r *Result) Metric(name string) float64 {
	for _, c := range columns {
		if c.name == name {
			if v, err := strconv.ParseFloat(c.get(r), 64); err == nil {
				return v
			}
		}
	}
	return math.NaN()
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
		var res Result
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

// Status is status.json, written last: a cell without it did not finish.
type Status struct {
	Status   string    `json:"status"`
	Error    string    `json:"error,omitempty"`
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	Result   Result    `json:"result"`
}
