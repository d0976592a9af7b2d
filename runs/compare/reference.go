package compare

import (
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"plumbline/numeric/stat"
	"plumbline/runs/record"
)

// referenceFile is what the shipped experiments gave: a line for each data set and model, made by [WriteReference].
//
//go:embed reference.csv
var referenceFile string

// referenceMetrics are the metrics that bands are kept of.
var referenceMetrics = []string{"auroc", "auprc"}

// referenceHead names the columns of a reference file.
var referenceHead = []string{"experiment", "data", "label", "metric", "cells", "mean", "sd", "n_train", "n_test",
	"spec"}

// referenceSlack is by how much a value may leave its band: what other instruction sets and architectures make of sums
// that are rounded in another order. Scores differ by up to 5e-5 there.
const referenceSlack = 1e-4

// referenceLevel is the share of repetitions with other seeds whose mean is in its band.
const referenceLevel = 0.99

// Reference is one measured value of a shipped experiment.
type Reference struct {
	Experiment, Data, Label, Metric string
	Cells                           int     // over seeds and folds
	Mean, SD                        float64 // SD: with Cells-1 in the denominator; 0 for one cell
	Train, Test                     int     // of the first cell: rows that train, units judged
	Spec                            string  // the first 12 hexadecimal digits of the SHA-256 of spec.yaml
}

// Band is where the mean of a run is expected to be, and where it is.
type Band struct {
	Data      string  `json:"data"`
	Label     string  `json:"label"`
	Metric    string  `json:"metric"`
	Cells     int     `json:"cells"`
	Mean      float64 `json:"mean"`
	Low       float64 `json:"low"`
	High      float64 `json:"high"`
	Reference int     `json:"reference_cells"`
	// Verdict is within, outside or not comparable; Why says what is not comparable.
	Verdict string `json:"verdict"`
	Why     string `json:"why,omitempty"`
}

// What a band says of a run.
const (
	Within        = "within"
	Outside       = "outside"
	NotComparable = "not comparable"
)

// ReadReference reads a reference file.
func ReadReference(r io.Reader) ([]Reference, error) {
	in := csv.NewReader(r)
	head, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("compare: reference: %w", err)
	}
	if !slices.Equal(head, referenceHead) {
		return nil, fmt.Errorf("compare: reference: the columns are %s, want %s", strings.Join(head, ","),
			strings.Join(referenceHead, ","))
	}
	var out []Reference
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("compare: reference: %w", err)
		}
		line, _ := in.FieldPos(0)
		one := Reference{Experiment: row[0], Data: row[1], Label: row[2], Metric: row[3], Spec: row[9]}
		var errs [5]error
		one.Cells, errs[0] = strconv.Atoi(row[4])
		one.Mean, errs[1] = strconv.ParseFloat(row[5], 64)
		one.SD, errs[2] = strconv.ParseFloat(row[6], 64)
		one.Train, errs[3] = strconv.Atoi(row[7])
		one.Test, errs[4] = strconv.Atoi(row[8])
		if err := errors.Join(errs[:]...); err != nil {
			return nil, fmt.Errorf("compare: reference: line %d: %w", line, err)
		}
		if one.Cells < 1 || !(one.SD >= 0) || math.IsNaN(one.Mean) {
			return nil, fmt.Errorf("compare: reference: line %d: %d cells, mean %v, sd %v", line, one.Cells, one.Mean, one.SD)
		}
		out = append(out, one)
	}
}

// ShippedReference is the reference of the shipped experiments.
func ShippedReference() ([]Reference, error) { return ReadReference(strings.NewReader(referenceFile)) }

// ReferenceOf is a run as a reference. A model of which a cell is not ok has none.
func ReferenceOf(r *record.Record) ([]Reference, error) {
	var out []Reference
	for _, cells := range cellsOf(r) {
		spec, err := specOf(r.Dir, cells[0].Cell)
		if err != nil {
			return nil, err
		}
		for _, metric := range referenceMetrics {
			values, ok := valuesOf(cells, metric)
			if !ok {
				continue
			}
			one := Reference{Experiment: r.Name, Data: cells[0].Data, Label: cells[0].Label, Metric: metric,
				Cells: len(values), Train: cells[0].Train, Test: cells[0].Test, Spec: spec}
			one.Mean, one.SD = stat.MeanSD(values)
			if len(values) == 1 {
				one.SD = 0
			}
			out = append(out, one)
		}
	}
	return out, nil
}

// WriteReference writes a reference file; without head only its lines, to go below others.
func WriteReference(w io.Writer, all []Reference, head bool) error {
	out := csv.NewWriter(w)
	if head {
		out.Write(referenceHead)
	}
	number := func(x float64) string { return strconv.FormatFloat(x, 'f', 6, 64) }
	for _, r := range all {
		out.Write([]string{r.Experiment, r.Data, r.Label, r.Metric, strconv.Itoa(r.Cells), number(r.Mean), number(r.SD),
			strconv.Itoa(r.Train), strconv.Itoa(r.Test), r.Spec})
	}
	out.Flush()
	return out.Error()
}

// Bands judges a run by the reference of its experiment. A mean is within its band when it differs from the reference's
// by no more than 99 of 100 repetitions with other seeds would,
//
//	|m - m₀| ≤ t(.995; n₀-1) · s₀ · √(1/n + 1/n₀) + 1e-4
//
// with n cells here and n₀ cells, mean m₀ and standard deviation s₀ in the reference. One cell there, or a model that
// draws nothing, leaves the slack for other instruction sets alone. A model with other settings or other rows is not
// comparable. Models that the reference does not have are left out; without any it is an error.
func Bands(r *record.Record, all []Reference) ([]Band, error) {
	var out []Band
	for _, cells := range cellsOf(r) {
		var spec string
		for _, ref := range all {
			if ref.Experiment != r.Name || ref.Data != cells[0].Data || ref.Label != cells[0].Label {
				continue
			}
			if spec == "" {
				var err error
				if spec, err = specOf(r.Dir, cells[0].Cell); err != nil {
					return nil, err
				}
			}
			out = append(out, ref.judge(cells, spec))
		}
	}
	if out == nil {
		return nil, fmt.Errorf("compare: there is no reference of an experiment %q with a model of this run", r.Name)
	}
	return out, nil
}

func (ref *Reference) judge(cells []record.Result, spec string) Band {
	b := Band{Data: ref.Data, Label: ref.Label, Metric: ref.Metric, Reference: ref.Cells, Verdict: NotComparable}
	values, ok := valuesOf(cells, ref.Metric)
	b.Cells = len(values)
	if len(values) > 0 {
		b.Mean = stat.Mean(values)
	}
	half := referenceSlack
	if ref.SD > 0 && len(values) > 0 {
		n, n0 := float64(len(values)), float64(ref.Cells)
		half += stat.StudentQuantile((1+referenceLevel)/2, n0-1) * ref.SD * math.Sqrt(1/n+1/n0)
	}
	b.Low, b.High = ref.Mean-half, ref.Mean+half
	switch {
	case !ok:
		b.Why = fmt.Sprintf("a value in %d of %d cells", len(values), len(cells))
	case spec != ref.Spec:
		b.Why = "other settings"
	case cells[0].Train != ref.Train || cells[0].Test != ref.Test:
		b.Why = fmt.Sprintf("other rows: %d train and %d test, %d and %d in the reference", cells[0].Train, cells[0].Test,
			ref.Train, ref.Test)
	case b.Mean < b.Low || b.Mean > b.High:
		b.Verdict = Outside
	default:
		b.Verdict = Within
	}
	return b
}

// cellsOf is a run's cells by data set and label, in the order of the run.
func cellsOf(r *record.Record) [][]record.Result {
	var out [][]record.Result
	at := map[[2]string]int{}
	for _, c := range r.Results {
		key := [2]string{c.Data, c.Label}
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], c)
	}
	return out
}

// valuesOf is a metric of the cells that have it; ok when all do.
func valuesOf(cells []record.Result, metric string) (values []float64, ok bool) {
	for i := range cells {
		if v := cells[i].Metric(metric); cells[i].Status == record.OK && !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	return values, len(values) == len(cells)
}

// specOf is the hash of a cell's settings.
func specOf(dir, cell string) (string, error) {
	sum, err := record.Sum(filepath.Join(dir, filepath.FromSlash(cell), "spec.yaml"), 1<<20)
	if err != nil {
		return "", err
	}
	return sum.SHA256[:12], nil
}
