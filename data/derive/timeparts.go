package derive

import (
	"math"
	"time"

	"plumbline/data"
)

// timeParts are what a time can be taken apart to, and the length of their cycle.
var timeParts = map[string]struct {
	cycle float64
	of    func(time.Time) float64
}{
	"hour": {24, func(t time.Time) float64 {
		return float64(t.Hour()) + float64(t.Minute())/60 + (float64(t.Second())+float64(t.Nanosecond())/1e9)/3600
	}},
	"weekday": {7, func(t time.Time) float64 { return float64((t.Weekday() + 6) % 7) }},
	"day":     {31, func(t time.Time) float64 { return float64(t.Day() - 1) }},
	"second": {86400, func(t time.Time) float64 {
		return float64(t.Hour()*3600+t.Minute()*60+t.Second()) + float64(t.Nanosecond())/1e9
	}},
}

// addParts adds the parts of a time column.
func (s Spec) addParts(t *data.Table) error {
	at, err := t.TimeColumn(s.Of)
	if err != nil {
		return err
	}
	for _, name := range s.Parts {
		part := timeParts[name]
		values := make([]float64, t.Rows)
		for i, v := range at.Nanos {
			if values[i] = math.NaN(); v != data.NoTime {
				values[i] = part.of(time.Unix(0, v).UTC())
			}
		}
		if name == "day" && !s.Cyclic {
			for i := range values {
				values[i]++ // the first of a month is 1
			}
		}
		whole := at.Name + "_" + name
		if !s.Cyclic {
			if err := fresh(t, whole); err != nil {
				return err
			}
			t.Columns = append(t.Columns, data.Column{Name: whole, Type: data.Number, Num: values})
			continue
		}
		for _, suffix := range []string{"_sin", "_cos"} {
			if err := fresh(t, whole+suffix); err != nil {
				return err
			}
		}
		sin, cos := make([]float64, t.Rows), make([]float64, t.Rows)
		for i, v := range values {
			sin[i], cos[i] = math.Sincos(2 * math.Pi * v / part.cycle)
		}
		t.Columns = append(t.Columns, data.Column{Name: whole + "_sin", Type: data.Number, Num: sin},
			data.Column{Name: whole + "_cos", Type: data.Number, Num: cos})
	}
	return nil
}
