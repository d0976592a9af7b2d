package forecast

import (
	"fmt"
	"math"
)

// SeasonalNaive repeats the last period of y for h steps, without a season the last value, with intervals of z standard
// deviations: the variance k steps ahead is that of the differences between periods times the periods ahead (Hyndman
// and Athanasopoulos, Forecasting: Principles and Practice, section 5.5).
func SeasonalNaive(y []float64, period, h int, z float64) (Forecast, error) {
	p := max(1, period)
	if len(y) < p+1 {
		return Forecast{}, fmt.Errorf("forecast: %w: %d values, %d are needed", ErrShort, len(y), p+1)
	}
	variance := 0.0
	for i := p; i < len(y); i++ {
		d := y[i] - y[i-p]
		variance += d * d / float64(len(y)-p)
	}
	var f Forecast
	for k := range h {
		f.add(y[len(y)-p+k%p], variance*float64(k/p+1), z)
	}
	return f, nil
}

// Errors is how far a forecast was from what came.
type Errors struct {
	MAE      float64 `json:"mae"`
	RMSE     float64 `json:"rmse"`
	Coverage float64 `json:"coverage"` // share of values within the interval
}

// Errors holds the forecast against what came; NaN of none.
func (f Forecast) Errors(actual []float64) Errors {
	e := Errors{MAE: math.NaN(), RMSE: math.NaN(), Coverage: math.NaN()}
	if n := float64(min(len(actual), len(f.Mean))); n > 0 {
		e = Errors{}
		for i := range int(n) {
			d := actual[i] - f.Mean[i]
			e.MAE += math.Abs(d) / n
			e.RMSE += d * d / n
			if actual[i] >= f.Low[i] && actual[i] <= f.High[i] {
				e.Coverage += 1 / n
			}
		}
		e.RMSE = math.Sqrt(e.RMSE)
	}
	return e
}

// Autocorrelation is that of y at a lag, between −1 and 1; NaN of a constant series or one that is not longer.
func Autocorrelation(y []float64, lag int) float64 {
	mean, top, below := 0.0, 0.0, 0.0
	for _, v := range y {
		mean += v / float64(len(y))
	}
	for i, v := range y {
		below += (v - mean) * (v - mean)
		if i >= lag {
			top += (v - mean) * (y[i-lag] - mean)
		}
	}
	if lag >= len(y) || below == 0 {
		return math.NaN()
	}
	return top / below
}
