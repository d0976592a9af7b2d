package export

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"plumbline/runs/record"
)

// PushOptions say how a run is sent to a tracking server.
type PushOptions struct {
	URL         string // of the server, such as http://localhost:5000
	Experiment  string // name there; "": that of the run's experiment
	Files       Artifacts
	Credentials Credentials
	Tries       int           // of one call, at least 1
	Pause       time.Duration // before the second try; doubled before each further one
	Note        func(string)  // what a person may want to know; nil: nothing
	HTTP        *http.Client  // nil: one that waits a minute for an answer
}

// Pushed is what was sent.
type Pushed struct {
	ExperimentID string
	Runs         map[string]string // MLflow's run of each cell, "" for the run directory
	Sent         int               // runs that were sent, wholly or what was missing of them
	Unchanged    int               // runs that were there already
	Files        int               // artifacts that were uploaded
	Elsewhere    string            // where the server wants artifacts that it does not take itself; "": nowhere
}

// Tags by which a run is found again, and which says that all of it is there.
const (
	idTag     = "plumbline_id"
	digestTag = "plumbline_digest"
)

// ErrArguments is wrapped by errors about what was asked for, which no other try would mend.
var ErrArguments = errors.New("export")

// Push sends a run directory to an MLflow tracking server: a run, and one below it for each cell, with parameters,
// metrics by epoch, tags, the data set and files. What is there already is left as it is, so that a second push changes
// nothing and one that broke off goes on where it ended.
func Push(ctx context.Context, dir string, o PushOptions) (*Pushed, error) {
	root, cells, err := Track(dir, o.Files)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrArguments, err)
	}
	base, err := trackingURL(o.URL)
	if err != nil {
		return nil, err
	}
	p := &pusher{
		mlflow: &mlflow{base: base, http: o.HTTP, auth: o.Credentials.add, tries: max(o.Tries, 1), first: o.Pause,
			note: o.Note},
		out: &Pushed{Runs: map[string]string{}}, user: userName(), keep: o.Files,
	}
	if p.http == nil {
		p.http = &http.Client{Timeout: time.Minute}
	}
	if p.note == nil {
		p.note = func(string) {}
	}
	name := o.Experiment
	if name == "" {
		rec, err := record.Open(dir)
		if err != nil {
			return nil, err
		}
		name = rec.Name
	}
	if p.out.ExperimentID, err = p.experiment(ctx, name); err != nil {
		return nil, fmt.Errorf("export: %s: experiment %q: %w", base, name, err)
	}
	parent := ""
	for _, t := range append([]*Tracked{root}, cells...) {
		id, err := p.push(ctx, t, parent)
		if err != nil {
			return p.out, fmt.Errorf("export: %s: %s: %w", base, t.Name, err)
		}
		if p.out.Runs[t.Cell] = id; t == root {
			parent = id
		}
	}
	return p.out, nil
}

// trackingURL is the server's address without what follows it.
func trackingURL(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", fmt.Errorf("%w: %q is no address of a tracking server, such as http://localhost:5000", ErrArguments, text)
	}
	return strings.TrimRight(text, "/"), nil
}

type pusher struct {
	*mlflow
	out  *Pushed
	user string
	keep Artifacts
}

// experiment is the server's number of an experiment, which is made where there is none.
func (p *pusher) experiment(ctx context.Context, name string) (string, error) {
	type found struct {
		Experiment struct {
			ID    string `json:"experiment_id"`
			Stage string `json:"lifecycle_stage"`
		} `json:"experiment"`
	}
	get := func() (string, error) {
		var f found
		err := p.call(ctx, http.MethodGet, "mlflow/experiments/get-by-name", url.Values{"experiment_name": {name}}, nil, &f,
			nil)
		if err == nil && f.Experiment.Stage == "deleted" {
			err = errors.New("it is deleted on the server: restore it there, or name another")
		}
		return f.Experiment.ID, err
	}
	id, err := get()
	if !isCode(err, "RESOURCE_DOES_NOT_EXIST") {
		return id, err
	}
	var made struct {
		ID string `json:"experiment_id"`
	}
	err = p.call(ctx, http.MethodPost, "mlflow/experiments/create", nil, map[string]any{"name": name}, &made, nil)
	if isCode(err, "RESOURCE_ALREADY_EXISTS") { // an earlier try whose answer was lost, or somebody else
		return get()
	}
	return made.ID, err
}

// remoteRun is a run as the server has it.
type remoteRun struct {
	Info struct {
		ID        string `json:"run_id"`
		Artifacts string `json:"artifact_uri"`
		Status    string `json:"status"`
	} `json:"info"`
	Data struct {
		Metrics []struct {
			Key  string `json:"key"`
			Step number `json:"step"`
		} `json:"metrics"`
		Params []pair `json:"params"`
		Tags   []pair `json:"tags"`
	} `json:"data"`
}

type pair struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// number is an integer that JSON has as one, or as a text, as protocol buffers write those of 64 bits.
type number int64

// UnmarshalJSON takes both forms.
func (n *number) UnmarshalJSON(raw []byte) error {
	var v int64
	err := json.Unmarshal([]byte(strings.Trim(string(raw), `"`)), &v)
	*n = number(v)
	return err
}

func (r *remoteRun) tag(key string) string {
	for _, t := range r.Data.Tags {
		if t.Key == key {
			return t.Value
		}
	}
	return ""
}

// find is the run of an identity; nil where there is none.
func (p *pusher) find(ctx context.Context, id string) (*remoteRun, error) {
	var found struct {
		Runs []remoteRun `json:"runs"`
	}
	err := p.call(ctx, http.MethodPost, "mlflow/runs/search", nil, map[string]any{
		"experiment_ids": []string{p.out.ExperimentID}, "filter": "tags." + idTag + " = '" + id + "'", "max_results": 1,
	}, &found, nil)
	if err != nil || len(found.Runs) == 0 {
		return nil, err
	}
	return &found.Runs[0], nil
}

// create makes a run, once: where an answer is lost, the run that it was about is looked for first.
func (p *pusher) create(ctx context.Context, t *Tracked, parent string) (*remoteRun, error) {
	tags := []pair{{idTag, t.ID}, {"mlflow.runName", t.Name}, {"mlflow.user", p.user}}
	if parent != "" {
		tags = append(tags, pair{"mlflow.parentRunId", parent})
	}
	var made struct {
		Run remoteRun `json:"run"`
	}
	var lost *remoteRun
	err := p.call(ctx, http.MethodPost, "mlflow/runs/create", nil, map[string]any{
		"experiment_id": p.out.ExperimentID, "user_id": p.user, "run_name": t.Name, "start_time": t.Start.UnixMilli(),
		"tags": tags,
	}, &made, func() (bool, error) {
		var err error
		lost, err = p.find(ctx, t.ID)
		return lost != nil, err
	})
	if lost != nil {
		return lost, err
	}
	if err == nil && made.Run.Info.ID == "" {
		err = errors.New("the server made a run and did not say which")
	}
	return &made.Run, err
}

// whole says whether a digest tag is that of a run with at least these files.
func whole(tag, digest string, keep Artifacts) bool {
	kept, ok := strings.CutPrefix(tag, digest+" ")
	order := []Artifacts{NoFiles, SmallFiles, AllFiles}
	return ok && slices.Index(order, Artifacts(kept)) >= slices.Index(order, keep)
}

// push sends one run, or what is missing of it.
func (p *pusher) push(ctx context.Context, t *Tracked, parent string) (string, error) {
	have, err := p.find(ctx, t.ID)
	if err != nil {
		return "", err
	}
	if have != nil && whole(have.tag(digestTag), t.Digest, p.keep) {
		p.out.Unchanged++
		return have.Info.ID, nil
	}
	if have == nil {
		if have, err = p.create(ctx, t, parent); err != nil {
			return "", err
		}
	}
	p.out.Sent++
	id := have.Info.ID
	for _, b := range batches(missing(t, have)) {
		b.Run = id
		if err := p.call(ctx, http.MethodPost, "mlflow/runs/log-batch", nil, b, nil, nil); err != nil {
			return "", err
		}
	}
	if err := p.inputs(ctx, t, id); err != nil {
		return "", err
	}
	if err := p.files(ctx, t, have); err != nil {
		return "", err
	}
	status := map[string]string{record.OK: "FINISHED", record.Interrupted: "KILLED"}[t.Status]
	err = p.call(ctx, http.MethodPost, "mlflow/runs/update", nil, map[string]any{
		"run_id": id, "status": cmp.Or(status, "FAILED"), "end_time": t.End.UnixMilli(), "run_name": t.Name,
	}, nil, nil)
	if err != nil {
		return "", err
	}
	// the last word: from now on the run is whole
	last := batch{Run: id, Tags: []pair{{digestTag, t.Digest + " " + string(p.keep)}}}
	return id, p.call(ctx, http.MethodPost, "mlflow/runs/log-batch", nil, last, nil, nil)
}

// inputs names the data set that a cell was trained on.
func (p *pusher) inputs(ctx context.Context, t *Tracked, id string) error {
	if t.Set == nil {
		return nil
	}
	type dataset struct {
		Name       string `json:"name"`
		Digest     string `json:"digest"`
		SourceType string `json:"source_type"`
		Source     string `json:"source"`
		Profile    string `json:"profile"`
	}
	digest, source, profile := datasetOf(t)
	body := map[string]any{"run_id": id, "datasets": []any{map[string]any{
		"dataset": dataset{t.Set.Name, digest, "local", source, profile},
		"tags":    []pair{{"mlflow.data.context", "training"}},
	}}}
	err := p.call(ctx, http.MethodPost, "mlflow/runs/log-inputs", nil, body, nil, nil)
	var answer *apiError
	if errors.As(err, &answer) && answer.Status == http.StatusNotFound { // servers before 2.4 have no data sets
		p.note("the server takes no data sets")
		return nil
	}
	return err
}

// files uploads what the server does not have.
func (p *pusher) files(ctx context.Context, t *Tracked, have *remoteRun) error {
	if len(t.Files) == 0 {
		return nil
	}
	u, err := url.Parse(have.Info.Artifacts)
	if err != nil || u.Scheme != "mlflow-artifacts" {
		if p.out.Elsewhere == "" {
			p.out.Elsewhere = cmp.Or(have.Info.Artifacts, "nowhere")
			p.note(fmt.Sprintf("the server keeps no artifacts itself (%s): files are not sent", p.out.Elsewhere))
		}
		return nil
	}
	there, err := p.listed(ctx, have.Info.ID)
	if err != nil {
		return err
	}
	root := strings.Trim(u.Path, "/")
	for _, f := range t.Files {
		if size, ok := there[f.Name]; ok && size == f.Bytes {
			continue
		}
		if err := p.upload(ctx, root, f); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		p.out.Files++
	}
	return nil
}

// listed is the sizes of a run's artifacts, of its topmost folder.
func (p *pusher) listed(ctx context.Context, id string) (map[string]int64, error) {
	out, token := map[string]int64{}, ""
	for {
		var found struct {
			Files []struct {
				Path string `json:"path"`
				Dir  bool   `json:"is_dir"`
				Size number `json:"file_size"`
			} `json:"files"`
			Next string `json:"next_page_token"`
		}
		query := url.Values{"run_id": {id}}
		if token != "" {
			query.Set("page_token", token)
		}
		if err := p.call(ctx, http.MethodGet, "mlflow/artifacts/list", query, nil, &found, nil); err != nil {
			return nil, err
		}
		for _, f := range found.Files {
			if !f.Dir {
				out[path.Clean(f.Path)] = int64(f.Size)
			}
		}
		if found.Next == "" || found.Next == token {
			return out, nil
		}
		token = found.Next
	}
}
