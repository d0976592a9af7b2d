package figures

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"plumbline/runs/plot"
)

// Trial is a row of trials.csv that has an objective. The columns after its error are settings by their paths.
type Trial struct {
	Number    string
	Chosen    bool
	Values    map[string]string // settings, by their paths; none in the trial of the file's own settings
	Objective float64
}

// Search is the trials of one model on one data set.
type Search struct {
	Data, Label string
	Settings    []string // in the order in which they first occur
	Trials      []Trial
	Failed      int // trials without an objective
}

// Searches reads the trials of a search's directory; nil where it is none.
func Searches(dir string) ([]*Search, error) {
	rows, err := table(dir, "trials.csv")
	if err != nil || rows == nil {
		return nil, err
	}
	return searches(rows)
}

func searches(rows [][]string) (out []*Search, err error) {
	at := map[string]int{}
	for k, name := range rows[0] {
		at[name] = k
	}
	for _, name := range []string{"data", "label", "trial", "chosen", "status", "value", "error"} {
		if _, ok := at[name]; !ok {
			return nil, fmt.Errorf("figures: trials.csv lacks the column %s", name)
		}
	}
	for _, r := range rows[1:] {
		k := slices.IndexFunc(out, func(s *Search) bool { return s.Data == r[at["data"]] && s.Label == r[at["label"]] })
		if k < 0 {
			k = len(out)
			out = append(out, &Search{Data: r[at["data"]], Label: r[at["label"]]})
		}
		s := out[k]
		objective, err := strconv.ParseFloat(r[at["value"]], 64)
		if err != nil || r[at["status"]] != "ok" {
			s.Failed++
			continue
		}
		one := Trial{r[at["trial"]], r[at["chosen"]] == "true", map[string]string{}, objective}
		for k, text := range r[at["error"]+1:] {
			if text == "" { // of another search, or left as it is in the file
				continue
			}
			name := rows[0][at["error"]+1+k]
			one.Values[name] = text
			if !slices.Contains(s.Settings, name) {
				s.Settings = append(s.Settings, name)
			}
		}
		s.Trials = append(s.Trials, one)
	}
	return out, nil
}

// numbers is a setting's values by trial, NaN where a trial left it alone; false if one of them is a word.
func (s *Search) numbers(setting string) (out []float64, ok bool) {
	for _, t := range s.Trials {
		v, err := math.NaN(), error(nil)
		if text, set := t.Values[setting]; set {
			if v, err = strconv.ParseFloat(text, 64); err != nil {
				return nil, false
			}
		}
		out = append(out, v)
	}
	return out, true
}

// far says whether values range over more than a factor of 50, and are better shown by their logarithm.
func far(v []float64) bool {
	low, high := ends(v)
	return low > 0 && high > 50*low
}

// ends is the smallest and the largest of the values that are numbers.
func ends(v []float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, x := range v {
		if !math.IsNaN(x) {
			low, high = min(low, x), max(high, x)
		}
	}
	return low, high
}

// lastWord is the last word of a setting's path.
func lastWord(setting string) string { return setting[strings.LastIndexByte(setting, '.')+1:] }

// Trials is the figures of a search's directory, of a width in pixels; nil where it is none.
func Trials(dir string, width float64) (out []*plot.Figure, err error) {
	all, err := Searches(dir)
	if err != nil || all == nil {
		return nil, err
	}
	out = []*plot.Figure{} // a search all the same, where no trial but the file's own has a setting
	for _, s := range all {
		if f := s.Parallel(width); f != nil {
			out = append(out, f)
		}
		out = append(out, s.Against(width)...)
	}
	return out, nil
}

// Against draws the objective against each setting of numbers.
func (s *Search) Against(width float64) (out []*plot.Figure) {
	for _, name := range s.Settings {
		if f := s.against(name, width); f != nil {
			out = append(out, f)
		}
	}
	return out
}

// Parallel draws a line for each trial through its settings to the objective; nil without a setting or a trial.
func (s *Search) Parallel(width float64) *plot.Figure {
	if len(s.Settings) == 0 || len(s.Trials) == 0 {
		return nil
	}
	var axes []plot.Coordinate
	lines, marked := make([][]float64, len(s.Trials)), make([]bool, len(s.Trials))
	for _, name := range s.Settings {
		c := plot.Coordinate{Name: lastWord(name)}
		values, ok := s.numbers(name)
		if ok {
			c.Low, c.High = ends(values)
			c.Log = far(values)
		} else {
			values = values[:0]
			for _, t := range s.Trials {
				if text, set := t.Values[name]; set && !slices.Contains(c.Words, text) {
					c.Words = append(c.Words, text)
				}
			}
			slices.Sort(c.Words)
			for _, t := range s.Trials {
				v := math.NaN()
				if text, set := t.Values[name]; set {
					v = float64(slices.Index(c.Words, text))
				}
				values = append(values, v)
			}
		}
		axes = append(axes, c)
		for i, v := range values {
			lines[i] = append(lines[i], v)
		}
	}
	objective := plot.Coordinate{Name: "objective", Low: math.Inf(1), High: math.Inf(-1)}
	for i, t := range s.Trials {
		objective.Low, objective.High = min(objective.Low, t.Objective), max(objective.High, t.Objective)
		lines[i], marked[i] = append(lines[i], t.Objective), t.Chosen
	}
	return plot.Parallel("search-"+s.Data+"-"+s.Label, "Trials of "+s.Label+" on "+s.Data, width, append(axes, objective),
		lines, marked)
}

// against is the objective against a setting of numbers, all trials in grey and the chosen one in colour, on a
// logarithmic axis where settings range far, with a line at the objective of the file's own settings; nil for words.
func (s *Search) against(setting string, width float64) *plot.Figure {
	values, ok := s.numbers(setting)
	if !ok {
		return nil
	}
	clouds := []plot.Cloud{{Name: "trials"}, {Name: "chosen"}}
	own := math.NaN()
	for i, t := range s.Trials {
		v := values[i]
		if len(t.Values) == 0 {
			own = t.Objective
		}
		if math.IsNaN(v) {
			continue
		}
		c := &clouds[0]
		if t.Chosen {
			c = &clouds[1]
		}
		c.X, c.Y = append(c.X, v), append(c.Y, t.Objective)
	}
	name := s.Data + "-" + s.Label + "-" + setting
	return plot.Scatter("search-"+name, "Objective of trials against "+setting+", "+s.Label+" on "+s.Data, width,
		height(width), plot.Axis{Label: lastWord(setting), Log: far(values)}, plot.Axis{Label: "objective"}, false,
		clouds, plot.Level{Name: "the file's settings", Value: own})
}
