package export

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"plumbline/configs/settings"
	"plumbline/runs/record"
)

// DVC writes a run directory as DVC reads one, in DVCLive's layout: for each cell params.yaml, metrics.json and
// plots/metrics with a file for each series, and a dvc.yaml that lists them. Files that are there already are written
// anew.
func DVC(dir, to string) error {
	_, cells, err := Track(dir, NoFiles)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrArguments, err)
	}
	var index struct {
		Params  []string `yaml:"params"`
		Metrics []string `yaml:"metrics"`
		Plots   []any    `yaml:"plots,omitempty"`
	}
	for _, t := range cells {
		at := filepath.Join(to, filepath.FromSlash(t.Name))
		params := map[string]any{}
		for _, p := range t.Params {
			nest(params, strings.Split(p.Key, "."), typed(p.Value))
		}
		if err := putYAML(filepath.Join(at, "params.yaml"), params); err != nil {
			return err
		}
		metrics, series := map[string]any{}, map[string]*bytes.Buffer{}
		var order []string
		for _, p := range t.Points {
			nest(metrics, strings.Split(p.Key, "/"), p.Value) // of a series the last point stays
			if p.Step == 0 {
				continue
			}
			if series[p.Key] == nil {
				series[p.Key] = bytes.NewBufferString("step\t" + path.Base(p.Key) + "\n")
				order = append(order, p.Key)
			}
			fmt.Fprintf(series[p.Key], "%d\t%s\n", p.Step, strconv.FormatFloat(p.Value, 'g', -1, 64))
		}
		metrics["status"] = map[bool]int{true: 1}[t.Status == record.OK]
		raw, err := json.MarshalIndent(metrics, "", "  ")
		if err != nil {
			return err
		}
		if err := put(filepath.Join(at, "metrics.json"), append(raw, '\n')); err != nil {
			return err
		}
		for _, key := range order {
			if err := put(filepath.Join(at, "plots", "metrics", key+".tsv"), series[key].Bytes()); err != nil {
				return err
			}
		}
		index.Params = append(index.Params, path.Join(t.Name, "params.yaml"))
		index.Metrics = append(index.Metrics, path.Join(t.Name, "metrics.json"))
		if len(order) > 0 {
			index.Plots = append(index.Plots, path.Join(t.Name, "plots/metrics"))
		}
	}
	slices.Sort(index.Params)
	slices.Sort(index.Metrics)
	return putYAML(filepath.Join(to, "dvc.yaml"), index)
}

// nest puts a value at a path of maps. Where something stands in the way the rest of the path is one key beside it.
func nest(into map[string]any, keys []string, v any) {
	for len(keys) > 1 {
		next, there := into[keys[0]]
		if !there {
			next = map[string]any{}
			into[keys[0]] = next
		}
		m, ok := next.(map[string]any)
		if !ok {
			break
		}
		into, keys = m, keys[1:]
	}
	key := strings.Join(keys, ".")
	if _, isMap := into[key].(map[string]any); isMap {
		key += "."
	}
	into[key] = v
}

// typed is the YAML value of a text: a number, a truth value, or the text.
func typed(s string) any {
	doc, err := settings.Parse("", []byte(s))
	if err != nil {
		return s
	}
	v, err := doc.Value()
	switch v.(type) {
	case int, uint64, float64, bool:
		if err == nil {
			return v
		}
	}
	return s
}
