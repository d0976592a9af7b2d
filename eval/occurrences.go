package eval

import (
	"math"
	"slices"
	"sort"

	"plumbline/numeric/stat"
)

// Occurrences are attacks as an analyst counts them: a stretch of attack units of one class and one entity, each within
// a gap of the one before. An occurrence is detected by its first alarm.
type Occurrences struct {
	Of    []int32 // of each unit, the number of its occurrence; −1 for benign units and those without a time
	Count int

	times []int64
}

// FindOccurrences groups the attacks of a test set. times are nanoseconds, missing those equal to none; entity may be
// nil, where all units are one's. A gap of more than gap nanoseconds ends an occurrence.
func FindOccurrences(times []int64, none int64, entity []int32, truth Truth, gap int64) *Occurrences {
	o := &Occurrences{Of: make([]int32, len(times)), times: times}
	var attacks []int32
	for i := range times {
		o.Of[i] = -1
		if truth.Attack[i] && times[i] != none {
			attacks = append(attacks, int32(i))
		}
	}
	key := func(i int32) (uint32, int32) {
		var e int32
		if entity != nil {
			e = entity[i]
		}
		return truth.Class[i], e
	}
	slices.SortStableFunc(attacks, func(a, b int32) int {
		ca, ea := key(a)
		cb, eb := key(b)
		switch {
		case ca != cb:
			return int(int64(ca) - int64(cb))
		case ea != eb:
			return int(ea - eb)
		case times[a] < times[b]:
			return -1
		case times[a] > times[b]:
			return 1
		}
		return 0
	})
	for k, i := range attacks {
		if k > 0 {
			before := attacks[k-1]
			cb, eb := key(before)
			if c, e := key(i); c == cb && e == eb && times[i]-times[before] <= gap {
				o.Of[i] = o.Of[before]
				continue
			}
		}
		o.Of[i] = int32(o.Count)
		o.Count++
	}
	return o
}

// Found is what became of occurrences at a threshold.
type Found struct {
	Recall float64 // share of the occurrences with an alarm
	// Delay is the median over all occurrences of the seconds from the first unit to the first alarm; those that are
	// never found take for ever, so that it is NaN where half of them are missed
	Delay float64
	// PointAdjustedF1 counts every unit of an occurrence that has one alarm as flagged, as many papers on time series
	// do; PointAdjustedRandom is what flags of as many units at random give. The first alone says little: long
	// occurrences are found by chance (Kim, Choi, Choi, Lee and Yoon, Towards a rigorous evaluation of time-series
	// anomaly detection, AAAI 2022).
	PointAdjustedF1, PointAdjustedRandom float64
}

// Judge says what became of the occurrences at a threshold.
func (o *Occurrences) Judge(scores []float64, attack []bool, threshold float64) Found {
	first, alarm, size := make([]int64, o.Count), make([]int64, o.Count), make([]int, o.Count)
	for k := range first {
		first[k], alarm[k] = math.MaxInt64, math.MaxInt64
	}
	flagged, falseAlarms := 0, 0
	var c Confusion
	for i, s := range scores {
		hit := s > threshold
		if hit {
			flagged++
		}
		k := o.Of[i]
		switch {
		case k >= 0:
			size[k]++
			first[k] = min(first[k], o.times[i])
			if hit {
				alarm[k] = min(alarm[k], o.times[i])
			}
		case attack[i] && hit: // without a time: as it stands
			c.TP++
		case attack[i]:
			c.FN++
		case hit:
			falseAlarms++
		}
	}
	c.FP = falseAlarms
	found := 0
	delays := make([]float64, 0, o.Count)
	for k := range first {
		if alarm[k] == math.MaxInt64 {
			delays = append(delays, math.Inf(1))
			c.FN += size[k]
			continue
		}
		found++
		delays = append(delays, float64(alarm[k]-first[k])/1e9)
		c.TP += size[k]
	}
	f := Found{Recall: ratio(float64(found), float64(o.Count)), Delay: math.NaN(), PointAdjustedF1: c.F1()}
	sort.Float64s(delays)
	if o.Count > 0 && 2*found > o.Count {
		if f.Delay = stat.Quantile(delays, 0.5); math.IsInf(f.Delay, 0) {
			f.Delay = math.NaN()
		}
	}
	f.PointAdjustedRandom = o.adjustedChance(len(scores), flagged, attack, size)
	return f
}

// adjustedChance is the point-adjusted F1 of flags of a share α of the units drawn at random, from expected counts:
// an occurrence of L units is found with the probability 1 − (1−α)^L.
func (o *Occurrences) adjustedChance(n, flagged int, attack []bool, size []int) float64 {
	if n == 0 {
		return math.NaN()
	}
	alpha := float64(flagged) / float64(n)
	var tp, attacks, benign float64
	for i := range attack {
		switch {
		case !attack[i]:
			benign++
		case o.Of[i] < 0:
			tp += alpha
			attacks++
		}
	}
	for _, l := range size {
		tp += float64(float64(l) * (1 - math.Pow(1-alpha, float64(l))))
		attacks += float64(l)
	}
	// F1 = 2 TP / (TP + FP + attacks)
	return ratio(2*tp, tp+float64(alpha*benign)+attacks)
}
