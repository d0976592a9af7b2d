package source

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"plumbline/data"
)

// outcome is what a label means.
type outcome struct {
	attack, drop bool
	class        string
}

// labeler turns label texts into truth.
type labeler struct {
	rule  Label
	known map[string]bool // benign and attack lists
}

func newLabeler(rule Label) *labeler {
	j := &labeler{rule: rule, known: map[string]bool{}}
	for _, b := range rule.Benign {
		j.known[b] = false
	}
	for _, a := range rule.Attack {
		j.known[a] = true
	}
	return j
}

// check says what contradicts itself in a label rule.
func (l Label) check() error {
	for _, a := range l.Attack {
		if slices.Contains(l.Benign, a) {
			return fmt.Errorf("%q is both benign and an attack", a)
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

// label is the outcome on a cleaned label; "" is a missing one.
func (j *labeler) label(label string) (outcome, error) {
	for _, r := range j.rule.Rules {
		if r.Equals != nil && !strings.EqualFold(*r.Equals, label) ||
			r.Contains != "" && !strings.Contains(strings.ToLower(label), strings.ToLower(r.Contains)) {
			continue
		}
		return outcome{attack: r.Is == "attack", drop: r.Is == "drop", class: r.Class}, nil
	}
	if label == "" {
		return outcome{}, fmt.Errorf("the label is missing")
	}
	if v, ok := j.known[label]; ok {
		return outcome{attack: v}, nil
	}
	if len(j.rule.Attack) > 0 || len(j.rule.Benign) == 0 {
		return outcome{}, fmt.Errorf("label %q is in neither list of the config, and no rule fits it", label)
	}
	return outcome{attack: true}, nil
}

// truth turns the label and class columns into Attack, Class and Classes, and takes out the rows that the
// config's rules drop.
func (b *builder) truth(t *data.Table, labels, classes *gathered) error {
	rule := b.config.Label
	j := newLabeler(rule)
	for _, o := range t.Origins {
		if _, all := j.file(o.Name); labels == nil && !all {
			return fmt.Errorf(
				"data: %s: %s: there is no label column, and no pattern of label.files fits the file",
				t.Name,
				o.Name,
			)
		}
	}
	if labels == nil {
		labels = &gathered{}
	}
	code := labels.code.join(b.rows)
	classCode := code
	if classes != nil {
		classCode = classes.code.join(b.rows)
	}
	outcomes := make([]*outcome, len(labels.names)+1) // the last for missing labels
	ids := map[string]uint32{}
	t.Attack, t.Class = make([]bool, b.rows), make([]uint32, b.rows)
	var keep []bool
	dropped := map[string]int{}
	for _, o := range t.Origins {
		whole, all := j.file(o.Name)
		for i := o.FirstRow; i < o.FirstRow+o.Rows; i++ {
			v, name := whole, whole.class
			if !all {
				at, text := int(code[i]), ""
				if code[i] == data.Missing {
					at = len(labels.names)
				} else {
					text = j.clean(labels.names[at])
				}
				if outcomes[at] == nil {
					w, err := j.label(text)
					if err != nil {
						return fmt.Errorf("data: %s: %s: %w", t.Name, t.Where(int32(i)), err)
					}
					outcomes[at] = &w
				}
				v, name = *outcomes[at], text
				if v.class != "" {
					name = v.class
				} else if k := classCode[i]; classes != nil && k != data.Missing {
					if c := j.clean(classes.names[k]); c != "" && !slices.Contains(rule.NoClass, c) {
						name = c
					}
				}
			}
			if v.drop {
				if keep == nil {
					keep = make([]bool, b.rows)
					for k := range i {
						keep[k] = true
					}
				}
				dropped[name]++
				continue
			}
			if keep != nil {
				keep[i] = true
			}
			if to, ok := rule.Rename[name]; ok {
				name = to
			}
			id, ok := ids[name]
			if !ok {
				id = uint32(len(t.Classes))
				ids[name] = id
				t.Classes = append(t.Classes, name)
			}
			t.Attack[i], t.Class[i] = v.attack, id
		}
	}
	if keep != nil {
		n := 0
		for _, c := range dropped {
			n += c
		}
		b.notes = append(b.notes, fmt.Sprintf("%d of %d rows are left out by the label rules", n, b.rows))
		t.Keep(keep)
		if t.Rows == 0 {
			return fmt.Errorf("data: %s: the label rules leave no rows", t.Name)
		}
	}
	return nil
}
