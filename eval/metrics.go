package eval

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Metrics is everything that scores and labels say of one cell.
type Metrics struct {
	Samples, Attacks int
	Unlabelled       bool // there is no truth: only what scores and the threshold give is defined
	// Values is every metric of the table that scores and labels give, by name; undefined ones are NaN.
	Values map[string]float64
	// Intervals is of "auroc" and "auprc", over the choice of test samples: see [Ranking.Intervals].
	Intervals map[string]Interval
	Confusion Confusion // all 0 without a threshold
	Classes   []ClassMetrics
	// Classification is what the probabilities of a classifier say; nil for other models.
	Classification *Classification
	Warnings       []string
}

// Value is the metric of that name, NaN where it is undefined or not known.
func (m *Metrics) Value(name string) float64 {
	if v, ok := m.Values[name]; ok {
		return v
	}
	return math.NaN()
}

// Interval is that of the metric of that name, undefined where it has none.
func (m *Metrics) Interval(name string) Interval {
	if i, ok := m.Intervals[name]; ok {
		return i
	}
	return noInterval
}

// Summarise judges the scores of one test set. threshold may be NaN: what depends on it is NaN then.
// resamples is the number of bootstrap resamples, 0 for no intervals. Of scores whose truth has no Attack, what needs
// labels is NaN.
func Summarise(scores []float64, truth Truth, threshold float64, resamples int, seed uint64) (*Metrics, error) {
	if truth.Attack == nil && len(scores) > 0 {
		return describe(scores, threshold)
	}
	r, err := Rank(scores, truth.Attack)
	if err != nil {
		return nil, err
	}
	j := &judged{rank: r, threshold: threshold}
	if !math.IsNaN(threshold) {
		j.flags = r.At(threshold)
	}
	m := &Metrics{
		Samples: len(scores), Attacks: r.P, Confusion: j.flags,
		Values: map[string]float64{}, Intervals: map[string]Interval{},
	}
	for _, k := range metrics {
		if k.value != nil {
			m.Values[k.Name] = k.value(j)
		}
	}
	m.Intervals["auroc"], m.Intervals["auprc"] = r.Intervals(resamples, seed)
	if m.Classes, err = r.PerClass(truth, threshold); err != nil {
		return nil, err
	}
	m.doubtSamples()
	m.doubtScores(r)
	m.doubtThreshold(threshold)
	return m, nil
}

// describe is what scores without labels say.
func describe(scores []float64, threshold float64) (*Metrics, error) {
	r, err := Rank(scores, make([]bool, len(scores)))
	if err != nil {
		return nil, err
	}
	j := &judged{rank: r, threshold: threshold}
	m := &Metrics{Samples: len(scores), Unlabelled: true, Values: map[string]float64{}, Intervals: map[string]Interval{}}
	if !math.IsNaN(threshold) {
		j.flags = r.At(threshold)
	}
	for _, k := range metrics {
		switch {
		case k.value != nil && slices.Contains(withoutLabels, k.Name):
			m.Values[k.Name] = k.value(j)
		case k.value != nil:
			m.Values[k.Name] = math.NaN()
		}
	}
	m.doubtScores(r)
	switch flagged := j.flags.TP + j.flags.FP; {
	case math.IsNaN(threshold):
		m.warn("no threshold: nothing is flagged")
	case flagged == m.Samples:
		m.warn("everything is above the threshold")
	}
	return m, nil
}

func (m *Metrics) warn(format string, args ...any) {
	m.Warnings = append(m.Warnings, fmt.Sprintf(format, args...))
}

// doubtSamples warns of test sets that leave something undefined or resting on very little.
func (m *Metrics) doubtSamples() {
	benign := m.Samples - m.Attacks
	switch {
	case m.Samples == 0:
		m.warn("no test samples")
	case m.Attacks == 0:
		m.warn("no attack among %d test samples: ranking metrics are undefined", m.Samples)
	case benign == 0:
		m.warn("no benign one among %d test samples: ranking metrics are undefined", m.Samples)
	default:
		if m.Attacks < FewRows || benign < FewRows {
			m.warn("%d attacks and %d benign test samples: with fewer than %d of either, every number is uncertain",
				m.Attacks, benign, FewRows)
		}
		switch {
		case benign < 100:
			m.warn("%d benign test samples: the recall at 1 %% and 0.1 %% false positives is that at none", benign)
		case benign < 1000:
			m.warn("%d benign test samples: the recall at 0.1 %% false positives is that at none", benign)
		}
	}
	few := 0
	for _, c := range m.Classes {
		if c.Few {
			few++
		}
	}
	if few > 0 {
		m.warn("%d of %d attack classes have fewer than %d test samples: their recall says little",
			few, len(m.Classes), FewRows)
	}
}

// doubtScores warns of scores that hardly rank.
func (m *Metrics) doubtScores(r *Ranking) {
	switch {
	case m.Samples < 2:
		return
	case r.Distinct() == 1:
		m.warn("all %d scores are equal", m.Samples)
		return
	case r.Distinct() < 10 && r.Distinct() < m.Samples:
		m.warn("%d samples have only %d different scores", m.Samples, r.Distinct())
	}
	if top := int(r.Pos[0] + r.Neg[0]); m.Samples >= 100 && 10*top >= m.Samples {
		m.warn("%.0f %% of the samples share the highest score: the scores are saturated",
			100*float64(top)/float64(m.Samples))
	}
}

// doubtThreshold warns of thresholds that leave something undefined.
func (m *Metrics) doubtThreshold(threshold float64) {
	switch flagged := m.Confusion.TP + m.Confusion.FP; {
	case math.IsNaN(threshold):
		m.warn("no threshold: accuracy, precision, recall, F1 and MCC are undefined")
	case m.Samples == 0:
	case flagged == 0:
		m.warn("nothing is above the threshold: precision and MCC are undefined")
	case flagged == m.Samples:
		m.warn("everything is above the threshold: MCC is undefined")
	}
}

// MarshalJSON writes one object: the metrics by name in the table's order, each interval after its metric, the
// confusion counts after the threshold.
func (m Metrics) MarshalJSON() ([]byte, error) {
	var o object
	o.add("samples", m.Samples)
	o.add("attacks", m.Attacks)
	if m.Unlabelled {
		o.add("unlabelled", true)
	}
	for _, k := range metrics {
		if k.value == nil {
			continue
		}
		o.add(k.Name, m.Value(k.Name))
		if i, ok := m.Intervals[k.Name]; ok {
			o.add(k.Name+intervalSuffix, i)
		}
		if k.Name == "threshold" {
			o.add("confusion", m.Confusion)
		}
	}
	for _, k := range keptByRunner {
		if _, ok := m.Values[k.Name]; ok {
			o.add(k.Name, m.Value(k.Name))
		}
	}
	if m.Classification != nil {
		for _, k := range classMetrics {
			o.add(k.Name, m.Value(k.Name))
		}
		o.add("classification", m.Classification)
	}
	if len(m.Classes) > 0 {
		o.add("classes", m.Classes)
	}
	if len(m.Warnings) > 0 {
		o.add("warnings", m.Warnings)
	}
	return o.done()
}

const intervalSuffix = "_interval"

// UnmarshalJSON reads what MarshalJSON wrote. A metric that is absent, as in files of other versions, stays so.
func (m *Metrics) UnmarshalJSON(raw []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return fmt.Errorf("eval: metrics: %w", err)
	}
	*m = Metrics{Values: map[string]float64{}, Intervals: map[string]Interval{}}
	read := func(key string, into any) error {
		text, ok := fields[key]
		if !ok {
			return nil
		}
		if err := json.Unmarshal(text, into); err != nil {
			return fmt.Errorf("eval: metrics: %s: %w", key, err)
		}
		return nil
	}
	err := errors.Join(read("samples", &m.Samples), read("attacks", &m.Attacks), read("unlabelled", &m.Unlabelled),
		read("confusion", &m.Confusion), read("classes", &m.Classes), read("classification", &m.Classification),
		read("warnings", &m.Warnings))
	for _, k := range metrics {
		if _, ok := fields[k.Name]; ok && k.Measured() {
			v := Number(math.NaN())
			err = errors.Join(err, read(k.Name, &v))
			m.Values[k.Name] = float64(v)
		}
		if _, ok := fields[k.Name+intervalSuffix]; ok && k.value != nil {
			var i Interval
			err = errors.Join(err, read(k.Name+intervalSuffix, &i))
			m.Intervals[k.Name] = i
		}
	}
	return err
}
