package figures

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"plumbline/runs/plot"
)

// trials draws the objective of a search against each setting that has numbers for values: all trials that are ok in
// grey, the chosen one in colour. Settings that range over more than a factor of 50 have their logarithm on the axis.
func trials(rows [][]string, width float64) (out []*plot.Figure, err error) {
	at := map[string]int{}
	for k, name := range rows[0] {
		at[name] = k
	}
	for _, name := range []string{"data", "label", "chosen", "status", "values", "value"} {
		if _, ok := at[name]; !ok {
			return nil, fmt.Errorf("figures: trials.csv lacks the column %s", name)
		}
	}
	type search struct{ data, label, setting string }
	var order []search
	values := map[search]*[2]plot.Cloud{}
	for _, r := range rows[1:] {
		objective, err := strconv.ParseFloat(r[at["value"]], 64)
		if err != nil || r[at["status"]] != "ok" {
			continue
		}
		for _, set := range strings.Fields(r[at["values"]]) {
			name, text, _ := strings.Cut(set, "=")
			v, err := strconv.ParseFloat(text, 64)
			if err != nil {
				continue // a choice of words has no axis
			}
			s := search{r[at["data"]], r[at["label"]], name}
			if values[s] == nil {
				order = append(order, s)
				values[s] = &[2]plot.Cloud{{Name: "trials"}, {Name: "chosen"}}
			}
			c := &values[s][0]
			if r[at["chosen"]] == "true" {
				c = &values[s][1]
			}
			c.X, c.Y = append(c.X, v), append(c.Y, objective)
		}
	}
	for _, s := range order {
		clouds := values[s][:]
		label := s.setting[strings.LastIndexByte(s.setting, '.')+1:]
		all := slices.Concat(clouds[0].X, clouds[1].X)
		if low := slices.Min(all); low > 0 && slices.Max(all) > 50*low {
			label = "log10 of " + label
			for i := range clouds {
				for k, v := range clouds[i].X {
					clouds[i].X[k] = math.Log10(v)
				}
			}
		}
		name := s.data + "-" + s.label + "-" + s.setting
		out = append(out, plot.Scatter("search-"+name, "Objective of trials against "+s.setting+", "+s.label+" on "+s.data,
			width, height(width), label, "objective", false, clouds))
	}
	return out, nil
}
