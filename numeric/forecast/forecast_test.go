package forecast

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// ausair is the passengers of Australian airlines, 1990 to 2016, in millions.
var ausair = []float64{17.55, 21.86, 23.89, 26.93, 26.89, 28.83, 30.08, 30.95, 30.19, 31.58, 32.58, 33.48, 39.02, 41.39,
	41.60, 44.66, 46.95, 48.73, 51.49, 50.03, 60.64, 63.36, 66.36, 68.20, 68.12, 69.78, 72.60}

// TestHolt: forecasts of Hyndman and Athanasopoulos, Forecasting: Principles and Practice, from their parameters and
// starting values: 2nd edition, table 7.2 (to 2016), and 1st edition, table 7.3 (to 2004).
func TestHolt(t *testing.T) {
	m := Model{Alpha: 0.8321, Beta: 0.0001, Level: 15.57, Trend: 2.102}
	m.Update(ausair[:1])
	near(t, "level of 1990", m.Level, 17.57, 0.005)
	m.Update(ausair[1:])
	first := Model{Alpha: 0.8, Beta: 0.2, Level: 17.55, Trend: 4.31}
	first.Update(ausair[:15])
	for k, want := range [][2]float64{{74.60, 43.76}, {76.70, 45.59}, {78.80, 47.43}, {80.91, 49.27}, {83.01, 51.10}} {
		near(t, "2nd edition", m.Forecast(5, 1).Mean[k], want[0], 0.012)
		near(t, "1st edition", first.Forecast(5, 1).Mean[k], want[1], 0.012)
	}
}

// TestHoltWintersByHand: two periods of two values, each step worked out with fractions.
func TestHoltWintersByHand(t *testing.T) {
	m := Model{Alpha: 0.5, Beta: 0.5, Gamma: 0.25, Level: 10, Trend: 1, Season: []float64{2, -2}}
	// forecast 13, error 1: level 11.5, trend 1.25, season 2.25; forecast 10.75, error −0.75: level 12.375,
	// trend 1.0625, season −2.1875
	m.Update([]float64{14, 10})
	near(t, "level", m.Level, 12.375, 1e-12)
	near(t, "trend", m.Trend, 1.0625, 1e-12)
	near(t, "season", m.Season[0], 2.25, 1e-12)
	near(t, "season", m.Season[1], -2.1875, 1e-12)
	near(t, "variance", m.Variance, (1+0.5625)/2, 1e-12)
	f := m.Forecast(3, 2)
	near(t, "first", f.Mean[0], 15.6875, 1e-12)
	near(t, "second", f.Mean[1], 12.3125, 1e-12)
	near(t, "third", f.Mean[2], 17.8125, 1e-12)
	// c₁ = 0.5·1.5 = 0.75, c₂ = 0.5·2+0.25 = 1.25
	near(t, "first interval", f.High[0]-f.Mean[0], 2*math.Sqrt(0.78125), 1e-12)
	near(t, "third interval", f.Mean[2]-f.Low[2], 2*math.Sqrt(0.78125*(1+0.5625+1.5625)), 1e-12)
}

// TestVarianceBySimulation: the spread of continuations of the model's own process is that of the formula.
func TestVarianceBySimulation(t *testing.T) {
	const h, runs = 7, 20_000
	r := rand.New(rand.NewPCG(1, 2))
	squares := make([]float64, h)
	first := Model{Alpha: 0.4, Beta: 0.2, Gamma: 0.3, Level: 5, Trend: 0.5, Season: []float64{1, 0, -1}, Variance: 1}
	want := first.Forecast(h, 1)
	for range runs {
		m := first
		m.Season = append([]float64{}, first.Season...)
		for k := range h {
			y := m.next() + r.NormFloat64()
			squares[k] += (y - want.Mean[k]) * (y - want.Mean[k]) / runs
			m.Update([]float64{y})
		}
	}
	for k := range squares {
		sd := want.High[k] - want.Mean[k]
		near(t, "spread", math.Sqrt(squares[k]), sd, 0.03*sd)
	}
}

// TestFit: a line with a season is continued exactly, and no point of a finer grid has smaller errors on noise.
func TestFit(t *testing.T) {
	season := []float64{4, -1, 0, -3}
	var exact, noisy []float64
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 40 {
		exact = append(exact, 20+0.5*float64(i)+season[i%4])
		noisy = append(noisy, exact[i]+r.NormFloat64())
	}
	m, err := Fit(exact[:32], 4)
	if err != nil {
		t.Fatal(err)
	}
	f := m.Forecast(8, 2)
	for k, v := range exact[32:] {
		near(t, "continued", f.Mean[k], v, 0.05)
	}
	if m, err = Fit(noisy, 4); err != nil {
		t.Fatal(err)
	}
	for _, trend := range []bool{false, true} {
		for a := 0.0; a <= 1; a += 0.1 {
			for b := 0.0; b <= 1; b += 0.1 {
				for g := 0.0; g <= 1; g += 0.1 {
					other := start(noisy, 4, trend)
					if other.Alpha, other.Beta, other.Gamma = a, b, g; !trend {
						other.Beta = 0
					}
					if other.Update(noisy); other.Variance < m.Variance*(1-1e-6) {
						t.Fatalf("%v %v %v has variance %v, below the fitted %v", a, b, g, other.Variance, m.Variance)
					}
				}
			}
		}
	}
}

func TestSeasonalNaive(t *testing.T) {
	f, err := SeasonalNaive([]float64{1, 5, 3, 6, 2, 9}, 2, 5, 1)
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range []float64{2, 9, 2, 9, 2} {
		near(t, "mean", f.Mean[k], want, 0)
	}
	// differences 2, 1, −1, 3
	for k, want := range []float64{3.75, 3.75, 7.5, 7.5, 11.25} {
		near(t, "interval", f.High[k]-f.Mean[k], math.Sqrt(want), 1e-12)
	}
	e := f.Errors([]float64{3, 9, 8})
	near(t, "mean absolute error", e.MAE, 7.0/3, 1e-12)
	near(t, "root mean square", e.RMSE, math.Sqrt(37.0/3), 1e-12)
	near(t, "coverage", e.Coverage, 2.0/3, 1e-12)
}

// TestShort: series that are too short, constant or not numbers give an error or a flat line, never a panic.
func TestShort(t *testing.T) {
	for n := range 12 {
		for period := range 6 {
			y := make([]float64, n)
			if m, err := Fit(y, period); err == nil {
				near(t, "flat", m.Forecast(3, 2).High[2], 0, 0)
			} else if !errors.Is(err, ErrShort) {
				t.Error(err)
			}
			if _, err := SeasonalNaive(y, period, 3, 2); err != nil && !errors.Is(err, ErrShort) {
				t.Error(err)
			}
		}
	}
	if _, err := Fit([]float64{1, 2, math.NaN(), 3, 4, 5}, 0); err == nil || errors.Is(err, ErrShort) {
		t.Error(err)
	}
	if e := (Forecast{}).Errors(nil); !math.IsNaN(e.MAE) || !math.IsNaN(e.Coverage) {
		t.Error(e)
	}
}

// TestAutocorrelation: y = 1, −1, 1, −1 has −3/4 at lag 1 and 1/2 at lag 2.
func TestAutocorrelation(t *testing.T) {
	y := []float64{1, -1, 1, -1}
	near(t, "lag 1", Autocorrelation(y, 1), -0.75, 1e-12)
	near(t, "lag 2", Autocorrelation(y, 2), 0.5, 1e-12)
	if !math.IsNaN(Autocorrelation(y, 4)) || !math.IsNaN(Autocorrelation([]float64{2, 2}, 1)) {
		t.Error("want NaN")
	}
}
