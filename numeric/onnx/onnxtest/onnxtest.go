// Package onnxtest runs ONNX models in tests, by ONNX Runtime's package for Node (onnxruntime-node from npm), which
// .ci/programs installs. Where Node or the package is absent, tests that need them are skipped, or fail if
// PLUMBLINE_ONNX is "required".
package onnxtest

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Package is what is installed, and its version.
const Package = "onnxruntime-node@1.30.0"

// Case is a model with what is given to it.
type Case struct {
	Model  []byte
	Inputs map[string]Input
}

// Input is one tensor: Doubles, Floats, Ints or Strings in the shape Dims.
type Input struct {
	Dims    []int     `json:"dims"`
	Doubles []float64 `json:"-"`
	Floats  []float32 `json:"-"`
	Ints    []int64   `json:"-"`
	Strings []string  `json:"-"`
}

// Result is what came of a case: the outputs by name, flat, or what the runtime said against the model.
type Result struct {
	Outputs map[string][]float64
	Error   string
}

// Folder is where the package is installed: PLUMBLINE_ONNXRUNTIME, or a folder in the user's cache.
func folder(t testing.TB) string {
	if dir := os.Getenv("PLUMBLINE_ONNXRUNTIME"); dir != "" {
		return dir
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		skip(t, err.Error())
	}
	return filepath.Join(cache, "plumbline-tests", strings.ReplaceAll(Package, "@", "-"))
}

func skip(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("PLUMBLINE_ONNX") == "required" {
		t.Fatalf("ONNX Runtime is required: %s", why)
	}
	t.Skipf("left out: %s; .ci/programs installs Node and %s", why, Package)
}

// Need skips the test where models cannot be run.
func Need(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		skip(t, "no node")
	}
	if _, err := os.Stat(filepath.Join(folder(t), "node_modules", "onnxruntime-node")); err != nil {
		skip(t, "no onnxruntime-node")
	}
}

// Run runs all cases in one process.
func Run(t testing.TB, cases []Case) []Result {
	t.Helper()
	Need(t)
	type input struct {
		Name    string   `json:"name"`
		Type    string   `json:"type"`
		Dims    []int    `json:"dims"`
		File    string   `json:"file,omitempty"`
		Strings []string `json:"strings,omitempty"`
	}
	type job struct {
		Model  string  `json:"model"`
		Inputs []input `json:"inputs"`
	}
	dir := t.TempDir()
	write := func(name string, raw []byte) string {
		at := filepath.Join(dir, name)
		if err := os.WriteFile(at, raw, 0o644); err != nil {
			t.Fatal(err)
		}
		return at
	}
	var jobs []job
	for i, c := range cases {
		name := strings.Repeat("x", i%3) + string(rune('a'+i%26)) + filepath.Base(t.Name())
		j := job{Model: write(name+jsonText(i)+".onnx", c.Model)}
		for in, v := range c.Inputs {
			one := input{Name: in, Dims: v.Dims}
			switch {
			case v.Doubles != nil:
				one.Type, one.File = "float64", write(jsonText(i)+in, bits(v.Doubles, 8, math.Float64bits))
			case v.Floats != nil:
				one.Type, one.File = "float32", write(jsonText(i)+in,
					bits(v.Floats, 4, func(f float32) uint64 { return uint64(math.Float32bits(f)) }))
			case v.Ints != nil:
				one.Type, one.File = "int64", write(jsonText(i)+in, bits(v.Ints, 8, func(n int64) uint64 { return uint64(n) }))
			default:
				one.Type, one.Strings = "string", v.Strings
			}
			j.Inputs = append(j.Inputs, one)
		}
		jobs = append(jobs, j)
	}
	raw, err := json.Marshal(jobs)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", write("run.js", []byte(script)), write("jobs.json", raw))
	cmd.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(folder(t), "node_modules"))
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v: %s", err, said.String())
	}
	var found []struct {
		Outputs map[string][]any `json:"outputs"`
		Error   string           `json:"error"`
	}
	if err := json.Unmarshal(out, &found); err != nil {
		t.Fatalf("node: %v: %.200s", err, out)
	}
	results := make([]Result, len(found))
	for i, f := range found {
		results[i] = Result{map[string][]float64{}, f.Error}
		for name, values := range f.Outputs {
			for _, v := range values {
				n, ok := v.(float64)
				if !ok { // what JSON has no number for
					n = math.NaN()
				}
				results[i].Outputs[name] = append(results[i].Outputs[name], n)
			}
		}
	}
	return results
}

func jsonText(v any) string { raw, _ := json.Marshal(v); return string(raw) }

// bits lays numbers out in little endian.
func bits[T any](v []T, width int, of func(T) uint64) []byte {
	out := make([]byte, 0, width*len(v))
	for _, x := range v {
		for b, k := of(x), 0; k < width; k++ {
			out = append(out, byte(b>>(8*k)))
		}
	}
	return out
}

// script gives the outputs of each job as JSON on its standard output.
const script = `
const ort = require('onnxruntime-node'), fs = require('fs');
const kinds = {float64: Float64Array, float32: Float32Array, int64: BigInt64Array};
(async () => {
  const results = [];
  for (const job of JSON.parse(fs.readFileSync(process.argv[2]))) {
    try {
      const session = await ort.InferenceSession.create(job.model, {intraOpNumThreads: 1, logSeverityLevel: 3});
      const feeds = {};
      for (const i of job.inputs) {
        let values = i.strings;
        if (i.file) {
          const raw = fs.readFileSync(i.file);
          values = new kinds[i.type](raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length));
        }
        feeds[i.name] = new ort.Tensor(i.type, values || [], i.dims);
      }
      const out = await session.run(feeds), outputs = {};
      for (const name of session.outputNames) outputs[name] = Array.from(out[name].data, Number);
      results.push({outputs});
    } catch (e) { results.push({error: String(e.message || e)}); }
  }
  process.stdout.write(JSON.stringify(results));
})();
`
