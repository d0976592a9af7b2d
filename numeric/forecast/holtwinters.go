package forecast

import (
	"errors"
	"fmt"
	"math"
)

// ErrShort says that a series has too few values for a model.
var ErrShort = errors.New("the series is too short")

// Model is additive Holt–Winters smoothing (Holt 1957, Winters 1960) in the error-correction form of Hyndman, Koehler,
// Ord and Snyder, Forecasting with Exponential Smoothing, 2008: with e the error of the forecast one step ahead,
// level += trend + Alpha·e, trend += Alpha·Beta·e, season += Gamma·e.
type Model struct {
	Alpha, Beta, Gamma float64 // of level, trend and season, in [0, 1]
	Level, Trend       float64
	// Season is what to add in the next len(Season) steps, in turn from Next on; empty: no season.
	Season []float64
	Next   int
	// Variance is that of the errors one step ahead, over the values that Fit or Update saw.
	Variance float64

	squares float64
	n       int
}

// Update smooths the values of y on from the model's state.
func (m *Model) Update(y []float64) {
	for _, v := range y {
		e := v - m.next()
		m.Level += m.Trend + m.Alpha*e
		m.Trend += m.Alpha * m.Beta * e
		if p := len(m.Season); p > 0 {
			m.Season[m.Next] += m.Gamma * e
			m.Next = (m.Next + 1) % p
		}
		m.squares += e * e
		m.n++
	}
	if m.n > 0 {
		m.Variance = m.squares / float64(m.n)
	}
}

// next is the forecast one step ahead.
func (m *Model) next() float64 {
	if len(m.Season) > 0 {
		return m.Level + m.Trend + m.Season[m.Next]
	}
	return m.Level + m.Trend
}

// Forecast is values to come.
type Forecast struct {
	Mean []float64 `json:"mean"`
	// Low and High bound each value with the probability that was asked for, if errors are normal and independent.
	Low  []float64 `json:"low"`
	High []float64 `json:"high"`
}

// add appends a value whose error has a variance.
func (f *Forecast) add(mean, variance, z float64) {
	half := z * math.Sqrt(variance)
	f.Mean = append(f.Mean, mean)
	f.Low = append(f.Low, mean-half)
	f.High = append(f.High, mean+half)
}

// Forecast is the next h values, with intervals of z standard deviations. The variance h steps ahead is
// Variance·(1 + Σ c²) over the j below h, c = Alpha·(1+Beta·j) + Gamma where j is a multiple of the period.
func (m *Model) Forecast(h int, z float64) Forecast {
	var f Forecast
	sum, p := 1.0, len(m.Season)
	for k := 1; k <= h; k++ {
		mean := m.Level + float64(k)*m.Trend
		if p > 0 {
			mean += m.Season[(m.Next+k-1)%p]
		}
		f.add(mean, m.Variance*sum, z)
		c := m.Alpha * (1 + m.Beta*float64(k))
		if p > 0 && k%p == 0 {
			c += m.Gamma
		}
		sum += c * c
	}
	return f
}

// start is the state before the first value: level and season are the mean of the first period and the differences to
// it, the trend that from the first period to the second, or none. Without a season the level is the first value.
func start(y []float64, period int, trend bool) Model {
	if period < 2 {
		m := Model{Level: y[0]}
		if trend {
			m.Trend = y[1] - y[0]
			m.Level -= m.Trend
		}
		return m
	}
	var first, second float64
	for i := range period {
		first += y[i] / float64(period)
		second += y[i+period] / float64(period)
	}
	m := Model{Level: first, Season: make([]float64, period)}
	if trend {
		m.Trend = (second - first) / float64(period)
	}
	for i := range m.Season {
		m.Season[i] = y[i] - first
	}
	return m
}

// grid is where the search for parameters begins.
var grid = []float64{0.05, 0.2, 0.4, 0.6, 0.8}

// Fit finds the parameters, with and without a trend, whose squared errors one step ahead over y sum to least: from the
// best of a grid on in steps that are halved. The series needs two periods and two values; all must be finite. A period
// below 2 is no season.
func Fit(y []float64, period int) (*Model, error) {
	if need := max(4, 2*period+2); len(y) < need {
		return nil, fmt.Errorf("forecast: %w: %d values, %d are needed", ErrShort, len(y), need)
	}
	for i, v := range y {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("forecast: value %d is %v", i, v)
		}
	}
	var best *Model
	for _, trend := range []bool{false, true} {
		if m := search(y, period, trend); best == nil || m.squares < best.squares*(1-1e-9) {
			best = m
		}
	}
	return best, nil
}

// search is the best model with or without a trend.
func search(y []float64, period int, trend bool) *Model {
	try := func(p [3]float64) *Model {
		m := start(y, period, trend)
		m.Alpha, m.Beta, m.Gamma = p[0], p[1], p[2]
		m.Update(y)
		return &m
	}
	free := []bool{true, trend, period >= 2}
	values := func(k int) []float64 {
		if free[k] {
			return grid
		}
		return []float64{0}
	}
	var at [3]float64
	var best *Model
	for _, a := range values(0) {
		for _, b := range values(1) {
			for _, g := range values(2) {
				if m := try([3]float64{a, b, g}); best == nil || m.squares < best.squares {
					best, at = m, [3]float64{a, b, g}
				}
			}
		}
	}
	for step := 0.1; step > 0.001; {
		moved := false
		for k := range at {
			for _, d := range []float64{-step, step} {
				p := at
				p[k] = math.Min(1, math.Max(0, p[k]+d))
				if !free[k] || p == at {
					continue
				}
				if m := try(p); m.squares < best.squares*(1-1e-9) {
					best, at, moved = m, p, true
				}
			}
		}
		if !moved {
			step /= 2
		}
	}
	return best
}
