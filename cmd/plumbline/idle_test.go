//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestIdleFlags: a flag that says nothing in the way that a command is used is refused and not passed over, before
// anything is read or written.
func TestIdleFlags(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	if err := os.WriteFile(key, []byte(strings.Repeat("0123456789abcdef", 4)), 0o600); err != nil {
		t.Fatal(err)
	}
	for line, flag := range map[string]string{
		"export R/C --to onnx -o a.onnx --files all":       "files",
		"export R/C --to card -o a.md --files small":       "files",
		"export R/C --to croissant -o a.json --files none": "files",
		"export R --to tensorboard -o tb --files all":      "files",
		"export R --to dvc -o d --force":                   "force",
		"export R --to mlruns -o m --force":                "force",
		"data export synth a.csv --truth":                  "truth",
		"data export quickstart --prepared --spreadsheet":  "spreadsheet",
		"data infer a.csv --force":                         "force",
		"score m.plumb a.csv --force":                      "force",
		"score m.plumb a.csv -o a.csv --format csv":        "format",
		"watch m.plumb --listen udp:127.0.0.1:0 --once":    "once",
		"train a.csv -o m.plumb --fpr 0.1 --quantile 0.9":  "fpr",
		"run --list --out elsewhere":                       "out",
		"run --list --metric auprc":                        "metric",
		"run --resume R --out elsewhere":                   "out",
		"run --resume R --pseudonym-key " + key:            "pseudonym-key",
		"run --resume R --cells 1-2 --metric auprc":        "metric",
		"run quickstart --launcher print --workers 3":      "workers",
		"run quickstart --launcher slurm --memory 8GB":     "memory",
		"run quickstart --launcher kubernetes --cache off": "cache",
		"run --resume R --launcher print --metric auprc":   "metric",
		"run --resume R --launcher print --take-over":      "take-over",
		"tune tune-quickstart --launcher print --no-test":  "no-test",
		"tune tune-quickstart --launcher print --json":     "json",
		"tune --resume R --out elsewhere":                  "out",
		"tune tune-quickstart --no-test --metric auprc":    "metric",
		"tune tune-quickstart --json --metric auprc":       "metric",
		"compare R --pivot model,data --columns recall":    "columns",
		"compare R --test a,b --format csv":                "format",
		"investigate R/C --pseudonym-key " + key:           "pseudonym-key",
		"investigate R/C -o folder":                        "out",
		"investigate m.plumb a.csv --cache off":            "cache",
		"dashboard synth --serve -o page.html":             "out",
		"dashboard synth --serve=127.0.0.1:0 --seed 4":     "seed",
		"verify A B -o folder":                             "out",
		"verify A B --data " + dir:                         "data",
		"verify A --reference --all":                       "all",
		"alerts --follow --limit 3":                        "limit",
		"alerts --follow --model forest":                   "model",
		"alerts --last 1h --from 2026-11-27":               "from",
		"alerts export --records --layout ecs":             "layout",
		"alerts export --force":                            "force",
	} {
		code, out, errOut := plumb(t, strings.Fields(line)...)
		refused := strings.Contains(errOut, "--"+flag+" has no effect") ||
			strings.Contains(errOut, "none of the others can be") && strings.Contains(errOut, flag)
		if code != exitUsage || !refused || out != "" {
			t.Errorf("%s: exit %d: %s%s", line, code, out, errOut)
		}
	}
}

// TestWatchedFlags: of watch, what is remembered is for models that remember, and --layout is heeded without targets,
// where an unknown one, or one that all targets have their own in place of, is refused.
func TestWatchedFlags(t *testing.T) {
	root := t.TempDir()
	file := writeExperiment(t, "name: half\ndata: [{data: synth, options: {hosts: 6, hours: 12, rate: 3}}]\n"+
		"models: [znorm]\nseeds: [1]\nbootstrap: 0\nthreshold: {rule: fpr, value: 0.5}\n")
	code, out, errOut := plumb(t, "run", file, "--out", root, "-q")
	if code != exitOK {
		t.Fatal(errOut)
	}
	text := strings.Split(strings.TrimSpace(out+errOut), "\n")
	dir := text[len(text)-1]
	_, lines := flowsOf(t, 200)
	log, own := filepath.Join(root, "layouts.ndjson"), filepath.Join(root, "own.yaml")
	for file, text := range map[string]string{log: string(lines),
		own: "to: [{to: stdout, layout: ecs}]\nlimit: {alerts: 3}\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	watch := func(more ...string) (code int, out, errOut string) {
		store := filepath.Join(t.TempDir(), "a.db")
		return plumb(t, append([]string{"watch", dir + "/znorm/s1", "--follow", log, "--once", "--store", store}, more...)...)
	}
	for want, args := range map[string][]string{
		`"ecs":{"version"`: {"--layout", "ecs"}, `"Plumbline::Anomaly"`: {"--layout", "zeek-notice"},
		`"model_hash"`: {"--layout", "plumbline"}, ": score ": nil, `"ecs":{`: {"--settings", own},
	} {
		if code, out, errOut := watch(args...); code != exitOK || !strings.Contains(out, want) {
			t.Errorf("%v: exit %d, %.300s%s", args, code, out, errOut)
		}
	}
	for want, args := range map[string][]string{
		"unknown layout \"xml\"":   {"--layout", "xml"},
		"--idle has no effect":     {"--idle", "2h"},
		"--entities has no effect": {"--entities", "5"},
		"--entity-memory has no":   {"--entity-memory", "5MB"},
		"layouts of their own":     {"--settings", own, "--layout", "text"},
		"want at least 1":          {"--entities", "0"},
		"is not a size":            {"--entity-memory", "much"},
	} {
		if code, out, errOut := watch(args...); code != exitUsage || !strings.Contains(errOut, want) || out != "" {
			t.Errorf("%v: exit %d, %.300s%s", args, code, out, errOut)
		}
	}
}
