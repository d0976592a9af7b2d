package prep

import (
	"fmt"
	"maps"
	"slices"

	"plumbline/configs/settings"
)

// Common is what every step has.
type Common struct {
	// which step
	Step string `yaml:"step"`
	// source columns that the step works on; none: all that it applies to
	Columns []string `yaml:"columns"`
	// training rows that the step learns from: the benign ones, or all of them
	Fit string `yaml:"fit" jsonschema:"enum=benign,enum=train"`
}

func (c *Common) common() *Common { return c }

// step is one transform. fit changes the columns in progress.
type step interface {
	common() *Common
	fit(f *fitting) error
}

// StepInfo describes a step for help pages and the schema.
type StepInfo struct {
	Name, Doc string
	Defaults  any
}

var steps = map[string]StepInfo{}
var fresh = map[string]func() step{}

func register(name, doc string, f func() step) {
	steps[name] = StepInfo{name, doc, f()}
	fresh[name] = f
}

// Steps lists the steps by name.
func Steps() []StepInfo {
	var out []StepInfo
	for _, n := range slices.Sorted(maps.Keys(steps)) {
		out = append(out, steps[n])
	}
	return out
}

// Spec is the steps of a pipeline, in order. In YAML each is a name, or a map with the name under "step".
type Spec struct {
	steps []step
	Doc   settings.Node // as it was written
}

// UnmarshalSettings reads the list of steps.
func (s *Spec) UnmarshalSettings(d settings.Node) (ps settings.Problems) {
	s.steps, s.Doc = nil, d
	items := d.Items()
	if _, scalar := d.Scalar(); d.IsMap() || scalar && len(items) == 0 {
		return settings.Problems{d.Problem("want a list of steps")}
	}
	for _, item := range items {
		name := item
		if item.IsMap() {
			at, ok := item.Get("step")
			if !ok {
				ps = append(ps, item.Problem("want the name of the step under \"step\""))
				continue
			}
			name = at
		}
		called, scalar := name.Scalar()
		make, ok := fresh[called]
		if !ok || !scalar {
			known := slices.Collect(maps.Keys(fresh))
			ps = append(ps, name.Problem("unknown step %q%s", called, settings.DidYouMean(called, known)))
			continue
		}
		st := make()
		if item.IsMap() {
			ps = append(ps, item.Decode(st)...)
			if c, ok := st.(interface {
				check(settings.Node) settings.Problems
			}); ok {
				ps = append(ps, c.check(item)...)
			}
		}
		if k := len(s.steps); k > 0 && s.steps[k-1].common().Step == projectStep {
			ps = append(ps, item.Problem("project puts components in the place of columns: it has to be the last step"))
		}
		if st.common().Step == projectStep && s.Native() {
			ps = append(ps, item.Problem("project takes no missing values or categories, which a step before it leaves "+
				"(native)"))
		}
		s.steps = append(s.steps, st)
	}
	return ps
}

// Decode reads a list of steps; the error is a settings.Problems.
func Decode(d settings.Node) (Spec, error) {
	var s Spec
	if !d.Given() {
		return s, nil
	}
	if ps := s.UnmarshalSettings(d); len(ps) > 0 {
		return Spec{}, ps
	}
	return s, nil
}

// Names is the steps' names in order.
func (s Spec) Names() []string {
	var out []string
	for _, st := range s.steps {
		out = append(out, st.common().Step)
	}
	return out
}

func unknownColumn(step, name string, valid []string) error {
	return fmt.Errorf("step %s: no column %q%s", step, name, settings.DidYouMean(name, valid))
}
