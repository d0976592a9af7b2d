package eval

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Classification is how the class probabilities of a classifier fare: a unit is called the class of its largest
// probability, of equal ones the first, so that a binary classifier calls an attack what is above ½. Averages are those
// of scikit-learn with zero_division=0: a class that is never called has the precision 0 in macro averages, and one
// that neither occurs nor is called has no part in them.
type Classification struct {
	// Classes are benign, those that the classifier knows in its order, and then those that only the test units have.
	Classes []string `json:"classes"`
	// Confusion[t][c] is the number of units of class t that are called c.
	Confusion [][]int       `json:"confusion"`
	PerClass  []CalledClass `json:"per_class"`
	// Unknown are the classes of test units that the classifier does not know, and so never calls.
	Unknown []string `json:"unknown,omitempty"`

	MacroPrecision   float64 `json:"macro_precision"` // means over the classes
	MacroRecall      float64 `json:"macro_recall"`
	MacroF1          float64 `json:"macro_f1"`
	MicroF1          float64 `json:"micro_f1"`          // of all counts together: share of units called right
	BalancedAccuracy float64 `json:"balanced_accuracy"` // mean recall of the classes that occur
	AttackBrier      float64 `json:"brier"`             // of the probability of an attack of any class: see [Brier]
	AttackLogLoss    float64 `json:"log_loss"`          // of the probability of an attack of any class: see [LogLoss]
	ClassBrier       float64 `json:"class_brier"`       // mean over units of Σ_c (p_c − [c is the class])², from 0 to 2
	ClassLogLoss     float64 `json:"class_log_loss"`    // mean of −ln of the probability of the class, in nats
}

// CalledClass is how one class fares. What is undefined is NaN.
type CalledClass struct {
	Class     string  `json:"class"`
	Samples   int     `json:"samples"`   // units of the class
	Called    int     `json:"called"`    // units that are called so
	Precision float64 `json:"precision"` // NaN where none is called
	Recall    float64 `json:"recall"`    // NaN where none is there
	F1        float64 `json:"f1"`        // NaN where there is neither
}

func (c Classification) MarshalJSON() ([]byte, error) { return marshal(c) }
func (c CalledClass) MarshalJSON() ([]byte, error)    { return marshal(c) }

func (c *Classification) UnmarshalJSON(raw []byte) error {
	type plain Classification
	return unmarshal(raw, (*plain)(c))
}

func (c *CalledClass) UnmarshalJSON(raw []byte) error {
	type plain CalledClass
	return unmarshal(raw, (*plain)(c))
}

// Classify judges probabilities: one row per unit, which sums to 1, over classes, benign first. Where the classes are
// two and the second is "attack", attacks of every class are that one.
func Classify(classes []string, p [][]float64, truth Truth) (*Classification, error) {
	n := len(p)
	if len(truth.Attack) != n || truth.Class != nil && len(truth.Class) != n {
		return nil, fmt.Errorf("%w: %d rows of probabilities, %d labels, %d classes", ErrScores, n, len(truth.Attack),
			len(truth.Class))
	}
	if len(classes) < 2 {
		return nil, fmt.Errorf("%w: %d classes", ErrScores, len(classes))
	}
	attack := make([]float64, n)
	for i, row := range p {
		if len(row) != len(classes) {
			return nil, fmt.Errorf("%w: unit %d has %d probabilities of %d classes", ErrScores, i, len(row), len(classes))
		}
		for k, v := range row {
			if !(v >= 0 && v <= 1) {
				return nil, fmt.Errorf("%w: unit %d has the probability %v of %s", ErrScores, i, v, classes[k])
			}
		}
		attack[i] = min(sum(row[1:]), 1)
	}
	c := &Classification{Classes: slices.Clone(classes)}
	var err error
	if c.AttackBrier, err = Brier(attack, truth.Attack); err != nil {
		return nil, err
	}
	if c.AttackLogLoss, err = LogLoss(attack, truth.Attack); err != nil {
		return nil, err
	}
	of, err := c.classesOf(truth)
	if err != nil {
		return nil, err
	}
	c.losses(p, of)
	c.Confusion = make([][]int, len(c.Classes))
	for t := range c.Confusion {
		c.Confusion[t] = make([]int, len(c.Classes))
	}
	if binary(classes) {
		b := Confuse(attack, truth.Attack, 0.5)
		c.Confusion[0][0], c.Confusion[0][1], c.Confusion[1][0], c.Confusion[1][1] = b.TN, b.FP, b.FN, b.TP
	} else {
		for i, row := range p {
			c.Confusion[of[i]][slices.Index(row, slices.Max(row))]++
		}
	}
	c.average()
	return c, nil
}

// binary says whether all attacks are one class.
func binary(classes []string) bool { return len(classes) == 2 && classes[1] == "attack" }

func sum(v []float64) (s float64) {
	for _, x := range v {
		s += x
	}
	return s
}

// classesOf is the class of each unit, after those that the classifier does not know were added.
func (c *Classification) classesOf(truth Truth) ([]int, error) {
	of := make([]int, len(truth.Attack))
	one := binary(c.Classes) || truth.Class == nil && len(c.Classes) == 2
	if !one && truth.Class == nil {
		return nil, fmt.Errorf("%w: probabilities of %d classes of units without classes", ErrScores, len(c.Classes))
	}
	at := map[uint32]int{}
	for i, attack := range truth.Attack {
		switch {
		case !attack:
		case one:
			of[i] = 1
		default:
			k := truth.Class[i]
			if int(k) >= len(truth.Names) {
				return nil, fmt.Errorf("%w: unit %d has class %d of %d", ErrScores, i, k, len(truth.Names))
			}
			at[k] = -1
		}
	}
	for k := range at {
		if at[k] = slices.Index(c.Classes[1:], truth.Names[k]) + 1; at[k] == 0 {
			c.Unknown = append(c.Unknown, truth.Names[k])
		}
	}
	slices.Sort(c.Unknown)
	known := len(c.Classes)
	c.Classes = append(c.Classes, c.Unknown...)
	for k, j := range at {
		if j == 0 {
			at[k] = known + slices.Index(c.Unknown, truth.Names[k])
		}
	}
	for i, attack := range truth.Attack {
		if attack && !one {
			of[i] = at[truth.Class[i]]
		}
	}
	return of, nil
}

// losses are those of the probabilities of the classes; one that the classifier does not know has probability 0.
func (c *Classification) losses(p [][]float64, of []int) {
	const eps = 0x1p-52 // as in LogLoss
	var brier, loss float64
	for i, row := range p {
		own := 0.0
		if of[i] < len(row) {
			own = row[of[i]]
		}
		brier += float64((1-own)*(1-own)) - float64(own*own)
		for _, v := range row {
			brier += float64(v * v)
		}
		loss -= math.Log(min(max(own, eps), 1-eps))
	}
	c.ClassBrier, c.ClassLogLoss = ratio(brier, float64(len(p))), ratio(loss, float64(len(p)))
}

// average fills what follows from the confusion matrix.
func (c *Classification) average() {
	var n, right, present, classes int
	for k, name := range c.Classes {
		one := CalledClass{Class: name, Samples: 0}
		for j := range c.Classes {
			one.Samples += c.Confusion[k][j]
			one.Called += c.Confusion[j][k]
		}
		hit := float64(c.Confusion[k][k])
		one.Precision = ratio(hit, float64(one.Called))
		one.Recall = ratio(hit, float64(one.Samples))
		one.F1 = ratio(2*hit, float64(one.Samples+one.Called))
		n, right = n+one.Samples, right+c.Confusion[k][k]
		if one.Samples > 0 {
			present++
			c.BalancedAccuracy += one.Recall
		}
		if one.Samples > 0 || one.Called > 0 {
			classes++
			c.MacroPrecision += zeroed(one.Precision)
			c.MacroRecall += zeroed(one.Recall)
			c.MacroF1 += one.F1
		}
		c.PerClass = append(c.PerClass, one)
	}
	c.BalancedAccuracy = ratio(c.BalancedAccuracy, float64(present))
	c.MacroPrecision = ratio(c.MacroPrecision, float64(classes))
	c.MacroRecall = ratio(c.MacroRecall, float64(classes))
	c.MacroF1 = ratio(c.MacroF1, float64(classes))
	c.MicroF1 = ratio(float64(right), float64(n))
}

// zeroed is 0 for what is undefined.
func zeroed(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}

// classMetric is a metric of classifiers.
type classMetric struct {
	Metric
	of func(*Classification) float64
}

// classMetrics are there where a model gives probabilities.
var classMetrics = []classMetric{
	{Metric{Name: "brier", Title: "Brier", Better: Lower, Range: Share,
		Doc: "mean squared difference between a classifier's probability of an attack and the truth"},
		func(c *Classification) float64 { return c.AttackBrier }},
	{Metric{Name: "log_loss", Title: "log loss", Better: Lower, Range: Positive,
		Doc: "mean of -ln of the probability that a classifier gives to the truth, attack or benign"},
		func(c *Classification) float64 { return c.AttackLogLoss }},
	{Metric{Name: "class_brier", Title: "class Brier", Better: Lower, Range: Range{0, 2},
		Doc: "squared differences of all class probabilities and the truth, summed over classes, mean over units"},
		func(c *Classification) float64 { return c.ClassBrier }},
	{Metric{Name: "class_log_loss", Title: "class log loss", Better: Lower, Range: Positive,
		Doc: "mean of -ln of the probability of the unit's class"},
		func(c *Classification) float64 { return c.ClassLogLoss }},
	{Metric{Name: "class_balanced_accuracy", Title: "class bal. acc.", Better: Higher, Range: Share,
		Doc: "mean recall of the classes of the test part, each unit called its most probable class"},
		func(c *Classification) float64 { return c.BalancedAccuracy }},
	{Metric{Name: "macro_precision", Title: "macro precision", Better: Higher, Range: Share,
		Doc: "mean precision of the classes, 0 for one that is never called"},
		func(c *Classification) float64 { return c.MacroPrecision }},
	{Metric{Name: "macro_recall", Title: "macro recall", Better: Higher, Range: Share,
		Doc: "mean recall of the classes that occur or are called"},
		func(c *Classification) float64 { return c.MacroRecall }},
	{Metric{Name: "macro_f1", Title: "macro F1", Better: Higher, Range: Share,
		Doc: "mean F1 of the classes that occur or are called"},
		func(c *Classification) float64 { return c.MacroF1 }},
	{Metric{Name: "micro_f1", Title: "micro F1", Better: Higher, Range: Share,
		Doc: "F1, precision and recall of the counts of all classes together: the share of units called right"},
		func(c *Classification) float64 { return c.MicroF1 }},
}

// ofClasses is the metrics of classifiers as lines of the table.
func ofClasses() (out []Metric) {
	for _, c := range classMetrics {
		out = append(out, c.Metric)
	}
	return out
}

// Classify adds what the probabilities of a classifier say to the metrics, and warns of classes that it cannot know.
func (m *Metrics) Classify(c *Classification) {
	m.Classification = c
	for _, k := range classMetrics {
		m.Values[k.Name] = k.of(c)
	}
	if len(c.Unknown) == 0 {
		return
	}
	units := 0
	for _, k := range c.PerClass {
		if slices.Contains(c.Unknown, k.Class) {
			units += k.Samples
		}
	}
	shown := strings.Join(c.Unknown[:min(5, len(c.Unknown))], ", ")
	m.warn("%d test units are of %d classes that training did not have and that are never called, such as %s", units,
		len(c.Unknown), shown)
}
