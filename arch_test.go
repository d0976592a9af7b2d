package plumbline_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// allowed says which packages of the module a package may import. A package that is not here fails: say
// where it stands first. Left to right: numeric, eval, configs, data, models, runs, cmd.
var allowed = map[string]string{
	"numeric/cluster": "numeric/elementary numeric/factor numeric/kernel numeric/neighbour " +
		"numeric/parallel numeric/stat",
	"numeric/neighbour":  "numeric/kernel numeric/parallel",
	"numeric/similarity": "numeric/elementary numeric/kernel numeric/parallel",
	"numeric/embed": "numeric/cluster numeric/elementary numeric/factor numeric/neighbour " +
		"numeric/parallel numeric/stat",
	"numeric/elementary":    "",
	"numeric/isolation":     "numeric/elementary",
	"numeric/kernel":        "numeric/elementary",
	"numeric/onnx":          "",
	"numeric/onnx/onnxtest": "",
	"numeric/parallel":      "",
	"numeric/stat":          "numeric/elementary",
	"numeric/forecast":      "",
	"numeric/hypothesis":    "numeric/stat",
	"numeric/sketch":        "",
	"numeric/svm":           "numeric/similarity",
	"numeric/trees":         "numeric/elementary numeric/parallel",
	"numeric/factor":        "numeric/kernel",
	"numeric/minimise":      "",

	"eval": "numeric/parallel numeric/stat",

	"configs":          "",
	"configs/settings": "",

	"data":                     "",
	"data/join":                "data",
	"data/nfcapd":              "",
	"data/follow":              "",
	"data/netflow":             "data/nfcapd",
	"data/netflow/netflowtest": "data/nfcapd",
	"data/input":               "",
	"data/parquet":             "numeric/parallel",
	"data/packets":             "data/input",
	"data/argus":               "",
	"data/flows": "configs/settings data data/argus data/export data/input data/nfcapd data/packets data/pseudonym " +
		"data/rows data/source numeric/parallel",
	"data/value":     "",
	"data/guess":     "data/value",
	"data/pseudonym": "data",
	"data/profile":   "data numeric/stat",
	"data/datatest":  "",
	"data/cache":     "",
	"data/corpus":    "data",
	"data/derive":    "data numeric/parallel",
	"data/evasion":   "data data/split",
	"data/noise":     "data",
	"data/export":    "data data/parquet",
	"data/split":     "configs/settings data",
	"data/rows":      "configs/settings data data/value numeric/parallel",
	"data/ndjson":    "configs/settings data/corpus data/rows data/value",
	"data/flowlog":   "configs/settings data data/corpus data/ndjson data/nfcapd data/rows data/value",
	"data/columnar":  "configs/settings data data/input data/parquet data/rows data/value numeric/parallel",
	"data/source": "configs/settings data data/columnar data/corpus data/derive data/flowlog data/input data/join " +
		"data/ndjson data/pseudonym data/rows data/value",
	"data/infer": "configs configs/settings data/columnar data/corpus data/export data/flowlog data/guess data/input " +
		"data/ndjson data/parquet data/rows data/source data/value",
	"data/source/sourcetest": "configs/settings data data/infer data/source",
	"data/synth":             "configs/settings data data/rows data/source",
	"data/synth/capture":     "numeric/elementary",
	"data/workload":          "data",
	"data/roles":             "data",
	"data/audit":             "data data/derive data/source data/split numeric/stat",
	"data/eda": "data data/audit data/derive data/roles data/source data/value eval numeric/hypothesis numeric/kernel " +
		"numeric/parallel numeric/sketch numeric/stat",
	"data/fetch": "data data/input data/source",
	"data/prep": "configs/settings data data/corpus eval numeric/cluster numeric/elementary " +
		"numeric/factor numeric/onnx numeric/parallel numeric/stat",

	"data/bucket":            "",
	"data/bucket/buckettest": "",

	"models":           "configs/settings data numeric/parallel numeric/cluster numeric/onnx",
	"models/modeltest": "configs/settings data data/datatest data/prep data/source data/split eval models",
	"models/nn": "configs/settings data models models/nn/schedule numeric/cluster numeric/elementary " +
		"numeric/kernel numeric/parallel",
	"models/nn/schedule": "numeric/elementary",
	"models/nn/graph":    "models/nn numeric/kernel numeric/onnx",
	"models/nn/gorgonia": "models/nn numeric/cluster numeric/elementary",
	"models/autoencoder": "configs/settings data eval models models/nn numeric/cluster numeric/kernel " +
		"numeric/parallel numeric/stat numeric/onnx models/nn/graph",
	"models/recurrent": "configs/settings data models models/nn models/nn/graph numeric/elementary numeric/onnx " +
		"numeric/parallel numeric/stat",
	"models/automata": "configs/settings data data/corpus eval models models/automata/flexfringe " +
		"models/automata/machine numeric/elementary numeric/stat",
	"models/automata/machine":    "configs/settings data data/corpus models numeric/elementary numeric/stat",
	"models/automata/flexfringe": "configs/settings data data/corpus models models/automata/machine",
	"models/automata/planted":    "data data/corpus",
	"models/classic": "configs/settings data models numeric/cluster numeric/elementary numeric/factor " +
		"numeric/isolation numeric/kernel numeric/onnx numeric/parallel numeric/similarity numeric/stat",
	"models/oneclass": "configs/settings data models numeric/elementary numeric/factor numeric/kernel " +
		"numeric/onnx numeric/parallel numeric/similarity numeric/stat",
	"models/deep": "data models models/nn models/nn/graph numeric/cluster numeric/elementary " +
		"numeric/isolation numeric/onnx numeric/stat",
	"models/ensemble": "data models numeric/onnx",
	"models/neighbours": "configs/settings data models numeric/cluster numeric/kernel numeric/neighbour " +
		"numeric/parallel numeric/stat numeric/onnx",
	"models/streaming": "data models numeric/elementary numeric/onnx",
	"models/supervised": "configs/settings data models models/nn models/nn/graph numeric/elementary numeric/kernel " +
		"numeric/minimise numeric/neighbour numeric/onnx numeric/similarity numeric/stat numeric/svm numeric/trees",
	"models/golearn": "data models numeric/elementary numeric/onnx",
	"models/all": "models/automata models/autoencoder models/classic models/deep models/ensemble models/golearn " +
		"models/neighbours models/nn/gorgonia models/oneclass models/recurrent models/streaming models/supervised",

	"runs/claim":  "",
	"runs/mirror": "data/bucket numeric/parallel runs runs/claim runs/experiment runs/record runs/status",
	"runs/experiment": "configs/settings data data/evasion data/flows data/infer data/prep data/pseudonym data/source " +
		"data/split data/synth eval models runs/record",
	"runs/submit": "data/bucket data/input numeric/parallel runs runs/experiment runs/record",
	"runs/status": "runs runs/claim runs/record",
	"runs/record": "configs/settings data eval models numeric/kernel runs/usage",
	"runs/prepare": "configs/settings data data/audit data/cache data/evasion data/noise data/prep data/profile " +
		"data/source data/split models numeric/parallel runs/experiment runs/record",
	"runs/runstest": "configs models/all runs/experiment",
	"runs/bundle": "configs/settings data data/flows data/input data/prep data/profile data/source eval models " +
		"runs/experiment runs/record",
	"runs/export": "configs/settings data eval models numeric/onnx runs/bundle runs/record",
	"runs/investigate": "data data/cache data/prep data/pseudonym data/source eval models runs/bundle runs/experiment " +
		"runs/prepare runs/record",
	"runs/train": "configs/settings data data/export data/roles data/source eval runs runs/alerts runs/bundle " +
		"runs/experiment runs/record runs/score",
	"runs/score": "data data/export data/prep data/profile data/pseudonym data/roles data/source eval runs/bundle " +
		"runs/experiment runs/investigate",
	"runs/usage":   "",
	"runs/alerts":  "configs/settings runs/visible",
	"runs/deliver": "configs/settings runs/alerts",
	"runs/watch": "data data/flowlog data/follow data/netflow data/nfcapd data/prep data/pseudonym data/roles " +
		"data/source models runs/alerts runs/bundle runs/deliver runs/investigate runs/record",
	"runs/serve": "configs/settings data data/derive data/input data/prep data/source data/value models runs/alerts " +
		"runs/bundle runs/investigate runs/page runs/record",
	"runs/foreign": "data data/export data/input models runs/experiment runs/prepare runs/record",
	"runs/compare": "configs/settings eval models numeric/stat runs/plot runs/record",
	"runs/methods": "configs/settings data data/split models runs/compare runs/experiment runs/record",
	"runs/audit":   "configs/settings data data/audit data/prep eval models",
	"runs/tune": "configs/settings data/split eval models runs runs/claim runs/experiment runs/foreign runs/prepare " +
		"runs/record",
	"runs/plot":     "runs/visible",
	"runs/visible":  "",
	"runs/edapage":  "data/eda data/value runs/page runs/plot runs/visible",
	"runs/pautomac": "data/corpus eval models models/automata/machine",
	"runs/dashboard": "configs/settings data data/roles data/source data/value eval models numeric/forecast " +
		"numeric/stat runs/bundle runs/experiment runs/investigate runs/page runs/record",
	"runs/schema": "configs/settings data/evasion data/prep data/source data/split models runs/experiment",
	"runs/page":   "",
	"runs/figures": "eval models/automata models/automata/machine runs/bundle runs/compare runs/plot " +
		"runs/record",
	"runs/page/pagetest": "",
	"runs/report":        "data/value eval runs/compare runs/figures runs/methods runs/page runs/plot runs/record",
	"runs": "data data/audit data/cache data/prep data/source eval models runs/bundle runs/claim runs/experiment " +
		"runs/foreign runs/prepare runs/record runs/usage numeric/cluster numeric/embed numeric/parallel " +
		"numeric/stat",

	"cmd/speed":          "configs/settings data data/workload eval models models/all models/nn numeric/kernel runs/usage",
	"cmd/speed/captures": "data/packets",
	"cmd/speed/serving":  "configs data data/source models/all runs/bundle runs/experiment runs/usage",
	"cmd/terminal":       "data/audit data/eda runs runs/audit runs/record runs/visible",
	"cmd/command": "cmd/terminal configs configs/settings data/bucket data/cache data/eda " +
		"data/pseudonym data/source runs runs/bundle runs/experiment runs/mirror runs/record runs/visible",
	"cmd/automaton": "*",
	"cmd/modelfile": "*",
	"cmd/serving":   "*",
	"cmd/use":       "*",
	"cmd/plumbline": "*",
}

// outside are modules that have one home, and what has it.
var outside = map[string]string{
	"gorgonia.org/":           "models/nn/gorgonia",
	"github.com/sjwhitworth/": "models/golearn",
	"github.com/axiomhq/":     "numeric/sketch",
	"github.com/ulikunitz/":   "data/input",
	"golang.org/x/text/":      "data/input",
	"github.com/spf13/cobra":  "cmd/automaton cmd/command cmd/modelfile cmd/plumbline cmd/serving cmd/use",
	"github.com/invopop/":     "runs/schema",
	"golang.org/x/term":       "cmd/terminal",
	"github.com/klauspost/": "data/input data/source data/export data/nfcapd data/parquet runs/record " +
		"runs/runstest",
	"github.com/expr-lang/expr":   "data/derive",
	"modernc.org/sqlite":          "runs/alerts",
	"github.com/twmb/franz-go":    "runs/deliver",
	"github.com/netsampler/":      "data/netflow",
	"github.com/pierrec/lz4/":     "data/nfcapd",
	"go.yaml.in/yaml/v3":          "configs/settings",
	"github.com/google/go-cmp/":   "",
	"codeberg.org/go-pdf/":        "runs/plot",
	"git.sr.ht/~sbinet/":          "runs/plot",
	"golang.org/x/image/":         "runs/plot",
	"github.com/chromedp/":        "runs/page/pagetest",
	"github.com/parquet-go/":      "", // tests only
	"k8s.io/":                     "", // tests only
	"sigs.k8s.io/":                "", // tests only
	"golang.org/x/sys/cpu":        "numeric/kernel",
	"google.golang.org/protobuf/": "numeric/onnx runs/export",
	"gonum.org/v1/gonum/":         "models/automata/flexfringe numeric/stat",

	// of buckets
	"github.com/minio/":         "data/bucket",
	"github.com/johannesboyne/": "data/bucket/buckettest",

	// of the service
	"github.com/go-json-experiment/": "runs/serve",
	"github.com/VictoriaMetrics/":    "runs/serve",
	"github.com/santhosh-tekuri/":    "", // tests only
}

type pkg struct {
	ImportPath, Dir, Doc      string
	GoFiles, Imports          []string
	TestImports, XTestImports []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Dir,Doc,GoFiles,Imports,TestImports,XTestImports",
		"./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var list []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	if len(list) < 10 {
		t.Fatalf("go list found %d packages", len(list))
	}
	return list
}

// inModule is an import path below the module, "" for the root.
func inModule(importPath string) (string, bool) {
	if importPath == "plumbline" {
		return "", true
	}
	return strings.CutPrefix(importPath, "plumbline/")
}

func TestImports(t *testing.T) {
	for _, p := range packages(t) {
		name, _ := inModule(p.ImportPath)
		if len(p.GoFiles) == 0 {
			continue // tests alone
		}
		homes, known := allowed[name]
		may := strings.Fields(homes)
		if !known {
			t.Errorf("package %s is not in the table of arch_test.go: where does it stand?", name)
			continue
		}
		if p.Doc == "" {
			t.Errorf("package %s has no package comment", name)
		}
		for _, imp := range p.Imports {
			if own, ok := inModule(imp); ok {
				if homes != "*" && !slices.Contains(may, own) {
					t.Errorf("%s may not import %s", name, own)
				}
				continue
			}
			for prefix, homes := range outside {
				if strings.HasPrefix(imp, prefix) && !slices.Contains(strings.Fields(homes), name) {
					t.Errorf("%s imports %s, which belongs in: %s", name, imp, homes)
				}
			}
		}
	}
}

// order is the house from left to right, for tests: they may look at anything that does not stand further
// right, so that a model can be tried on prepared data and judged.
var order = []string{"numeric", "eval", "configs", "data", "models", "runs", "cmd"}

// TestImportsOfTests: tests look in the same direction as the code, and one family's at no other family.
func TestImportsOfTests(t *testing.T) {
	place := func(name string) int {
		first, _, _ := strings.Cut(name, "/")
		return slices.Index(order, first)
	}
	families := []string{"autoencoder", "automata", "classic", "deep", "ensemble", "golearn",
		"neighbours", "oneclass",
		"recurrent", "streaming", "supervised"}
	family := func(name string) string {
		rest, _ := strings.CutPrefix(name, "models/")
		first, _, _ := strings.Cut(rest, "/")
		if slices.Contains(families, first) {
			return first
		}
		return ""
	}
	for _, p := range packages(t) {
		name, _ := inModule(p.ImportPath)
		for _, imp := range append(p.TestImports, p.XTestImports...) {
			if imp == "math/rand" {
				t.Errorf("a test of %s imports math/rand: use math/rand/v2", name)
			}
			own, ok := inModule(imp)
			switch {
			case !ok || name == "": // the root's tests are about the whole
			case place(own) > place(name):
				t.Errorf("tests of %s import %s, which stands to the right", name, own)
			case family(name) != "" && family(own) != "" && family(name) != family(own):
				t.Errorf("tests of %s import another family: %s", name, own)
			}
		}
	}
}

// TestFolders: a folder is named after what is in it.
func TestFolders(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if strings.HasPrefix(d.Name(), ".") && path != "." {
			return filepath.SkipDir
		}
		if slices.Contains([]string{"utils", "util", "common", "helpers", "helper", "pkg", "internal", "misc"}, d.Name()) {
			t.Errorf("%s: %q says nothing about what is in it", path, d.Name())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestCommands: main is one statement, and each subcommand has a file of its own.
func TestCommands(t *testing.T) {
	for _, p := range packages(t) {
		name, _ := inModule(p.ImportPath)
		if !strings.HasPrefix(name, "cmd/") {
			continue
		}
		for _, file := range p.GoFiles {
			commands := 0
			for _, decl := range parse(t, filepath.Join(p.Dir, file)).Decls {
				f, ok := decl.(*ast.FuncDecl)
				switch {
				case !ok:
				case f.Name.Name == "main" && f.Recv == nil && len(f.Body.List) != 1:
					t.Errorf("%s/%s: main has %d statements, want one", name, file, len(f.Body.List))
				case strings.HasSuffix(f.Name.Name, "Command") && f.Name.Name != "Command":
					commands++
					if want := strings.TrimSuffix(f.Name.Name, "Command") + ".go"; !strings.EqualFold(strings.ReplaceAll(file,
						"_",
						""), want) {
						t.Errorf("%s: %s stands in %s", name, f.Name.Name, file)
					}
				}
			}
			if commands > 1 {
				t.Errorf("%s/%s has %d subcommands", name, file, commands)
			}
		}
	}
}

// TestOneHome: golearn stands in one package.
func TestOneHome(t *testing.T) {
	for _, p := range packages(t) {
		for _, f := range p.GoFiles {
			for _, imp := range parse(t, filepath.Join(p.Dir, f)).Imports {
				name, _ := strconv.Unquote(imp.Path.Value)
				if strings.Contains(name, "sjwhitworth") && p.ImportPath != "plumbline/models/golearn" {
					t.Errorf("%s imports %s: its home is models/golearn", path.Join(p.ImportPath, f), name)
				}
			}
		}
	}
}

// learns says whether scores come out of a package.
func learns(name string) bool {
	others := []string{"numeric/elementary", "numeric/forecast", "numeric/hypothesis", "numeric/sketch"}
	return strings.HasPrefix(name, "models/") || name == "data/prep" ||
		strings.HasPrefix(name, "numeric/") && !slices.Contains(others, name)
}

// TestForbidden: no unseeded random numbers, no printing outside cmd, and no memory that outlives its use.
func TestForbidden(t *testing.T) {
	for _, p := range packages(t) {
		name, _ := inModule(p.ImportPath)
		for _, file := range p.GoFiles {
			f := parse(t, filepath.Join(p.Dir, file))
			at := path.Join(name, file)
			for _, imp := range f.Imports {
				switch v, _ := strconv.Unquote(imp.Path.Value); {
				case v == "math/rand":
					t.Errorf("%s imports math/rand: use math/rand/v2 and models.Env.Rand", at)
				// the suite checks that nobody logs
				case v == "log" && !strings.HasPrefix(name, "cmd/") && name != "models/modeltest":
					t.Errorf("%s imports log: return errors, or log through models.Env", at)
				}
			}
			for _, d := range f.Decls {
				ast.Inspect(d, func(n ast.Node) bool {
					_, call := d.(*ast.FuncDecl)
					if sel, ok := n.(*ast.SelectorExpr); ok && call && sel.Sel.Name == "Pool" {
						if x, ok := sel.X.(*ast.Ident); ok && x.Name == "sync" {
							t.Errorf("%s has a sync.Pool of a call, which is kept over two collections: use parallel.Workspaces", at)
						}
					}
					return true
				})
			}
			if strings.HasPrefix(name, "cmd/") {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if c, ok := n.(*ast.CallExpr); ok {
					if id, ok := c.Fun.(*ast.Ident); ok && (id.Name == "print" || id.Name == "println") {
						t.Errorf("%s prints with %s: printing is cmd's", at, id.Name)
					}
				}
				sel, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				x, ok := sel.X.(*ast.Ident)
				switch {
				case !ok:
				case x.Name == "slog" && slices.Contains([]string{"Default", "Debug", "Info", "Warn", "Error", "Log"},
					sel.Sel.Name):
					t.Errorf("%s logs through slog.%s: log through models.Env", at, sel.Sel.Name)
				case x.Name == "fmt" && strings.HasPrefix(sel.Sel.Name, "Print"):
					t.Errorf("%s prints with fmt.%s: printing is cmd's", at, sel.Sel.Name)
				// assembly on some processors, and products and sums that are fused on others
				case x.Name == "math" && slices.Contains([]string{"Exp", "Exp2", "Expm1", "Log", "Log1p", "Log2", "Log10",
					"Tanh",
					"Sin", "Cos"}, sel.Sel.Name) && learns(name):
					t.Errorf("%s takes math.%s, which rounds as the platform does: use numeric/elementary", at, sel.Sel.Name)
				case x.Name == "os" && (sel.Sel.Name == "Stdout" || sel.Sel.Name == "Stderr") && name != "models/modeltest":
					t.Errorf("%s uses os.%s: printing is cmd's", at, sel.Sel.Name)
				}
				return true
			})
		}
	}
}

func parse(t *testing.T, file string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

const maxLine = 120

// TestLines: lines can be read without scrolling. A line of a raw string cannot be broken: struct tags, and files that
// tests hold as text, are left out, and so is what is generated.
func TestLines(t *testing.T) {
	n := 0
	folders, err := filepath.Glob(".ci/*") // which go list passes over
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packages(t) {
		name, _ := inModule(p.ImportPath)
		folders = append(folders, filepath.FromSlash(path.Join(".", name)))
	}
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(string(raw), "// Code generated ") {
				continue
			}
			n++
			k, unbroken := 0, rawLines(file, raw)
			for line := range strings.Lines(string(raw)) {
				k++
				width := utf8.RuneCountInString(strings.TrimRight(line, "\r\n"))
				if width > maxLine && !unbroken[k] {
					t.Errorf("%s:%d has %d columns, want at most %d", filepath.ToSlash(file), k, width, maxLine)
				}
			}
		}
	}
	if n < 200 {
		t.Errorf("%d files were looked at", n)
	}
}

// rawLines are the lines of a file with a raw string: in tests all of it, elsewhere those on one line, such as tags.
func rawLines(file string, src []byte) map[int]bool {
	fset, lines := token.NewFileSet(), map[int]bool{}
	f := fset.AddFile(file, -1, len(src))
	var s scanner.Scanner
	s.Init(f, src, nil, 0)
	for {
		pos, kind, text := s.Scan()
		if kind == token.EOF {
			return lines
		}
		if kind != token.STRING || text[0] != '`' {
			continue
		}
		first := f.Line(pos)
		last := first + strings.Count(text, "\n")
		if strings.HasSuffix(file, "_test.go") || first == last {
			for k := first; k <= last; k++ {
				lines[k] = true
			}
		}
	}
}

// maxSize is the most lines without tests that a package holds before it is more than one room; the kernels may be
// larger.
const maxSize = 4500

// TestSize: no package holds more than one person reads in an afternoon.
func TestSize(t *testing.T) {
	for _, p := range packages(t) {
		name, _ := inModule(p.ImportPath)
		lines := 0
		for _, file := range p.GoFiles {
			raw, err := os.ReadFile(filepath.Join(p.Dir, file))
			if err != nil {
				t.Fatal(err)
			}
			lines += strings.Count(string(raw), "\n")
		}
		if name == "numeric/kernel" {
			continue
		}
		if lines > maxSize {
			t.Errorf("%s has %d lines without tests, want at most %d: it is more than one room", name, lines, maxSize)
		}
	}
}

// TestConfigFolders: the folders of configs hold YAML files and nothing else.
func TestConfigFolders(t *testing.T) {
	for _, kind := range []string{"data", "models", "experiments", "papers"} {
		entries, err := os.ReadDir(filepath.Join("configs", kind))
		if err != nil || len(entries) < 4 {
			t.Fatalf("configs/%s: %d files, %v", kind, len(entries), err)
		}
		for _, e := range entries {
			if e.IsDir() || filepath.Ext(e.Name()) != ".yaml" {
				t.Errorf("configs/%s/%s: want YAML files only", kind, e.Name())
			}
		}
	}
}
