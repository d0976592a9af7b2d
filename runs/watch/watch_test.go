package watch

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/data"
	"plumbline/data/input"
	"plumbline/runs"
	"plumbline/runs/alerts"
	"plumbline/runs/bundle"
	"plumbline/runs/runstest"
)

// zeekHead is the head of a log, without its last column where there is none.
func zeekHead(label bool) string {
	fields := "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto duration orig_bytes resp_bytes conn_state"
	types := "time string addr port addr port enum interval count count string"
	if label {
		fields, types = fields+" label", types+" string"
	}
	tabs := func(s string) string { return strings.ReplaceAll(s, " ", "\t") }
	return "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#fields\t" +
		tabs(fields) + "\n#types\t" + tabs(types) + "\n"
}

// zeekRows is connections of eight hosts to a few services, of which about one in forty is a scan or a large upload.
func zeekRows(seed uint64, n int, label bool) (out []string) {
	r := rand.New(rand.NewPCG(seed, 1))
	at := 1_700_000_000.0
	for i := range n {
		at += r.ExpFloat64() * 3
		port, state, duration, up, down, is := []int{53, 80, 443}[r.IntN(3)], "SF", r.ExpFloat64(), r.IntN(900)+40,
			r.IntN(9000)+100, "benign"
		switch r.IntN(80) {
		case 0:
			port, state, duration, up, down, is = 20+r.IntN(3000), "S0", 0, 0, 0, "scan"
		case 1:
			duration, up, is = 600+r.Float64(), 9_000_000+r.IntN(1000), "upload"
		}
		line := fmt.Sprintf("%.6f\tC%d\t10.0.0.%d\t%d\t192.0.2.%d\t%d\ttcp\t%.6f\t%d\t%d\t%s", at, i, 1+r.IntN(8),
			1024+r.IntN(60000), 1+r.IntN(5), port, duration, up, down, state)
		if label {
			line += "\t" + is
		}
		out = append(out, line+"\n")
	}
	return out
}

// trained is models trained on such a log, by their names.
func trained(t testing.TB, unit string, models ...string) map[string]*bundle.Bundle {
	t.Helper()
	log := filepath.Join(t.TempDir(), "train.log")
	text := zeekHead(true) + strings.Join(zeekRows(1, 3000, true), "")
	if err := os.WriteFile(log, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	e := runstest.Load(t, fmt.Sprintf(`
name: watched
data:
  - name: own
    format: zeek
    files: {train: [%s]}
    label: {column: label, benign: [benign]}
    drop: [uid]
models: [%s]
seeds: [1]
split: {kind: random, test: 0.2, validation: 0.2}
prep: [impute, {step: log1p, columns: [orig_bytes, resp_bytes, duration]}, {step: scale, kind: zscore}, onehot]
traces: {key: [id.orig_h], symbols: [conn_state, {column: orig_bytes, bins: 4}], window: {length: 4}, events: true}
threshold: {rule: fpr, value: 0.01}
unit: %s
bootstrap: 0
`, log, strings.Join(models, ", "), unit))
	out, err := runs.Run(context.Background(), e, runs.Options{Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	bundles := map[string]*bundle.Bundle{}
	for _, r := range out.Results {
		if r.Status != "ok" {
			t.Fatalf("%s: %s", r.Cell, r.Error)
		}
		if bundles[r.Label], err = bundle.Open(filepath.Join(out.Dir, filepath.FromSlash(r.Cell))); err != nil {
			t.Fatal(err)
		}
	}
	return bundles
}

// watched is a stream that a test watches.
type watched struct {
	t     testing.TB
	b     *bundle.Bundle
	store *alerts.Store
	log   string
	o     Options
}

func newWatched(t testing.TB, b *bundle.Bundle) *watched {
	t.Helper()
	dir := t.TempDir()
	store, err := alerts.Open(filepath.Join(dir, "alerts.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	w := &watched{t: t, b: b, store: store, log: filepath.Join(dir, "conn.log")}
	w.o = Options{Store: store, Stream: "conn.log", Say: func(s string) { t.Log(s) }}
	return w
}

func (w *watched) put(text string) {
	w.t.Helper()
	if err := os.WriteFile(w.log, []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// once watches the log to its end with a watcher of its own.
func (w *watched) once() Counts {
	w.t.Helper()
	x, err := New(w.t.Context(), w.b, w.o)
	if err == nil {
		err = x.File(w.t.Context(), w.log, true)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return x.Counts
}

// all is the alerts so far, oldest first, without their places in the store; lines too where asked.
func (w *watched) all(lines bool) []alerts.Alert {
	w.t.Helper()
	list, err := w.store.List(w.t.Context(), alerts.Query{Oldest: true, Limited: true})
	if err != nil {
		w.t.Fatal(err)
	}
	for i := range list {
		list[i].Seq = 0
		if !lines {
			list[i].Line = 0
		}
	}
	return list
}

// TestSameAsWhole: the alerts of a model that judges rows are those of the whole table, at the same lines.
func TestSameAsWhole(t *testing.T) {
	for label, b := range trained(t, "flow", "iforest", "znorm", "ae", "lof") {
		w := newWatched(t, b)
		w.put(zeekHead(false) + strings.Join(zeekRows(2, 2000, false), ""))
		counts := w.once()
		config, err := b.Config().Live(b.Columns, func(string) bool { return true })
		if err != nil {
			t.Fatal(err)
		}
		in, err := os.Open(w.log)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		_, err = config.Piece(t.Context(), in, "conn.log", func(table *data.Table) error {
			s, err := b.Score(t.Context(), table)
			if err != nil {
				return err
			}
			for i := range s.Scores {
				if s.Alarm(i) {
					want = append(want, fmt.Sprintf("conn.log:%d %v", table.Lines[i], s.Scores[i]))
				}
			}
			return nil
		})
		in.Close()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range w.all(true) {
			got = append(got, fmt.Sprintf("%s %v", a.Where(), a.Score))
			if a.Cause == "" || a.Source == "" || a.DestPort == "" || a.Time.IsZero() || a.Protocol != "tcp" ||
				a.P == nil || *a.P > 0.05 || a.Record["conn_state"] == "" || a.Threshold >= a.Score || label != a.Model {
				t.Errorf("%s: %+v", label, a)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if d := cmp.Diff(want, got); d != "" || len(want) < 20 || counts.Rows != 2000 {
			t.Errorf("%s: %d alerts of %d rows (-want +got)\n%s", label, len(want), counts.Rows, d)
		}
	}
}

// TestPieces: however a log comes, and wherever watching was stopped, the alerts are those of one pass: of models of
// rows, of traces, of hosts, and of those that learn on.
func TestPieces(t *testing.T) {
	rows := zeekRows(3, 1200, false)
	pieces := func(w *watched) {
		r := rand.New(rand.NewPCG(7, 7))
		w.put(zeekHead(false))
		for from := 0; from < len(rows); {
			to := min(len(rows), from+1+r.IntN(200))
			f, err := os.OpenFile(w.log, os.O_APPEND|os.O_WRONLY, 0)
			if err == nil {
				_, err = f.WriteString(strings.Join(rows[from:to], ""))
				f.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
			w.once()
			from = to
		}
	}
	for _, unit := range []string{"flow", "host"} {
		for label, b := range trained(t, unit, "iforest", "markov", "pdfa", "hst", "kitnet",
			"{model: lstm_pred, params: {epochs: 1, units: [6]}}") {
			for _, learn := range []bool{false, true} {
				if learn && label != "kitnet" {
					continue
				}
				whole, part := newWatched(t, b), newWatched(t, b)
				for _, w := range []*watched{whole, part} {
					w.o.Learn, w.o.Rules = learn, alerts.DefaultRules()
					w.o.Rules.Limit.Alerts = 5
					w.o.Idle = 10 * time.Minute
				}
				whole.put(zeekHead(false) + strings.Join(rows, ""))
				whole.once()
				pieces(part)
				want := whole.all(true)
				if d := cmp.Diff(want, part.all(true)); d != "" || len(want) == 0 {
					t.Errorf("%s of %s, learning %v: %d alerts (-one pass +pieces)\n%.2000s", label, unit, learn, len(want), d)
				}
				a, err := whole.store.Groups(t.Context(), "")
				if err != nil {
					t.Fatal(err)
				}
				if b, err := part.store.Groups(t.Context(), ""); cmp.Diff(a, b) != "" || err != nil {
					t.Errorf("%s of %s: groups differ: %s", label, unit, cmp.Diff(a, b))
				}
			}
		}
	}
}

// child is the environment variable that makes the test binary a process that watches: model, store and log.
const child = "PLUMBLINE_TEST_WATCH"

// TestChild is not a test: it is the process that TestKilled kills.
func TestChild(t *testing.T) {
	args := strings.Split(os.Getenv(child), "|")
	if len(args) != 3 {
		t.Skip("this is the process of another test")
	}
	b, err := bundle.Open(args[0])
	if err != nil {
		t.Fatal(err)
	}
	store, err := alerts.Open(args[1])
	if err != nil {
		t.Fatal(err)
	}
	w, err := New(t.Context(), b, Options{Store: store, Stream: "conn.log", Rules: alerts.DefaultRules()})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.File(context.Background(), args[2], false); err != nil {
		t.Fatal(err)
	}
}

// TestKilled: a process that watches a log through rotation and truncation, and is killed again and again, leaves the
// alerts of one pass.
func TestKilled(t *testing.T) {
	killed(t, trained(t, "flow", "markov")["markov"], zeekHead(false), zeekRows(4, 3000, false), 12, 20)
}

// TestIoT23: so it is with a log of IoT-23 and a model of another one; with PLUMBLINE_LONG set, with a larger one and
// more kills.
func TestIoT23(t *testing.T) {
	name, steps := "CTU-IoT-Malware-Capture-20-1", 12
	if os.Getenv("PLUMBLINE_LONG") != "" {
		name, steps = "CTU-IoT-Malware-Capture-34-1", 60
	}
	var head string
	var rows []string
	for line := range strings.Lines(realText(t, "iot-23/"+name+".conn.log.labeled.gz")) {
		switch {
		case !strings.HasPrefix(line, "#"):
			rows = append(rows, line)
		case rows == nil:
			head += line
		}
	}
	killed(t, real(t, "iot23-8-1", "iforest"), head, rows, steps, 5)
}

// TestZeekJSON: a model of unlabelled logs in Zeek's JSON, which are then watched, gives alerts with reasons.
func TestZeekJSON(t *testing.T) {
	text := realText(t, "zeek-json/conn.log.gz")
	w := newWatched(t, real(t, "zeek-json", "iforest"))
	w.put(text)
	counts, list := w.once(), w.all(true)
	if counts.Rows != 1000 || counts.Bad != 0 || len(list) == 0 || len(list) > 200 {
		t.Fatalf("%+v, %d alerts", counts, len(list))
	}
	for _, a := range list {
		if len(a.Reasons) == 0 || a.Cause == "none" || a.Source == "" || a.Time.Year() != 2021 || a.P == nil {
			t.Errorf("%+v", a)
		}
	}
}

// realText is a file of the shared data, uncompressed.
func realText(t testing.TB, name string) string {
	t.Helper()
	root := os.Getenv("PLUMBLINE_DATA")
	in, err := input.Open(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		if os.Getenv("PLUMBLINE_REQUIRE_DATA") != "" {
			t.Fatal(err)
		}
		t.Skip("no such file in $PLUMBLINE_DATA: ", name)
	}
	defer in.Close()
	raw, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// real is a model of a shipped data set.
func real(t testing.TB, set, model string) *bundle.Bundle {
	t.Helper()
	e := runstest.Load(t, "name: real\ndata: ["+set+"]\nmodels: ["+model+"]\nseeds: [1]\nthreshold: {rule: fpr, value: "+
		"0.02}\nbootstrap: 0\naudit: off\n")
	out, err := runs.Run(t.Context(), e, runs.Options{Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Open(filepath.Join(out.Dir, filepath.FromSlash(out.Results[0].Cell)))
	if err != nil {
		t.Fatal(out.Results[0].Error, err)
	}
	return b
}

// killed watches rows of a log in a process that is killed again and again, while the log is rotated and truncated, and
// holds its alerts against those of one pass, of which there are to be some.
func killed(t *testing.T, b *bundle.Bundle, head string, rows []string, steps, some int) {
	t.Helper()
	w := newWatched(t, b)
	whole := newWatched(t, b)
	whole.o.Rules = alerts.DefaultRules()
	whole.put(head + strings.Join(rows, ""))
	whole.once()
	want := whole.all(false)
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	add := func(rows []string) {
		f, err := os.OpenFile(w.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		do(err)
		defer f.Close()
		for len(rows) > 0 { // lines come in parts
			n := min(len(rows), 37)
			text := strings.Join(rows[:n], "")
			_, err = f.WriteString(text[:len(text)-20])
			do(err)
			_, err = f.WriteString(text[len(text)-20:])
			do(err)
			rows = rows[n:]
		}
	}
	var process *exec.Cmd
	start := func() {
		process = exec.Command(os.Args[0], "-test.run=^TestChild$")
		process.Env = append(os.Environ(), child+"="+strings.Join([]string{b.Path, w.store.Path(), w.log}, "|"))
		do(process.Start())
	}
	kill := func() {
		do(process.Process.Kill())
		process.Wait()
	}
	w.put(head)
	for k := range steps {
		start()
		part := rows[k*len(rows)/steps : (k+1)*len(rows)/steps]
		add(part[:len(part)/2])
		for end := time.Now().Add(20 * time.Second); k == 0 && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			// who never began to read a log does not know that it was rotated
			if state, err := w.store.State(t.Context(), b.Label+" conn.log"); err != nil || len(state) > 0 {
				do(err)
				break
			}
		}
		time.Sleep(time.Duration(40+k%12*25) * time.Millisecond)
		switch k % 12 {
		case 2, 7: // renamed while it is watched, or not
			if k%12 == 7 {
				kill()
			}
			do(os.Rename(w.log, fmt.Sprintf("%s.%d", w.log, k)))
			w.put(head)
		case 4, 9: // copied and truncated
			if k%12 == 9 {
				kill()
			}
			raw, err := os.ReadFile(w.log)
			do(err)
			do(os.WriteFile(fmt.Sprintf("%s.%d", w.log, k), raw, 0o644))
			do(os.Truncate(w.log, 0))
			add([]string{head + "#open\t" + time.Now().String() + "\n"})
		}
		add(part[len(part)/2:])
		if k%12 != 7 && k%12 != 9 {
			time.Sleep(30 * time.Millisecond)
			kill()
		}
	}
	start()
	defer kill()
	deadline := time.Now().Add(20 * time.Second)
	for len(w.all(false)) < len(want) && time.Now().Before(deadline) {
		time.Sleep(50 * time.Millisecond)
	}
	time.Sleep(300 * time.Millisecond)
	if d := cmp.Diff(want, w.all(false)); d != "" || len(want) < some {
		t.Errorf("%d alerts (-one pass +killed)\n%.3000s", len(want), d)
	}
}

// TestRefused: what cannot be watched says so.
func TestRefused(t *testing.T) {
	b := trained(t, "flow", "sequent", "iforest")
	store := newWatched(t, b["iforest"]).store
	for _, c := range []struct {
		model string
		learn bool
		want  string
	}{{"sequent", false, "judges all rows of a file together"}, {"iforest", true, "does not learn from a stream"}} {
		_, err := New(t.Context(), b[c.model], Options{Store: store, Stream: "x", Learn: c.learn})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.model, err)
		}
	}
}

// TestBadRows: rows that cannot be read are counted and said, and the others judged; addresses are kept as the disguise
// has them, verdicts are heeded.
func TestBadRows(t *testing.T) {
	b := trained(t, "flow", "znorm")["znorm"]
	w := newWatched(t, b)
	rows := zeekRows(5, 400, false)
	var said []string
	w.o.Say = func(s string) { said = append(said, s) }
	w.o.Disguise = func(a string) string { return "host-" + strings.ReplaceAll(a, ".", "-") }
	w.o.Rules.Verdicts = "group"
	rows[100] = "not a row at all\n"
	w.put(zeekHead(false) + strings.Join(rows[:200], ""))
	if c := w.once(); c.Rows != 199 || c.Bad != 1 || c.Alerts == 0 {
		t.Errorf("%+v", c)
	}
	if len(said) != 1 || !strings.Contains(said[0], "conn.log:108: ") {
		t.Errorf("said %q", said)
	}
	list := w.all(true)
	for _, a := range list {
		if raw, _ := a.Encode(""); strings.Contains(string(raw), "10.0.0.") || strings.Contains(string(raw), "192.0.2.") ||
			!strings.HasPrefix(a.Source, "host-10-0-0-") {
			t.Errorf("an address is kept: %s", raw)
		}
	}
	for _, a := range list {
		if _, err := w.store.Judge(t.Context(), a.Group, alerts.False, "known"); err != nil {
			t.Fatal(err)
		}
	}
	w.put(zeekHead(false) + strings.Join(rows, ""))
	known := map[string]bool{}
	for _, a := range list {
		known[a.Group] = true
	}
	c := w.once()
	for _, a := range w.all(true)[len(list):] {
		if known[a.Group] {
			t.Errorf("an alert of a group that is called false: %+v", a)
		}
	}
	if c.Ignored == 0 || c.Rows != 200 {
		t.Errorf("%+v", c)
	}
}

// TestNamesOfPseudonyms: who knows the model, the stream and all addresses, but no key, cannot find from the name of an
// alert or of its group whose it is.
func TestNamesOfPseudonyms(t *testing.T) {
	b := trained(t, "host", "znorm")["znorm"]
	w := newWatched(t, b)
	rows := zeekRows(5, 400, false)
	w.put(zeekHead(false) + strings.Join(rows, ""))
	named := func(stream string) (tried, found int) {
		guesses := map[string]bool{}
		for n := range int64(len(rows)) {
			for host := range 16 {
				guesses[alerts.NewID(b.Hash, stream, n, fmt.Sprintf("10.0.0.%d", host))] = true
			}
		}
		for _, a := range w.all(true) {
			if tried++; guesses[a.ID] {
				found++
			}
		}
		return tried, found
	}
	w.once()
	if tried, found := named("conn.log"); tried == 0 || found != tried {
		t.Fatalf("%d of %d names found where addresses stay: these are not the guesses to make", found, tried)
	}
	hidden := newWatched(t, b)
	hidden.o.Disguise = func(a string) string { return "host-" + strings.ReplaceAll(a, ".", "-") }
	hidden.put(zeekHead(false) + strings.Join(rows, ""))
	hidden.once()
	w = hidden
	if tried, found := named("conn.log"); tried == 0 || found != 0 {
		t.Errorf("%d of %d names found", found, tried)
	}
	v, err := New(t.Context(), b, Options{Store: w.store, Stream: "causes", Disguise: w.o.Disguise})
	if err != nil {
		t.Fatal(err)
	}
	a := &alerts.Alert{Cause: "to 192.0.2.7", Record: map[string]string{"id.resp_h": "192.0.2.7"}}
	if kept := v.keptCause(a, v.pseudonyms(a)); kept != "to host-192-0-2-7" {
		t.Errorf("the cause is kept as %q", kept)
	}
}
