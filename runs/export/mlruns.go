package export

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"plumbline/configs/settings"
	"plumbline/runs/record"
)

// MLflow's file store: a folder of experiments, each a folder of runs, with a file for each parameter, metric and tag.

// experimentMeta is meta.yaml of an experiment.
type experimentMeta struct {
	ArtifactLocation string `yaml:"artifact_location"`
	CreationTime     int64  `yaml:"creation_time"`
	ExperimentID     string `yaml:"experiment_id"`
	LastUpdateTime   int64  `yaml:"last_update_time"`
	LifecycleStage   string `yaml:"lifecycle_stage"`
	Name             string `yaml:"name"`
}

// runMeta is meta.yaml of a run. run_uuid is for MLflow 2; 4 is a local source.
type runMeta struct {
	ArtifactURI    string   `yaml:"artifact_uri"`
	DeletedTime    *int64   `yaml:"deleted_time"`
	EndTime        int64    `yaml:"end_time"`
	EntryPointName string   `yaml:"entry_point_name"`
	ExperimentID   string   `yaml:"experiment_id"`
	LifecycleStage string   `yaml:"lifecycle_stage"`
	RunID          string   `yaml:"run_id"`
	RunName        string   `yaml:"run_name"`
	RunUUID        string   `yaml:"run_uuid"`
	SourceName     string   `yaml:"source_name"`
	SourceType     int      `yaml:"source_type"`
	SourceVersion  string   `yaml:"source_version"`
	StartTime      int64    `yaml:"start_time"`
	Status         int      `yaml:"status"`
	Tags           []string `yaml:"tags"`
	UserID         string   `yaml:"user_id"`
}

// MLruns writes a run directory into an MLflow file store, which is made where there is none: a run, and one below it
// for
// each cell, in the experiment of the run's name. A run that is there already is written anew; others are left alone.
// The store names its folders by absolute paths: it belongs where it is written.
func MLruns(dir, store string, keep Artifacts) error {
	root, cells, err := Track(dir, keep)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrArguments, err)
	}
	rec, err := record.Open(dir)
	if err != nil {
		return err
	}
	at, err := filepath.Abs(store)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(at, ".trash"), 0o755); err != nil {
		return err
	}
	now := root.Start.UnixMilli()
	if err := ensureExperiment(at, experimentMeta{ExperimentID: "0", Name: "Default", CreationTime: now}); err != nil {
		return err
	}
	id, err := experimentID(at, rec.Name)
	if err != nil {
		return err
	}
	if err := ensureExperiment(at, experimentMeta{ExperimentID: id, Name: rec.Name, CreationTime: now}); err != nil {
		return err
	}
	for _, t := range append([]*Tracked{root}, cells...) {
		parent := ""
		if t != root {
			parent = root.ID
		}
		if err := storeRun(filepath.Join(at, id), id, t, parent); err != nil {
			return fmt.Errorf("export: %s: %w", t.Name, err)
		}
	}
	return nil
}

// experimentID is the number of the experiment of that name in a store; a new one is made of the name.
func experimentID(store, name string) (string, error) {
	entries, err := os.ReadDir(store)
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		raw, err := record.ReadFile(filepath.Join(store, e.Name(), "meta.yaml"), record.MaxJSON)
		if err != nil {
			continue // no experiment
		}
		doc, err := settings.Parse(filepath.Join(store, e.Name(), "meta.yaml"), raw)
		if err != nil {
			return "", fmt.Errorf("%w: %w", ErrArguments, err)
		}
		if v, ok := doc.Get("name"); ok {
			if text, _ := v.Scalar(); text == name {
				return e.Name(), nil
			}
		}
	}
	sum := sha256.Sum256([]byte(name))
	return strconv.FormatUint(binary.BigEndian.Uint64(sum[:])%900_000_000_000_000_000+100_000_000_000_000_000, 10), nil
}

func ensureExperiment(store string, m experimentMeta) error {
	at := filepath.Join(store, m.ExperimentID)
	if _, err := os.Stat(filepath.Join(at, "meta.yaml")); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	m.ArtifactLocation, m.LastUpdateTime, m.LifecycleStage = fileURI(at), m.CreationTime, "active"
	return putYAML(filepath.Join(at, "meta.yaml"), m)
}

// fileURI is an absolute path as a URI.
func fileURI(path string) string {
	slashed := filepath.ToSlash(path)
	if !strings.HasPrefix(slashed, "/") { // a drive of Windows
		slashed = "/" + slashed
	}
	return (&url.URL{Scheme: "file", Path: slashed}).String()
}

// storedStatus is MLflow's number of a status.
func storedStatus(status string) int {
	switch status {
	case record.OK:
		return 3 // FINISHED
	case record.Interrupted:
		return 5 // KILLED
	}
	return 4 // FAILED
}

// storeRun writes one run, beside where it belongs, and puts it in place as a whole.
func storeRun(experiment, id string, t *Tracked, parent string) error {
	final, tmp := filepath.Join(experiment, t.ID), filepath.Join(experiment, ".new-"+t.ID)
	if err := os.RemoveAll(tmp); err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	m := runMeta{
		ArtifactURI: fileURI(filepath.Join(final, "artifacts")), EndTime: t.End.UnixMilli(), ExperimentID: id,
		LifecycleStage: "active", RunID: t.ID, RunName: t.Name, RunUUID: t.ID, SourceType: 4,
		StartTime: t.Start.UnixMilli(), Status: storedStatus(t.Status), Tags: []string{}, UserID: userName(),
	}
	if err := putYAML(filepath.Join(tmp, "meta.yaml"), m); err != nil {
		return err
	}
	for _, folder := range []string{"params", "metrics", "tags", "artifacts"} {
		if err := os.MkdirAll(filepath.Join(tmp, folder), 0o755); err != nil {
			return err
		}
	}
	for _, p := range t.Params {
		if err := put(filepath.Join(tmp, "params", filepath.FromSlash(p.Key)), []byte(cut(p.Value, maxParam))); err != nil {
			return err
		}
	}
	tags := append([]Pair{{"mlflow.runName", t.Name}, {"mlflow.user", m.UserID}, {idTag, t.ID}}, t.Tags...)
	if parent != "" {
		tags = append(tags, Pair{"mlflow.parentRunId", parent})
	}
	for _, p := range tags {
		if err := put(filepath.Join(tmp, "tags", p.Key), []byte(cut(p.Value, maxTag))); err != nil {
			return err
		}
	}
	series := map[string]*bytes.Buffer{}
	for _, p := range t.Points {
		if series[p.Key] == nil {
			series[p.Key] = &bytes.Buffer{}
		}
		fmt.Fprintf(series[p.Key], "%d %s %d\n", p.Time.UnixMilli(), strconv.FormatFloat(p.Value, 'g', -1, 64), p.Step)
	}
	for key, b := range series {
		if err := put(filepath.Join(tmp, "metrics", filepath.FromSlash(key)), b.Bytes()); err != nil {
			return err
		}
	}
	for _, f := range t.Files {
		raw, err := record.ReadFile(f.Path, max(f.Bytes, 1))
		if err != nil {
			return err
		}
		if err := put(filepath.Join(tmp, "artifacts", filepath.FromSlash(f.Name)), raw); err != nil {
			return err
		}
	}
	if err := storeInput(filepath.Dir(final), tmp, t); err != nil {
		return err
	}
	if err := os.RemoveAll(final); err != nil {
		return err
	}
	return os.Rename(tmp, final)
}

// storeInput names the data set of a cell.
func storeInput(experiment, run string, t *Tracked) error {
	if t.Set == nil {
		return nil
	}
	digest, source, profile := datasetOf(t)
	set := md5Of(t.Set.Name, digest)
	err := putYAML(filepath.Join(experiment, "datasets", set, "meta.yaml"), map[string]string{
		"name": t.Set.Name, "digest": digest, "source_type": "local", "source": source, "schema": "", "profile": profile,
	})
	if err != nil {
		return err
	}
	return putYAML(filepath.Join(run, "inputs", md5Of(set, t.ID), "meta.yaml"), map[string]any{
		"source_type": "DATASET", "source_id": set, "destination_type": "RUN", "destination_id": set,
		"tags": map[string]string{"mlflow.data.context": "training"},
	})
}

// put writes a file as a whole, and the folders that it stands in.
func put(path string, raw []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	tmp := path + ".new"
	if err := os.WriteFile(tmp, raw, 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

func putYAML(path string, v any) error {
	raw, err := settings.Marshal(v)
	if err != nil {
		return err
	}
	return put(path, raw)
}

func md5Of(texts ...string) string {
	sum := md5.Sum([]byte(strings.Join(texts, "")))
	return hex.EncodeToString(sum[:])
}

// userName is who writes.
func userName() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "unknown"
}
