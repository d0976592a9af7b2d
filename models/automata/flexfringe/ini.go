package flexfringe

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"plumbline/configs/settings"
	"plumbline/models/automata/machine"
)

// Imported is what an ini file of FlexFringe says, in this package's settings.
type Imported struct {
	Spec           machine.LearnSpec
	Missing        machine.OnMissingEdge // what its predictions do where a state has no edge
	Window, Stride int                   // of the sliding window, 0 and 0 where traces stay whole
	Notes          []Note                // in order of lines
}

// Note is a key of an ini file that is without effect here, and why.
type Note struct {
	Key, Value string
	Line       int // 0: the file lacks the key, and FlexFringe's default has no counterpart here
	Text       string
}

// heuristicNames are FlexFringe's names of the heuristics.
var heuristicNames = map[string]string{
	"alergia": "alergia", "likelihoodratio": "likelihood", "aic": "aic", "kldistance": "kl", "evidence_driven": "edsm",
}

// iniFixed are keys that have one value here, with what another one would mean.
var iniFixed = map[string][2]string{
	"largestblue":  {"1", "here the largest blue state is always the one that is tried"},
	"blueblue":     {"0", "blue states are not merged with blue ones here"},
	"extend":       {"0", "here a state becomes red only when it is its turn and no merge is left for it"},
	"shallowfirst": {"0", "here the largest blue state goes first"},
	"redfixed":     {"0", "merges may add edges to red states here"},
	"allfixed":     {"0", "merges may add edges here"},
	"ktail":        {"-1", "merges are tested to full depth here"},
	"origktail":    {"-1", "merges are tested to full depth here"},
	"kstate":       {"-1", "merges are tested to full depth here"},
	"mergelocal":   {"-1", "merges are not bound to a distance here"},
	"mcollector":   {"-1", "it goes with mergelocal, which is not there"},
	"markovian":    {"0", "states may be entered over different symbols here"},
	"mergesinks": {"0",
		"in the compatible modes sinks are never merged here (with compat clean, mergesinks joins them to the " +
			"likeliest state)"},
	"mergesinkscore":      {"0", "sinks are never merged here"},
	"satmergesinks":       {"0", "there is no SAT solver here"},
	"searchsinks":         {"0", "there is no search here"},
	"sinkidentical":       {"0", "sinks are never merged here"},
	"convertsinks":        {"0", "sinks stay as they are here"},
	"extendsinks":         {"1", "it goes with mergesinks, which is not there"},
	"typesinks":           {"0", "states of one label are no sinks here"},
	"sinktype":            {"0", "states of one label are no sinks here"},
	"extendscore":         {"0", "colouring a state red scores 0 here"},
	"random":              {"0", "scores are exact here"},
	"runs":                {"1", "learning is deterministic here: one run"},
	"parentsizethreshold": {"-1", "traces are read to their end here"},
	"reversetraces":       {"0", "words are read forwards here"},
	"redbluethreshold":    {"0", "it goes with FlexFringe's stream mode"},
	"typeconsistent":      {"1", "states that end words of different labels are never merged here, but with alergia"},
	"swaddshorter":        {"0", "what is shorter than a window is dropped here"},
	"swaddprefix":         {"0", "prefixes of windows are not added here"},
	"predictalign":        {"0", "words are replayed as they are here"},
}

// iniOutside are keys about files, printing and running, which commands have flags for or which do nothing
// to the machine.
var iniOutside = []string{
	"tracefile", "outputfile", "output", "logpath", "mode", "dataname", "evalpar", "satsolver", "aptafile",
	"aptafile2", "debug", "debugdir", "addtails", "printwhite", "printblue", "printred", "outputsinks", "swtype",
	"predicttype", "predicttypepath", "predictsymbol", "predicttrace", "predictminimum", "predictdata",
	"searchdeep", "searchlocal", "searchglobal", "searchpartial", "satextra", "satplus", "satfinalred",
	"satsymmetry", "satforcing", "batchsize",
}

// iniUnknown are keys that go round in ini files and that FlexFringe passes over without a word.
var iniUnknown = []string{"extrapar", "symbdist", "satdfabound", "finalred", "storemerges", "predictfrequencyanomaly"}

type iniValue struct {
	text      string
	line, col int
}

// ImportINI reads an ini file of FlexFringe: lines "key = value", comments after # or ;, in the section
// [default] or none. Keys are told apart without regard to case, hyphens and underscores. What the file does
// not say has FlexFringe's default, not this package's. compat says which FlexFringe it was written for; with
// heuristic kldistance it is clean all the same. Of a key that stands twice the first value counts, as it does
// there. Errors name file:line:column.
func ImportINI(r io.Reader, file string, compat machine.Compat) (*Imported, error) {
	in := &Imported{
		Spec: machine.LearnSpec{
			Heuristic: "alergia", Compat: compat, Confidence: 0.05, StateCount: 25, SymbolCount: 10, Correction: 1,
			SinkCount: 10, TestMerge: true, MergeData: true, MergeRoot: true,
		},
		Missing: machine.Stop,
	}
	keys, err := in.read(r, file)
	if err != nil {
		return nil, err
	}
	if err := in.take(keys, file); err != nil {
		return nil, err
	}
	if err := in.check(keys, file); err != nil {
		return nil, err
	}
	slices.SortStableFunc(in.Notes, func(a, b Note) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return strings.Compare(a.Key, b.Key)
	})
	return in, nil
}

// plainKey is a key without case, hyphens and underscores.
func plainKey(key string) string {
	return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(key))
}

// read collects the first value of each key.
func (in *Imported) read(r io.Reader, file string) (map[string]iniValue, error) {
	keys := map[string]iniValue{}
	sc := bufio.NewScanner(r)
	section := "default"
	n := 0
	for sc.Scan() {
		n++
		raw := sc.Text()
		if n == 1 {
			raw = strings.TrimPrefix(raw, "\ufeff")
		}
		line := strings.TrimSpace(raw)
		col := len(raw) - len(strings.TrimLeft(raw, " \t")) + 1
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
			continue
		case line[0] == '[':
			name, ok := strings.CutSuffix(line[1:], "]")
			if !ok {
				return nil, fmt.Errorf("automata: %s:%d:%d: section %q has no closing bracket", file, n, col, line)
			}
			section = strings.ToLower(strings.TrimSpace(name))
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		if !ok || name == "" {
			return nil, fmt.Errorf("automata: %s:%d:%d: %q: want key = value", file, n, col, line)
		}
		at := strings.IndexByte(raw, '=') + 1
		at += len(raw[at:]) - len(strings.TrimLeft(raw[at:], " \t"))
		value = strings.Trim(strings.TrimSpace(value), `"'`)
		switch _, twice := keys[plainKey(name)]; {
		case section != "default":
			in.Notes = append(in.Notes, Note{name, value, n, "only the section [default] is read"})
		case twice:
			in.Notes = append(in.Notes, Note{name, value, n, "the key stands twice, and the first value counts"})
		default:
			keys[plainKey(name)] = iniValue{value, n, at + 1}
			in.Notes = append(in.Notes, Note{Key: name, Value: value, Line: n}) // take fills in the text or removes it
		}
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("automata: %s:%d: %w", file, n+1, err)
	}
	return keys, nil
}

// iniReader takes values and remembers the first that cannot be read.
type iniReader struct {
	keys map[string]iniValue
	used map[string]bool
	file string
	err  error
}

func (t *iniReader) get(key string) (iniValue, bool) {
	v, ok := t.keys[key]
	t.used[key] = ok
	return v, ok
}

func (t *iniReader) fail(key string, v iniValue, want string) {
	if t.err == nil {
		t.err = fmt.Errorf("automata: %s:%d:%d: %s: %q is not %s", t.file, v.line, v.col, key, v.text, want)
	}
}

func (t *iniReader) flag(key string, into *bool) {
	v, ok := t.get(key)
	if !ok {
		return
	}
	switch strings.ToLower(v.text) {
	case "1", "true", "on", "yes":
		*into = true
	case "0", "false", "off", "no":
		*into = false
	default:
		t.fail(key, v, "0 or 1")
	}
}

func (t *iniReader) whole(key string, into *int) {
	if v, ok := t.get(key); ok {
		n, err := strconv.ParseInt(v.text, 10, 32)
		if err != nil {
			t.fail(key, v, "a whole number")
		}
		*into = int(n)
	}
}

func (t *iniReader) number(key string, into *float64) {
	if v, ok := t.get(key); ok {
		x, err := strconv.ParseFloat(v.text, 64)
		if err != nil {
			t.fail(key, v, "a number")
		}
		*into = x
	}
}

// take turns keys into settings and leaves notes on the rest.
func (in *Imported) take(keys map[string]iniValue, file string) error {
	t := &iniReader{keys: keys, used: map[string]bool{}, file: file}
	s := &in.Spec
	if v, ok := t.get("heuristicname"); ok {
		if s.Heuristic = heuristicNames[v.text]; s.Heuristic == "" {
			names := slices.Sorted(maps.Keys(heuristicNames))
			return fmt.Errorf("automata: %s:%d:%d: heuristic %q has no counterpart here%s", file, v.line, v.col, v.text,
				settings.DidYouMean(v.text, names))
		}
	}
	if s.Heuristic == "kl" {
		s.Compat = machine.Clean
	}
	sinks, bounded, windows := false, false, false
	window, stride, bound, sinkCount := 20, 5, 0.0, s.SinkCount
	t.number("confidencebound", &s.Confidence)
	t.whole("statecount", &s.StateCount)
	t.whole("symbolcount", &s.SymbolCount)
	t.number("correction", &s.Correction)
	t.flag("finalprob", &s.FinalProb)
	t.flag("typedist", &s.TypeDist)
	t.flag("sinkson", &sinks)
	t.whole("sinkcount", &sinkCount)
	t.flag("testmerge", &s.TestMerge)
	t.flag("mergedata", &s.MergeData)
	t.flag("mergeroot", &s.MergeRoot)
	t.flag("lowerbound", &bounded)
	t.number("lowerboundval", &bound)
	t.flag("slidingwindow", &windows)
	t.whole("swsize", &window)
	t.whole("swstride", &stride)
	var reset, remain bool
	t.flag("predictreset", &reset)
	t.flag("predictremain", &remain)
	if t.err != nil {
		return t.err
	}
	why := map[string]string{}
	s.SinkCount = 0
	if sinks {
		s.SinkCount = sinkCount
	} else {
		why["sinkcount"] = "sinkson is 0"
	}
	if bounded {
		s.LowerBound = bound
	} else {
		why["lowerboundval"] = "lowerbound is 0"
	}
	if windows {
		in.Window, in.Stride = window, stride
		if window < 1 || stride < 1 || stride > window {
			v := keys["swstride"]
			if _, ok := keys["swstride"]; !ok {
				v = keys["swsize"]
			}
			return fmt.Errorf("automata: %s:%d:%d: windows of %d rows moved on by %d: want at least 1 and no gaps",
				file, v.line, v.col, window, stride)
		}
	} else {
		why["swsize"], why["swstride"] = "slidingwindow is 0", "slidingwindow is 0"
	}
	switch {
	case reset:
		in.Missing = machine.Reset
		why["predictremain"] = "predictreset is 1"
	case remain:
		in.Missing = machine.Remain
	}
	if s.TypeDist && s.Compat != machine.V23 {
		why["typedist"] = "it goes with compat v23"
	}
	if s.Heuristic == "edsm" {
		why["confidencebound"] = "heuristic edsm has no bound"
	}
	in.explain(t, why)
	return nil
}

// explain fills in the notes and removes those of keys that have their effect.
func (in *Imported) explain(t *iniReader, why map[string]string) {
	known := append(slices.Collect(maps.Keys(iniFixed)), iniOutside...)
	known = append(known, slices.Collect(maps.Keys(t.used))...)
	kept := in.Notes[:0]
	for _, n := range in.Notes {
		key := plainKey(n.Key)
		fixed, isFixed := iniFixed[key]
		switch {
		case n.Text != "":
		case why[key] != "":
			n.Text = why[key]
		case t.used[key]:
			continue
		case isFixed && sameValue(n.Value, fixed[0]):
			n.Text = "always " + fixed[0] + " here"
		case isFixed:
			n.Text = "DIFFERS: " + fixed[1]
		case key == "dataname":
			n.Text = "the heuristic says what is counted"
		case slices.Contains(iniOutside, key):
			n.Text = "about files, printing or running, not the machine"
		case slices.Contains(iniUnknown, key):
			n.Text = "FlexFringe does not know the key either"
		default:
			n.Text = "unknown key" + settings.DidYouMean(key, known)
		}
		kept = append(kept, n)
	}
	in.Notes = kept
	if _, given := t.keys["largestblue"]; !given {
		in.Notes = append(in.Notes, Note{Key: "largestblue", Value: "0", Text: "DIFFERS: " +
			iniFixed["largestblue"][1]})
	}
}

// sameValue compares flags and numbers.
func sameValue(a, b string) bool {
	number := func(s string) string {
		switch strings.ToLower(s) {
		case "true", "on", "yes":
			return "1"
		case "false", "off", "no":
			return "0"
		}
		if x, err := strconv.ParseFloat(s, 64); err == nil {
			return strconv.FormatFloat(x, 'g', -1, 64)
		}
		return s
	}
	return number(a) == number(b)
}

// check compares the settings with their ranges and says where a value came from.
func (in *Imported) check(keys map[string]iniValue, file string) error {
	err := in.Spec.Check()
	var ps settings.Problems
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &ps):
		return fmt.Errorf("automata: %s: %w", file, err)
	}
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = fmt.Sprintf("%s: %s", file, p)
		if v, ok := keys[plainKey(p.Path)]; ok {
			lines[i] = fmt.Sprintf("%s:%d:%d: %s", file, v.line, v.col, p)
		}
	}
	return fmt.Errorf("automata: %s", strings.Join(lines, "\n"))
}

// YAML is the settings as a model's config, as they stand in configs/models. model is pdfa or sequent.
func (in *Imported) YAML(model string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "model: %s\nparams:\n", model)
	for _, f := range settings.Fields(&in.Spec) {
		fmt.Fprintf(&b, "  %s: %s\n", f.Name, f.Default)
	}
	if model == "pdfa" {
		fmt.Fprintf(&b, "  missing: %s\n", in.Missing)
	}
	return b.String()
}
