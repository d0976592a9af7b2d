package export

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits of MLflow's log-batch, and of what it keeps.
const (
	maxItems   = 1000 // of a batch, metrics among them
	maxPairs   = 100  // parameters of a batch, and tags
	maxBody    = 900_000
	maxParam   = 6000 // characters of a value
	maxTag     = 5000
	maxDigest  = 36
	maxProfile = 60_000
)

// batch is the body of one log-batch.
type batch struct {
	Run     string   `json:"run_id"`
	Metrics []metric `json:"metrics,omitempty"`
	Params  []pair   `json:"params,omitempty"`
	Tags    []pair   `json:"tags,omitempty"`
}

type metric struct {
	Key   string  `json:"key"`
	Value float64 `json:"value"`
	Time  int64   `json:"timestamp"` // milliseconds
	Step  int64   `json:"step"`
}

// missing is what of a run the server does not have. Parameters that are there are never sent again: they may not
// change. Of a metric, steps up to the last one that is there were sent, since they are sent in order.
func missing(t *Tracked, have *remoteRun) batch {
	params, tags, steps := map[string]bool{}, map[string]string{}, map[string]int64{}
	for _, p := range have.Data.Params {
		params[p.Key] = true
	}
	for _, p := range have.Data.Tags {
		tags[p.Key] = p.Value
	}
	if whole := tags[digestTag]; whole == "" || strings.HasPrefix(whole, t.Digest+" ") {
		for _, m := range have.Data.Metrics {
			steps[m.Key] = int64(m.Step)
		}
	} // else other results of a run that was resumed since: all again
	var out batch
	for _, p := range t.Params {
		key := shortened(p.Key, maxKey)
		if !params[key] {
			out.Params = append(out.Params, pair{key, cut(p.Value, maxParam)})
		}
	}
	for _, p := range t.Tags {
		if v := cut(p.Value, maxTag); v != "" && tags[p.Key] != v {
			out.Tags = append(out.Tags, pair{p.Key, v})
		}
	}
	for _, m := range t.Points {
		if last, ok := steps[m.Key]; !ok || m.Step > last {
			out.Metrics = append(out.Metrics, metric{m.Key, m.Value, m.Time.UnixMilli(), m.Step})
		}
	}
	return out
}

// cut is a text of at most n bytes, which says so where some is left out.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	const mark = "…"
	n -= len(mark)
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + mark
}

// batches splits what is to be sent into batches that the server takes.
func batches(all batch) (out []batch) {
	var now batch
	items, size := 0, 200
	flush := func() {
		if items > 0 {
			out = append(out, now)
		}
		now, items, size = batch{}, 0, 200
	}
	room := func(v any, full bool) {
		raw, err := json.Marshal(v)
		if err != nil {
			panic(fmt.Sprintf("export: %v", err)) // texts and finite numbers always can be
		}
		if full || items == maxItems || size+len(raw)+1 > maxBody {
			flush()
		}
		items++
		size += len(raw) + 1
	}
	for _, p := range all.Params {
		room(p, len(now.Params) == maxPairs)
		now.Params = append(now.Params, p)
	}
	for _, p := range all.Tags {
		room(p, len(now.Tags) == maxPairs)
		now.Tags = append(now.Tags, p)
	}
	for _, m := range all.Metrics {
		room(m, false)
		now.Metrics = append(now.Metrics, m)
	}
	flush()
	return out
}

// datasetOf is the digest, the source and the profile of a cell's data set, as MLflow keeps them.
func datasetOf(t *Tracked) (digest, source, profile string) {
	type file struct {
		Name   string `json:"name"`
		SHA256 string `json:"sha256"`
	}
	var files []file
	for _, f := range t.Set.Files {
		files = append(files, file{f.Name, f.SHA256})
	}
	uri := t.Set.Name
	if len(files) > 0 {
		uri = files[0].Name
	}
	raw, _ := json.Marshal(map[string]any{"uri": uri, "files": files}) // texts always can be
	for _, p := range t.Params {
		if p.Key == "train_sha256" {
			digest = p.Value[:min(len(p.Value), maxDigest)]
		}
	}
	if digest == "" {
		digest = "unknown"
	}
	about, _ := json.Marshal(map[string]int{"num_rows": t.Set.Rows, "num_attacks": t.Set.Attacks, "n_train": t.Set.Train,
		"n_test": t.Set.Test})
	return digest, cut(string(raw), maxProfile), string(about)
}
