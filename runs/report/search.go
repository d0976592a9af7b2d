package report

import (
	_ "embed"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"plumbline/data/value"
	"plumbline/runs/figures"
	"plumbline/runs/page"
)

//go:embed search.html
var searchText string

var searchPage = page.New(searchText, styleText, "")

// searchView is what the page shows of one search.
type searchView struct {
	Data, Label, Says string
	Settings          []string
	First             *drawn
	Rest              []*drawn
	Rows              []trialView
}

type trialView struct {
	Number    string
	Chosen    bool
	Objective float64
	Short     string
	Cells     []string // of the settings
}

// WriteSearch writes the report of a search's directory; false where it is not one.
func WriteSearch(w io.Writer, dir string) (bool, error) {
	all, err := figures.Searches(dir)
	if err != nil || all == nil {
		return false, err
	}
	tables := map[string]page.Table{}
	var views []searchView
	for _, s := range all {
		v := searchView{Data: s.Data, Label: s.Label, Says: found(s), Settings: s.Settings}
		if f := s.Parallel(2 * half); f != nil {
			v.First, tables[f.Name] = &drawn{f}, page.TableOf(f.Table)
		}
		for _, f := range s.Against(half) {
			tables[f.Name] = page.TableOf(f.Table)
			v.Rest = append(v.Rest, &drawn{f})
		}
		for _, t := range s.Trials {
			row := trialView{t.Number, t.Chosen, t.Objective, short(t.Objective), nil}
			for _, name := range s.Settings {
				row.Cells = append(row.Cells, t.Values[name])
			}
			v.Rows = append(v.Rows, row)
		}
		views = append(views, v)
	}
	name := filepath.Base(filepath.Clean(dir))
	return true, searchPage.Write(w, page.Head{Title: name + ": search"}, map[string]any{"Name": name, "Searches": views},
		map[string]any{"figures": tables})
}

// found is what a search came to, in a sentence.
func found(s *figures.Search) string {
	chosen, file := -1, -1
	for i, t := range s.Trials {
		if t.Chosen {
			chosen = i
		}
		if len(t.Values) == 0 {
			file = i
		}
	}
	failed := ""
	if s.Failed > 0 {
		failed = fmt.Sprintf(" %s without an objective.", value.Count(s.Failed, "trial"))
	}
	if chosen < 0 {
		return "nothing is chosen yet." + failed
	}
	best := s.Trials[chosen]
	if chosen == file {
		return fmt.Sprintf("the file's own settings are the best of %s with the objective %s.%s",
			value.Count(len(s.Trials), "trial"), short(best.Objective), failed)
	}
	var set []string
	for _, name := range s.Settings {
		if v, ok := best.Values[name]; ok {
			set = append(set, name+" = "+v)
		}
	}
	out := fmt.Sprintf("the best of %s has the objective %s", value.Count(len(s.Trials), "trial"), short(best.Objective))
	if file >= 0 {
		out += fmt.Sprintf(", where the file's own settings have %s", short(s.Trials[file].Objective))
	}
	return out + ": " + strings.Join(set, ", ") + "." + failed
}
