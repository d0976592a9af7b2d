package dashboard

import (
	"math"

	"plumbline/numeric/forecast"
)

// Ahead is a series continued: by Holt–Winters, beside the last season repeated, and how far both were from the end of
// the series when they were fitted to what is before it.
type Ahead struct {
	From   int             `json:"from"`   // the first bin of the series
	To     int             `json:"to"`     // the bin after the last, where the forecast begins
	Period int             `json:"period"` // bins of a season; 1: none
	Model  *forecast.Model `json:"-"`
	Alpha  float64         `json:"alpha"`
	Beta   float64         `json:"beta"`
	Gamma  float64         `json:"gamma"`

	Smooth forecast.Forecast `json:"smooth"`
	Naive  forecast.Forecast `json:"naive"`
	Held   int               `json:"held"` // bins of the end that was held out
	Error  Tried             `json:"error"`
	// Low is the share of values that the interval should hold.
	Level float64 `json:"level"`
}

// Tried is the errors on the end that was held out.
type Tried struct {
	Smooth forecast.Errors `json:"smooth"`
	Naive  forecast.Errors `json:"naive"`
}

// normal95 is how many standard deviations hold 95 % of a normal distribution.
const normal95 = 1.959963984540054

// shortest is the fewest bins that are continued.
const shortest = 16

// ahead continues counts of bins from to to, excluded; nil where they are too few.
func (f *Flows) ahead(counts []int, from, to int) *Ahead {
	n := to - from
	if n < shortest {
		return nil
	}
	y := make([]float64, n)
	for i := range y {
		y[i] = float64(counts[from+i])
	}
	p := f.Axis.period(y)
	h := p
	if p < 2 {
		h = min(24, max(4, n/8))
	}
	a := &Ahead{From: from, To: to, Period: p, Held: h, Level: 0.95}
	tried, err := forecast.Fit(y[:n-h], p)
	if err != nil {
		return nil
	}
	naive, err := forecast.SeasonalNaive(y[:n-h], p, h, normal95)
	if err != nil {
		return nil
	}
	a.Error = Tried{tried.Forecast(h, normal95).Errors(y[n-h:]), naive.Errors(y[n-h:])}
	m, err := forecast.Fit(y, p)
	if err != nil {
		return nil
	}
	a.Alpha, a.Beta, a.Gamma = m.Alpha, m.Beta, m.Gamma
	a.Smooth = m.Forecast(h, normal95)
	if a.Naive, err = forecast.SeasonalNaive(y, p, h, normal95); err != nil {
		return nil
	}
	return a
}

// period is the longest of week, day and hour that the series has three of and whose autocorrelation is above 0.2; 1
// without one.
func (a *Axis) period(y []float64) int {
	if a.Rows {
		return 1
	}
	for _, length := range []int64{7 * 86_400_000, 86_400_000, 3_600_000} {
		p := length / a.Step
		if length%a.Step != 0 || p < 2 || int(p)*3+2 > len(y) {
			continue
		}
		if r := forecast.Autocorrelation(y, int(p)); !math.IsNaN(r) && r > 0.2 {
			return int(p)
		}
	}
	return 1
}
