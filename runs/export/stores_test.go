package export_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"plumbline/configs/settings"
	"plumbline/runs/export"
)

// files are those below a folder, by their names with slashes.
func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(at string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(at)
		rel, _ := filepath.Rel(dir, at)
		out[filepath.ToSlash(rel)] = string(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func yamlOf(t testing.TB, file, text string) map[string]any {
	t.Helper()
	doc, err := settings.Parse(file, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	v, err := doc.Value()
	m, ok := v.(map[string]any)
	if err != nil || !ok {
		t.Fatalf("%s is %v: %v", file, v, err)
	}
	return m
}

// checkStore holds a file store to the rules by which MLflow's FileStore reads it (mlflow/store/tracking/file_store.py
// of 2.x and 3.x: folders named after ids, one file a parameter, metric or tag, and what stands in them).
func checkStore(t *testing.T, dir string) (runs map[string]map[string]any) {
	t.Helper()
	all := files(t, dir)
	runs = map[string]map[string]any{}
	if _, err := os.Stat(filepath.Join(dir, ".trash")); err != nil || all["0/meta.yaml"] == "" {
		t.Errorf("no .trash (%v), or no default experiment", err)
	}
	key := regexp.MustCompile(`^[\w.\- ]+(/[\w.\- ]+)*$`)
	point := regexp.MustCompile(`^\d{13} (\S+) \d+\n$`)
	for name, text := range all {
		pieces := strings.SplitN(name, "/", 4)
		if len(pieces) == 2 && pieces[1] == "meta.yaml" {
			m := yamlOf(t, name, text)
			if m["experiment_id"] != pieces[0] || m["lifecycle_stage"] != "active" || m["name"] == "" ||
				!regexp.MustCompile(`^[a-zA-Z0-9][\w\-]{0,63}$`).MatchString(pieces[0]) ||
				!strings.Contains(text, `experiment_id: "`+pieces[0]+`"`) {
				t.Errorf("%s:\n%s", name, text)
			}
			continue
		}
		if len(pieces) < 3 || pieces[1] == "datasets" {
			continue
		}
		exp, run, rest := pieces[0], pieces[1], strings.Join(pieces[2:], "/")
		kind, own, _ := strings.Cut(rest, "/")
		switch kind {
		case "meta.yaml":
			m := yamlOf(t, name, text)
			runs[run] = m
			for _, want := range []string{"artifact_uri", "end_time", "entry_point_name", "experiment_id", "lifecycle_stage",
				"run_id", "run_name", "run_uuid", "source_name", "source_type", "source_version", "start_time", "status", "tags",
				"user_id", "deleted_time"} {
				if _, ok := m[want]; !ok {
					t.Errorf("%s has no %s", name, want)
				}
			}
			status, _ := m["status"].(int)
			uri, _ := m["artifact_uri"].(string)
			if m["run_id"] != run || m["run_uuid"] != run || m["experiment_id"] != exp || m["user_id"] == "" || status < 3 ||
				status > 5 || !regexp.MustCompile(`^[a-zA-Z0-9][\w\-]{0,255}$`).MatchString(run) ||
				uri != "file://"+filepath.ToSlash(filepath.Join(dir, exp, run, "artifacts")) {
				t.Errorf("%s:\n%s", name, text)
			}
		case "params", "tags":
			if !key.MatchString(own) || kind == "params" && strings.ContainsAny(text, "\n\r") || len(text) > 6000 {
				t.Errorf("%s: %q", name, text)
			}
		case "metrics":
			if !key.MatchString(own) {
				t.Errorf("%s: no key of a metric", name)
			}
			for line := range strings.Lines(text) {
				m := point.FindStringSubmatch(line)
				if m == nil {
					t.Errorf("%s: %q", name, line)
				} else if _, err := strconv.ParseFloat(m[1], 64); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		case "inputs":
			m := yamlOf(t, name, text)
			set := fmt.Sprint(m["source_id"])
			if all[exp+"/datasets/"+set+"/meta.yaml"] == "" || m["destination_id"] != set || m["source_type"] != "DATASET" {
				t.Errorf("%s:\n%s", name, text)
			}
		case "artifacts":
		default:
			t.Errorf("%s stands in no place of a file store", name)
		}
	}
	return runs
}

// TestMLruns: the store is as MLflow reads it, a second export changes nothing, and another run joins it.
func TestMLruns(t *testing.T) {
	dir := carryOut(t, pushed)
	store := filepath.Join(t.TempDir(), "mlruns")
	if err := export.MLruns(dir, store, export.SmallFiles); err != nil {
		t.Fatal(err)
	}
	runs := checkStore(t, store)
	if len(runs) != 4 {
		t.Fatalf("%d runs", len(runs))
	}
	before := files(t, store)
	if err := export.MLruns(dir, store, export.SmallFiles); err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(before, files(t, store)) {
		t.Error("a second export changed the store")
	}
	var parent, exp string
	for id, m := range runs {
		exp = fmt.Sprint(m["experiment_id"])
		if _, ok := before[exp+"/"+id+"/tags/mlflow.parentRunId"]; !ok {
			parent = id
		}
	}
	cells := 0
	for id := range runs {
		if before[exp+"/"+id+"/tags/mlflow.parentRunId"] == parent && id != parent {
			cells++
		}
	}
	if cells != 3 || before[exp+"/"+parent+"/artifacts/experiment.yaml"] == "" {
		t.Errorf("%d runs below %s", cells, parent)
	}
	loss := 0
	for name, text := range before {
		if strings.HasSuffix(name, "/metrics/loss") {
			loss++
			if strings.Count(text, "\n") != 4 {
				t.Errorf("%s: %q", name, text)
			}
		}
	}
	if loss != 2 {
		t.Errorf("%d losses", loss)
	}
	if err := export.MLruns(carryOut(t, pushed), store, export.NoFiles); err != nil {
		t.Fatal(err)
	}
	if runs := checkStore(t, store); len(runs) != 8 {
		t.Errorf("%d runs after another export", len(runs))
	}
	after := files(t, store)
	for name, text := range before {
		if after[name] != text {
			t.Errorf("the export of another run changed %s", name)
		}
	}
}

// record is what tfevents files hold: each record is checked by both of its checksums, which are of another
// implementation's table (crc32.Castagnoli, RFC 3720) and the mask that TensorFlow's lib/hash/crc32c.h has.
func records(t *testing.T, raw string) (out [][]byte) {
	t.Helper()
	mask := func(b []byte) uint32 {
		c := crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
		return (c>>15 | c<<17) + 0xa282ead8
	}
	b := []byte(raw)
	for len(b) > 0 {
		n := binary.LittleEndian.Uint64(b)
		if uint64(len(b)) < n+16 || binary.LittleEndian.Uint32(b[8:]) != mask(b[:8]) ||
			binary.LittleEndian.Uint32(b[12+n:]) != mask(b[12:12+n]) {
			t.Fatalf("record %d is damaged", len(out))
		}
		out = append(out, b[12:12+n])
		b = b[16+n:]
	}
	return out
}

// fields are those of a protobuf message: numbers as bits, the rest as bytes.
func fields(t *testing.T, b []byte) map[protowire.Number][]any {
	t.Helper()
	out := map[protowire.Number][]any{}
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		var v any
		switch kind {
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(b)
		case protowire.Fixed32Type:
			v, n = protowire.ConsumeFixed32(b)
		case protowire.Fixed64Type:
			v, n = protowire.ConsumeFixed64(b)
		default:
			v, n = protowire.ConsumeBytes(b)
		}
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		out[field] = append(out[field], v)
	}
	return out
}

// TestTensorBoard: records hold by their checksums, scalars stand at their epochs, settings are there to be compared.
func TestTensorBoard(t *testing.T) {
	// the check value of CRC-32C of "123456789" (RFC 3720, by M. Williams's model) and its mask
	if c := crc32.Checksum([]byte("123456789"), crc32.MakeTable(crc32.Castagnoli)); c != 0xe3069283 {
		t.Fatalf("%x", c)
	}
	dir, to := carryOut(t, pushed), t.TempDir()
	if err := export.TensorBoard(dir, to); err != nil {
		t.Fatal(err)
	}
	all := files(t, to)
	if len(all) != 3 {
		t.Fatalf("files %v", slices.Sorted(maps.Keys(all)))
	}
	for name, raw := range all {
		if !regexp.MustCompile(`^synth/(ae|znorm)/s[12]/events\.out\.tfevents\.\d+\.plumbline\.0\.0$`).MatchString(name) {
			t.Errorf("%s", name)
		}
		if !strings.Contains(name, "/ae/") {
			continue
		}
		list := records(t, raw)
		if first := fields(t, list[0]); string(first[3][0].([]byte)) != "brain.Event:2" || len(first[5]) != 0 {
			t.Errorf("%s begins with %v", name, first)
		}
		loss, tags := map[uint64]float32{}, map[string]bool{}
		for _, r := range list[1:] {
			e := fields(t, r)
			if at := math.Float64frombits(e[1][0].(uint64)); at < 1.7e9 {
				t.Errorf("an event at %v", at)
			}
			v := fields(t, fields(t, e[5][0].([]byte))[1][0].([]byte))
			tag := string(v[1][0].([]byte))
			tags[tag] = true
			if tag == "loss" {
				loss[e[2][0].(uint64)] = math.Float32frombits(v[2][0].(uint32))
			}
			if tag == "_hparams_/session_start_info" {
				plugin := fields(t, fields(t, v[9][0].([]byte))[1][0].([]byte))
				start := fields(t, fields(t, plugin[2][0].([]byte))[3][0].([]byte))
				if string(plugin[1][0].([]byte)) != "hparams" || string(start[4][0].([]byte)) != "synth ae " || len(start[1]) < 10 {
					t.Errorf("%s: %v", name, start)
				}
			}
		}
		if len(loss) != 4 || loss[1] <= 0 || !tags["auroc"] || !tags["_hparams_/session_end_info"] {
			t.Errorf("%s: losses %v, tags %v", name, loss, slices.Sorted(maps.Keys(tags)))
		}
	}
}

// TestDVC: parameters, metrics and plots are where dvc.yaml says, in DVCLive's layout.
func TestDVC(t *testing.T) {
	dir, to := carryOut(t, pushed), t.TempDir()
	if err := export.DVC(dir, to); err != nil {
		t.Fatal(err)
	}
	all := files(t, to)
	index := yamlOf(t, "dvc.yaml", all["dvc.yaml"])
	for _, kind := range []string{"params", "metrics"} {
		list, _ := index[kind].([]any)
		if len(list) != 3 {
			t.Errorf("%s: %v", kind, list)
		}
		for _, name := range list {
			if all[name.(string)] == "" {
				t.Errorf("%s names %v, which is not there", kind, name)
			}
		}
	}
	if list, _ := index["plots"].([]any); len(list) != 2 || list[0] != "synth/ae/s1/plots/metrics" {
		t.Errorf("plots: %v", index["plots"])
	}
	params := yamlOf(t, "params.yaml", all["synth/ae/s2/params.yaml"])
	own, _ := params["params"].(map[string]any)
	if params["seed"] != 2 || params["label"] != "ae" || own["epochs"] != 4 ||
		own["optimiser"].(map[string]any)["kind"] != "adam" {
		t.Errorf("%v", params)
	}
	var metrics map[string]any
	if err := json.Unmarshal([]byte(all["synth/ae/s1/metrics.json"]), &metrics); err != nil {
		t.Fatal(err)
	}
	recall, _ := metrics["class_recall"].(map[string]any)
	if v, ok := metrics["auroc"].(float64); !ok || v <= 0 || len(recall) == 0 {
		t.Errorf("%v", metrics)
	}
	plot := strings.Split(strings.TrimSpace(all["synth/ae/s1/plots/metrics/loss.tsv"]), "\n")
	if len(plot) != 5 || plot[0] != "step\tloss" || !strings.HasPrefix(plot[4], "4\t") {
		t.Errorf("%q", plot)
	}
}
