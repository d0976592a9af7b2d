package source

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"plumbline/data/value"
)

// outcome is what a label means.
type outcome struct {
	attack, drop bool
	class        string
}

// labeler turns label texts into truth.
type labeler struct {
	rule    Label
	known   map[string]bool // benign and attack lists, by the form in which labels are compared
	rename  map[string]string
	noClass map[string]bool
}

func newLabeler(rule Label) *labeler {
	j := &labeler{rule: rule, known: map[string]bool{}, rename: map[string]string{}, noClass: map[string]bool{}}
	for _, b := range rule.Benign {
		j.known[SameLabel(b)] = false
	}
	for _, a := range rule.Attack {
		j.known[SameLabel(a)] = true
	}
	for from, to := range rule.Rename {
		j.rename[SameLabel(from)] = to
	}
	for _, n := range rule.NoClass {
		j.noClass[SameLabel(n)] = true
	}
	return j
}

// sameLabel is the form in which labels are compared: blanks around them, upper and lower case, and how a number is
// written (0, 0.0, 0e0) make no difference.
func SameLabel(text string) string {
	text = strings.ToLower(strings.TrimSpace(text))
	if v, err := value.Number([]byte(text)); err == nil && value.Finite(v) {
		return strconv.FormatFloat(v+0, 'g', -1, 64)
	}
	return text
}

// check says what contradicts itself in a label rule.
func (l Label) check() error {
	for _, a := range l.Attack {
		for _, b := range l.Benign {
			if SameLabel(a) == SameLabel(b) {
				return fmt.Errorf("%q is both benign and an attack", a)
			}
		}
	}
	for i, r := range l.Rules {
		switch {
		case r.Equals == nil && r.Contains == "":
			return fmt.Errorf("rules: rule %d needs equals or contains: it fits every label", i+1)
		case r.Is == "":
			return fmt.Errorf("rules: rule %d does not say what such rows are: is: benign, attack or drop", i+1)
		}
	}
	for _, f := range l.Files {
		if _, err := path.Match(f.File, ""); err != nil || f.File == "" {
			return fmt.Errorf("files: %q is not a file name or pattern", f.File)
		}
		if f.Is == "" {
			return fmt.Errorf("files: %q does not say what its rows are: is: benign or attack", f.File)
		}
	}
	judged := l.Column != "" || l.Join != nil && l.Join.Label != ""
	switch {
	case l.Join != nil && (l.Column != "" || l.Class != "" || len(l.Files) > 0):
		return errors.New("join says which rows are attacks, and so do column, class and files: give one")
	case !judged && (l.Class != "" || len(l.Benign)+len(l.Attack)+len(l.Rules) > 0):
		return errors.New("benign, attack, rules and class need a column")
	}
	return nil
}

// None says whether nothing tells benign rows from attacks.
func (l Label) None() bool { return l.Column == "" && len(l.Files) == 0 && l.Join == nil }

func (j *labeler) clean(label string) string {
	return strings.TrimSpace(strings.Trim(strings.TrimSpace(label), j.rule.Trim))
}

// file is the outcome on all rows of a file, if the config has one. Patterns fit the file as the config
// names it, or its last part.
func (j *labeler) file(name string) (outcome, bool) {
	last := filepath.Base(name)
	for _, f := range j.rule.Files {
		whole, _ := path.Match(f.File, name)
		if part, _ := path.Match(f.File, last); whole || part {
			class := f.Class
			if class == "" {
				class = f.Is
			}
			return outcome{attack: f.Is == "attack", class: class}, true
		}
	}
	return outcome{}, false
}

// label is the outcome on a cleaned label; "" is a missing one, which is no label unless a rule takes it for one.
func (j *labeler) label(label string) (outcome, error) {
	for _, r := range j.rule.Rules {
		if r.Equals != nil && SameLabel(*r.Equals) != SameLabel(label) ||
			r.Contains != "" && !strings.Contains(strings.ToLower(label), strings.ToLower(r.Contains)) {
			continue
		}
		return outcome{attack: r.Is == "attack", drop: r.Is == "drop", class: r.Class}, nil
	}
	if label == "" {
		return outcome{}, errNoLabel
	}
	if v, ok := j.known[SameLabel(label)]; ok {
		return outcome{attack: v}, nil
	}
	if len(j.rule.Attack) > 0 || len(j.rule.Benign) == 0 {
		return outcome{}, fmt.Errorf("label %q is in neither list of the config, and no rule fits it", label)
	}
	return outcome{attack: true}, nil
}

var errNoLabel = errors.New("the label is missing")
