package train

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"plumbline/configs/settings"
	"plumbline/data/export"
	"plumbline/data/source"
	"plumbline/runs/bundle"
	"plumbline/runs/score"
)

// Retrained is a model with what moved since the one before.
type Retrained struct {
	*Trained
	// Before and After are what the old and the new model find in the new files. The drift of Before is of these files
	// beside the old training rows.
	Before, After *score.Summary
}

// Retrain trains the model of a model file anew, with its settings, on other files; of the options Data, As, Held,
// Last, Overrides and the places count. The latest rows are held out whatever the old split was.
func Retrain(ctx context.Context, b *bundle.Bundle, o Options) (*Retrained, error) {
	if b.Experiment == nil {
		return nil, refused(fmt.Errorf("%s does not hold the settings that it was trained with: pack the cell again", b.Path))
	}
	in, err := b.Input(ctx, o.Data, bundle.InputOptions{As: o.As, Labels: true, Library: o.Library, Dirs: o.Dirs})
	labels := err == nil
	if errors.Is(err, bundle.ErrTable) {
		in, err = b.Input(ctx, o.Data, bundle.InputOptions{As: o.As, Library: o.Library, Dirs: o.Dirs})
	}
	if err != nil {
		return nil, err
	}
	if len(in.Notes) > 0 {
		return nil, refused(fmt.Errorf("the columns of %s are called otherwise: %s", o.Data[0], in.Notes[0]))
	}
	text, kind, err := o.again(ctx, b, in, labels)
	if err != nil {
		return nil, refused(err)
	}
	t, err := o.carryOut(ctx, text)
	if err != nil {
		return nil, err
	}
	t.Split = kind
	r := &Retrained{Trained: t}
	nowhere := func(context.Context, []export.Column, int) error { return nil }
	if r.Before, err = score.Run(ctx, b, in, score.Options{Workers: o.Run.Workers}, nowhere); err != nil {
		return nil, err
	}
	again, err := t.Bundle.Input(ctx, o.Data, bundle.InputOptions{As: o.As, Library: o.Library, Dirs: o.Dirs})
	if err != nil {
		return nil, err
	}
	r.After, err = score.Run(ctx, t.Bundle, again, score.Options{Workers: o.Run.Workers}, nowhere)
	return r, err
}

// again is the experiment that the model was trained by, with one model, one data set, and other files.
func (o *Options) again(ctx context.Context, b *bundle.Bundle, in *bundle.Input, labels bool) (text []byte,
	kind string, err error) {
	doc, err := settings.Parse("experiment.yaml of "+b.Path, b.Experiment)
	if err != nil {
		return nil, "", err
	}
	v, err := doc.Value()
	if err != nil {
		return nil, "", err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, "", errors.New("the experiment is no map")
	}
	data, entry := named(m["data"], "name", b.Data), named(m["models"], "label", b.Label)
	if data == nil || entry == nil {
		return nil, "", fmt.Errorf("its experiment has no data %q or no model %q", b.Data, b.Label)
	}
	for _, key := range []string{"vary", "tune", "published", "split", "keep"} {
		delete(m, key)
	}
	base, err := settings.Parse(b.Path, []byte(b.Source))
	if err != nil {
		return nil, "", err
	}
	var change func(map[string]any)
	switch in.Way {
	case "as the training data":
	case "as the training data without its labels":
		change = withoutColumns(b.Config().Label)
	default: // the experiment's own prep, traces and unit for the columns of another config
		name := o.As
		if name == "" {
			name = o.Data[0]
		}
		other, capture, err := o.Library.Capture(o.Data[0], strings.TrimPrefix(in.Way, "as flows of "))
		if !capture && err == nil {
			other, err = o.Library.Data(name)
		}
		if err != nil {
			return nil, "", err
		}
		base, change = other.Doc, func(to map[string]any) {
			for _, key := range []string{"prep", "traces", "unit"} {
				if v, ok := data[key]; ok {
					to[key] = v
				}
			}
			to["name"] = b.Data
		}
	}
	var truth map[string]any
	if len(o.Attacks) > 0 {
		if labels && !in.Config.Label.None() {
			return nil, "", fmt.Errorf("%s has labels, which say what is an attack: verdicts are for files without", o.Data[0])
		}
		if truth, err = judged(b, o.Attacks); err != nil {
			return nil, "", err
		}
	}
	if !labels {
		before := change
		change = func(to map[string]any) {
			if before != nil {
				before(to)
			}
			l := b.Config().Label
			levels := []any{}
			for _, c := range slices.Concat([]string{l.Column, l.Class}, l.Levels, b.Config().Drop) {
				if c != "" && !slices.Contains(levels, any(c)) {
					levels = append(levels, c)
				}
			}
			to["label"] = map[string]any{"levels": levels}
			delete(to, "drop")
		}
	}
	if truth != nil {
		before := change
		change = func(to map[string]any) {
			if before != nil {
				before(to)
			}
			label, _ := to["label"].(map[string]any)
			if label == nil {
				label = map[string]any{}
			}
			maps.Copy(label, truth)
			to["label"] = label
		}
	}
	node, err := withFiles(base, o.Data, change)
	if err != nil {
		return nil, "", err
	}
	config, err := source.DecodeConfig(node)
	if err != nil {
		return nil, "", err
	}
	if m["data"], err = node.Value(); err != nil {
		return nil, "", err
	}
	how, err := split(ctx, config, in.Finder, o.Held, o.Last)
	if err != nil {
		return nil, "", err
	}
	m["data"].(map[string]any)["split"] = how
	m["data"], m["models"] = []any{m["data"]}, []any{entry}
	m["seeds"], m["controls"], m["bootstrap"], m["audit"] = []any{b.Seed}, "off", 0, "off"
	text, err = settings.Marshal(m)
	return text, how["kind"].(string), err
}

// withoutColumns takes the columns of the truth out of a config whose columns are told by their order.
func withoutColumns(l source.Label) func(map[string]any) {
	return func(m map[string]any) {
		options, _ := m["options"].(map[string]any)
		columns, _ := options["columns"].([]any)
		truth := slices.Concat([]string{l.Column, l.Class}, l.Levels)
		if drop, ok := m["drop"].([]any); ok {
			for _, d := range drop {
				truth = append(truth, fmt.Sprint(d))
			}
		}
		if options == nil {
			return
		}
		options["columns"] = slices.DeleteFunc(columns, func(c any) bool {
			of, _ := c.(map[string]any)
			name, _ := of["name"].(string)
			return slices.Contains(truth, name)
		})
	}
}

// named is the map of a list that has a value under a key.
func named(list any, key, value string) map[string]any {
	items, _ := list.([]any)
	for _, item := range items {
		if m, ok := item.(map[string]any); ok && m[key] == value {
			return m
		}
	}
	return nil
}
