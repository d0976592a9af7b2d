package export_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/runs"
	"plumbline/runs/export"
	"plumbline/runs/runstest"
)

// tracker is a tracking server as far as MLflow's documented REST interface goes: it refuses what MLflow refuses.
type tracker struct {
	t  *testing.T
	mu sync.Mutex
	// fail says what becomes of call n, counted from 1: "" nothing, "503", "429", "drop" (done, and the answer lost),
	// "refuse" (not done, and the connection closed).
	fail        func(n int, path string) string
	calls       []string
	writes      int
	experiments map[string]string
	runs        map[string]*trackedRun
	noArtifacts bool
}

type trackedRun struct {
	id, name, status string
	start, end       int64
	params, tags     map[string]string
	metrics          map[string][]string // "step value", in the order in which they came
	inputs           map[string]string
	files            map[string]int64
}

func newTracker(t *testing.T) (*tracker, string) {
	s := &tracker{t: t, fail: func(int, string) string { return "" }, experiments: map[string]string{},
		runs: map[string]*trackedRun{}}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return s, srv.URL
}

type object = map[string]any

func (s *tracker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Error(err)
	}
	path := strings.TrimPrefix(r.URL.Path, "/api/2.0/")
	s.calls = append(s.calls, r.Method+" "+path)
	how := s.fail(len(s.calls), path)
	answer := func(code int, v any) {
		if how == "drop" {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(code)
		json.NewEncoder(w).Encode(v)
	}
	bad := func(format string, args ...any) {
		answer(400, object{"error_code": "INVALID_PARAMETER_VALUE", "message": fmt.Sprintf(format, args...)})
	}
	switch how {
	case "503":
		w.WriteHeader(503)
		fmt.Fprint(w, "<html>busy</html>")
		return
	case "429":
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(429)
		return
	case "refuse":
		panic(http.ErrAbortHandler)
	}
	var in object
	if r.Method == http.MethodPost {
		if len(body) > 1<<20 {
			bad("a request of %d bytes", len(body))
			return
		}
		if err := json.Unmarshal(body, &in); err != nil {
			bad("%v", err)
			return
		}
	}
	str := func(key string) string { v, _ := in[key].(string); return v }
	switch r.Method + " " + path {
	case "GET mlflow/experiments/get-by-name":
		name := r.URL.Query().Get("experiment_name")
		if id, ok := s.experiments[name]; ok {
			answer(200, object{"experiment": object{"experiment_id": id, "name": name, "lifecycle_stage": "active"}})
		} else {
			answer(404, object{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such experiment"})
		}
	case "POST mlflow/experiments/create":
		if _, ok := s.experiments[str("name")]; ok {
			answer(400, object{"error_code": "RESOURCE_ALREADY_EXISTS", "message": "there already"})
			return
		}
		s.writes++
		s.experiments[str("name")] = fmt.Sprint(len(s.experiments) + 1)
		answer(200, object{"experiment_id": s.experiments[str("name")]})
	case "POST mlflow/runs/search":
		m := regexp.MustCompile(`^tags\.(\w+) = '([^']*)'$`).FindStringSubmatch(str("filter"))
		if m == nil {
			bad("filter %q", str("filter"))
			return
		}
		found := []any{}
		for _, id := range slices.Sorted(maps.Keys(s.runs)) {
			if s.runs[id].tags[m[1]] == m[2] {
				found = append(found, s.runs[id].shown(s.noArtifacts))
			}
		}
		answer(200, object{"runs": found})
	case "POST mlflow/runs/create":
		s.writes++
		run := &trackedRun{id: fmt.Sprintf("run%03d", len(s.runs)), name: str("run_name"), status: "RUNNING",
			params: map[string]string{}, tags: map[string]string{}, metrics: map[string][]string{},
			inputs: map[string]string{}, files: map[string]int64{}}
		start, _ := in["start_time"].(float64)
		run.start = int64(start)
		for _, t := range in["tags"].([]any) {
			run.tags[t.(object)["key"].(string)] = t.(object)["value"].(string)
		}
		s.runs[run.id] = run
		answer(200, object{"run": run.shown(s.noArtifacts)})
	case "POST mlflow/runs/log-batch", "POST mlflow/runs/log-inputs", "POST mlflow/runs/update":
		run := s.runs[str("run_id")]
		if run == nil {
			answer(404, object{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such run"})
			return
		}
		if msg := run.take(path, in); msg != "" {
			bad("%s", msg)
			return
		}
		s.writes++
		answer(200, object{})
	case "GET mlflow/artifacts/list":
		run, files := s.runs[r.URL.Query().Get("run_id")], []any{}
		for name, size := range run.files {
			files = append(files, object{"path": name, "is_dir": false, "file_size": fmt.Sprint(size)})
		}
		answer(200, object{"files": files})
	default:
		m := regexp.MustCompile(`^PUT mlflow-artifacts/artifacts/1/(run\d+)/artifacts/(.+)$`).FindStringSubmatch(
			r.Method + " " + path)
		if m == nil || s.runs[m[1]] == nil {
			answer(404, object{"error_code": "ENDPOINT_NOT_FOUND", "message": path})
			return
		}
		s.writes++
		s.runs[m[1]].files[m[2]] = int64(len(body))
		answer(200, object{})
	}
}

// shown is a run as runs/search shows it: of each metric the point with the last step.
func (r *trackedRun) shown(noArtifacts bool) object {
	pairs := func(m map[string]string) (out []any) {
		for k, v := range m {
			out = append(out, object{"key": k, "value": v})
		}
		return out
	}
	var metrics []any
	for k, points := range r.metrics {
		last := 0
		for _, p := range points {
			var step int
			fmt.Sscan(p, &step)
			last = max(last, step)
		}
		// the step as protocol buffers write an int64
		metrics = append(metrics, object{"key": k, "value": 0, "step": fmt.Sprint(last)})
	}
	uri := "mlflow-artifacts:/1/" + r.id + "/artifacts"
	if noArtifacts {
		uri = "s3://bucket/1/" + r.id
	}
	return object{
		"info": object{"run_id": r.id, "artifact_uri": uri, "status": r.status},
		"data": object{"metrics": metrics, "params": pairs(r.params), "tags": pairs(r.tags)},
	}
}

// take applies one of the calls about a run, or says why MLflow would not.
func (r *trackedRun) take(path string, in object) string {
	list := func(key string) (out []object) {
		all, _ := in[key].([]any)
		for _, v := range all {
			out = append(out, v.(object))
		}
		return out
	}
	if path == "mlflow/runs/update" {
		r.status, _ = in["status"].(string)
		end, _ := in["end_time"].(float64)
		if r.end = int64(end); !slices.Contains([]string{"FINISHED", "FAILED", "KILLED"}, r.status) {
			return "status " + r.status
		}
		return ""
	}
	if path == "mlflow/runs/log-inputs" {
		for _, d := range list("datasets") {
			set := d["dataset"].(object)
			if digest := set["digest"].(string); digest == "" || len(digest) > 36 {
				return "digest " + digest
			}
			r.inputs[set["name"].(string)] = set["digest"].(string)
		}
		return ""
	}
	metrics, params, tags := list("metrics"), list("params"), list("tags")
	if len(metrics) > 1000 || len(params) > 100 || len(tags) > 100 || len(metrics)+len(params)+len(tags) > 1000 {
		return fmt.Sprintf("a batch of %d metrics, %d params, %d tags", len(metrics), len(params), len(tags))
	}
	key := regexp.MustCompile(`^[/\w.\- ]{1,250}$`)
	for _, p := range params {
		k, v := p["key"].(string), p["value"].(string)
		if old, ok := r.params[k]; !key.MatchString(k) || len(v) > 6000 || ok && old != v {
			return fmt.Sprintf("param %q: %q after %q", k, v, old)
		}
		r.params[k] = v
	}
	for _, p := range tags {
		k, v := p["key"].(string), p["value"].(string)
		if !key.MatchString(k) || len(v) > 5000 {
			return "tag " + k
		}
		r.tags[k] = v
	}
	for _, m := range metrics {
		k := m["key"].(string)
		if v, ok := m["value"].(float64); !key.MatchString(k) || !ok || m["timestamp"].(float64) < 1e12 {
			return fmt.Sprintf("metric %q: %v", k, v)
		}
		r.metrics[k] = append(r.metrics[k], fmt.Sprint(m["step"], " ", m["value"]))
	}
	return ""
}

// state is everything that a server has, without what it named itself.
func (s *tracker) state() map[string]object {
	out := map[string]object{}
	for _, r := range s.runs {
		tags := maps.Clone(r.tags)
		if p := tags["mlflow.parentRunId"]; p != "" {
			tags["mlflow.parentRunId"] = s.runs[p].name
		}
		if out[r.name] != nil {
			s.t.Errorf("two runs %s", r.name)
		}
		out[r.name] = object{"status": r.status, "start": r.start, "end": r.end, "params": r.params, "tags": tags,
			"metrics": r.metrics, "inputs": r.inputs, "files": r.files}
	}
	return out
}

const pushed = `
name: pushed
data: [{data: synth, options: {hosts: 4, hours: 8, rate: 2}}]
models: [znorm, {model: ae, params: {epochs: 4}}]
seeds: [1, 2]
bootstrap: 0
`

func carryOut(t testing.TB, text string) string {
	t.Helper()
	out, err := runs.Run(context.Background(), runstest.Load(t, text), runs.Options{Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return out.Dir
}

func options(url string) export.PushOptions {
	return export.PushOptions{URL: url, Files: export.SmallFiles, Tries: 6, Pause: time.Millisecond}
}

// TestPush: the run and its cells are there, nested, and a second push writes nothing.
func TestPush(t *testing.T) {
	dir := carryOut(t, pushed)
	s, url := newTracker(t)
	got, err := export.Push(context.Background(), dir, options(url))
	if err != nil {
		t.Fatal(err)
	}
	if got.Sent != 4 || got.Unchanged != 0 || got.Files == 0 || s.experiments["pushed"] == "" {
		t.Errorf("%+v, experiments %v", got, s.experiments)
	}
	parent, cell := s.runs[got.Runs[""]], s.runs[got.Runs["cells/synth/ae/s2"]]
	if parent == nil || cell == nil || len(s.runs) != 4 {
		t.Fatalf("%d runs, %v", len(s.runs), got.Runs)
	}
	if cell.tags["mlflow.parentRunId"] != parent.id || cell.status != "FINISHED" || cell.end < cell.start ||
		cell.params["params.epochs"] != "4" || cell.params["params.optimiser.kind"] != "adam" || cell.params["seed"] != "2" ||
		cell.inputs["synth"] == "" {
		t.Errorf("%+v", cell)
	}
	if loss := cell.metrics["loss"]; len(loss) != 4 || !strings.HasPrefix(loss[3], "4 ") {
		t.Errorf("the loss by epoch is %v", loss)
	}
	if len(cell.metrics["auroc"]) != 1 || len(cell.metrics["class_recall/scan"]) != 1 {
		t.Errorf("metrics %v", slices.Sorted(maps.Keys(cell.metrics)))
	}
	raw, err := os.ReadFile(filepath.Join(dir, "cells/synth/ae/s2/metrics.json"))
	if err != nil || cell.files["metrics.json"] != int64(len(raw)) || cell.files["model.bin"] != 0 {
		t.Errorf("files %v, metrics.json has %d bytes: %v", cell.files, len(raw), err)
	}
	if parent.params["threshold.rule"] == "" || parent.files["experiment.yaml"] == 0 ||
		len(parent.metrics["auroc/synth/ae"]) != 1 {
		t.Errorf("%+v", parent)
	}
	before, writes := s.state(), s.writes
	again, err := export.Push(context.Background(), dir, options(url))
	if err != nil || again.Sent != 0 || again.Unchanged != 4 || s.writes != writes {
		t.Errorf("%+v, %d writes more: %v", again, s.writes-writes, err)
	}
	if d := cmp.Diff(before, s.state()); d != "" {
		t.Errorf("a second push changed the server (-before +after):\n%s", d)
	}
	more := options(url)
	more.Files = export.AllFiles
	if _, err := export.Push(context.Background(), dir, more); err != nil || cell.files["model.bin"] == 0 ||
		len(cell.metrics["loss"]) != 4 {
		t.Errorf("with all files: %v, %v: %v", cell.files, cell.metrics["loss"], err)
	}
}

// TestPushWithFaults: busy servers, lost answers and lost connections leave the server as it would be without them.
func TestPushWithFaults(t *testing.T) {
	dir := carryOut(t, pushed)
	whole, url := newTracker(t)
	if _, err := export.Push(context.Background(), dir, options(url)); err != nil {
		t.Fatal(err)
	}
	kinds := []string{"503", "drop", "refuse", "429", "", "", "", ""}
	for shift := range 5 {
		s, url := newTracker(t)
		r := rand.New(rand.NewPCG(uint64(shift), 1))
		s.fail = func(int, string) string { return kinds[r.IntN(len(kinds))] }
		o := options(url)
		o.Tries = 12 // each fails by a half
		got, err := export.Push(context.Background(), dir, o)
		if err != nil {
			t.Fatalf("shift %d: %v", shift, err)
		}
		if len(s.runs) != 4 || got.Sent != 4 {
			t.Errorf("shift %d: %d runs: %+v", shift, len(s.runs), got)
		}
		want, has := whole.state(), s.state()
		for name, run := range has { // a batch whose answer was lost is sent again: MLflow knows the points
			for key, points := range run["metrics"].(map[string][]string) {
				run["metrics"].(map[string][]string)[key] = slices.Compact(slices.Sorted(slices.Values(points)))
				all := want[name]["metrics"].(map[string][]string)
				all[key] = slices.Sorted(slices.Values(all[key]))
			}
		}
		if d := cmp.Diff(want, has); d != "" {
			t.Errorf("shift %d (-without faults +with):\n%s", shift, d)
		}
	}
}

// TestPushResumes: a push that broke off, wherever it did, goes on, and leaves what an undisturbed one leaves.
func TestPushResumes(t *testing.T) {
	dir := carryOut(t, pushed)
	whole, url := newTracker(t)
	if _, err := export.Push(context.Background(), dir, options(url)); err != nil {
		t.Fatal(err)
	}
	want, calls := whole.state(), len(whole.calls)
	for last := 1; last < calls; last += 3 {
		s, url := newTracker(t)
		s.fail = func(n int, _ string) string {
			if n > last {
				return "503"
			}
			return ""
		}
		o := options(url)
		o.Tries = 2
		_, err := export.Push(context.Background(), dir, o)
		if err == nil || !strings.Contains(err.Error(), "503") || !strings.Contains(err.Error(), "2 tries") {
			t.Fatalf("after %d calls: %v", last, err)
		}
		s.fail = func(int, string) string { return "" }
		if _, err := export.Push(context.Background(), dir, o); err != nil {
			t.Fatalf("after %d calls: %v", last, err)
		}
		if d := cmp.Diff(want, s.state()); d != "" {
			t.Errorf("broken off after %d of %d calls (-undisturbed +resumed):\n%s", last, calls, d)
		}
	}
}

// TestPushLimits: histories longer than a batch are split, in their order, and long texts are cut.
func TestPushLimits(t *testing.T) {
	dir := carryOut(t, `
name: long
data: [{data: synth, options: {hosts: 4, hours: 6, rate: 1}}]
models: [{model: ae, params: {epochs: 1300, hidden: [2], batch: 4096, check_every: 1300}}]
seeds: [1]
bootstrap: 0
`)
	s, url := newTracker(t)
	got, err := export.Push(context.Background(), dir, options(url))
	if err != nil {
		t.Fatal(err)
	}
	loss := s.runs[got.Runs["cells/synth/ae/s1"]].metrics["loss"]
	if len(loss) != 1300 {
		t.Fatalf("%d points of the loss", len(loss))
	}
	for i, p := range loss {
		if !strings.HasPrefix(p, fmt.Sprint(i+1, " ")) {
			t.Fatalf("point %d is %q", i, p)
		}
	}
}

// TestPushRefuses: what no try would mend is an error at once, with what the server said.
func TestPushRefuses(t *testing.T) {
	dir := carryOut(t, `
name: small
data: [{data: synth, options: {hosts: 4, hours: 6, rate: 1}}]
models: [znorm]
seeds: [1]
bootstrap: 0
`)
	denied := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, ok := r.BasicAuth(); !ok || user != "ada" || password != "secret" {
			w.WriteHeader(401)
			fmt.Fprint(w, "You are not authenticated.")
			return
		}
		w.WriteHeader(403)
		fmt.Fprint(w, `{"error_code": "PERMISSION_DENIED", "message": "no"}`)
	}))
	defer denied.Close()
	for url, want := range map[string]string{
		"localhost:5000": "no address", "ftp://host": "no address", denied.URL: "401",
	} {
		_, err := export.Push(context.Background(), dir, options(url))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", url, err)
		}
	}
	o := options(denied.URL)
	o.Credentials = export.Credentials{Username: "ada", Password: "secret"}
	_, err := export.Push(context.Background(), dir, o)
	if err == nil || !strings.Contains(err.Error(), "PERMISSION_DENIED") {
		t.Errorf("%v", err)
	}
	s, url := newTracker(t)
	s.noArtifacts = true
	var notes []string
	o = options(url)
	o.Note = func(text string) { notes = append(notes, text) }
	got, err := export.Push(context.Background(), dir, o)
	if err != nil || got.Files != 0 || !strings.HasPrefix(got.Elsewhere, "s3://") || len(notes) != 1 {
		t.Errorf("%+v, %q: %v", got, notes, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.fail = func(int, string) string { cancel(); return "503" }
	o.Pause = time.Hour
	if _, err := export.Push(ctx, dir, o); err == nil || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("cancelled: %v", err)
	}
}
