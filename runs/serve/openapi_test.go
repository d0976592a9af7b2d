package serve_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"plumbline/data"
	"plumbline/data/export"
	"plumbline/runs/serve"
)

// description is the OpenAPI document, whose schemas are JSON Schema 2020-12.
type description struct {
	sync.Mutex
	compiler *jsonschema.Compiler
	doc      map[string]any
	mux      *http.ServeMux // of its paths, for finding that of a request
}

var described = sync.OnceValues(func() (*description, error) {
	raw, err := os.ReadFile("openapi.json")
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	d := &description{compiler: jsonschema.NewCompiler(), doc: doc.(map[string]any), mux: http.NewServeMux()}
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	d.compiler.AssertFormat()
	for path := range d.doc["paths"].(map[string]any) {
		if path == "/" {
			path = "/{$}"
		}
		d.mux.HandleFunc(path, func(http.ResponseWriter, *http.Request) {})
	}
	return d, d.compiler.AddResource("openapi.json", doc)
})

// at is the value at a JSON pointer, references followed, and the pointer to where it stands; nil where there is none.
func (d *description) at(steps ...string) (any, string) {
	var v any = d.doc
	where := "#"
	for _, s := range steps {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, ""
		}
		if v, ok = m[s]; !ok {
			return nil, ""
		}
		where += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(s)
		if m, ok := v.(map[string]any); ok && len(m) == 1 && m["$ref"] != nil {
			where = m["$ref"].(string)
			to := strings.Split(strings.TrimPrefix(where, "#/"), "/")
			v, where = d.at(to...)
		}
	}
	return v, where
}

// check holds JSON against the schema below a place.
func (d *description) check(where string, raw []byte) error {
	s, err := d.compiler.Compile("openapi.json" + where + "/schema")
	if err != nil {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	return s.Validate(v)
}

// met is which described answers the tests have had, such as "post /v1/predict 200 application/json", and which bodies
// had success.
var met sync.Map

// checked holds an answer against the document: its status, its type, and its body where that is JSON; and the body of
// a request that had success.
func checked(t testing.TB, r *http.Request, body []byte, code int, header http.Header, answer []byte) {
	t.Helper()
	d, err := described()
	if err != nil {
		t.Fatal(err)
	}
	d.Lock()
	defer d.Unlock()
	_, path := d.mux.Handler(r)
	path = strings.TrimSuffix(path, "{$}")
	method := strings.ToLower(r.Method)
	if _, where := d.at("paths", path, method); where == "" {
		if code/100 == 2 && code != http.StatusNoContent {
			t.Errorf("%s %s is not described, and answers with %d", r.Method, r.URL, code)
		}
		return
	}
	kind, _, _ := strings.Cut(header.Get("Content-Type"), ";")
	_, where := d.at("paths", path, method, "responses", strconv.Itoa(code), "content", kind)
	if where == "" {
		t.Errorf("%s %s: an answer of status %d and type %s is not described: %.300s", r.Method, r.URL, code, kind, answer)
		return
	}
	met.Store(strings.Join([]string{method, path, strconv.Itoa(code), kind}, " "), true)
	if kind == jsonKind {
		if err := d.check(where, answer); err != nil {
			t.Errorf("%s %s, status %d: %v\n%.500s", r.Method, r.URL, code, err, answer)
		}
	}
	if code != http.StatusOK || method != "post" || body == nil {
		return
	}
	sent, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if _, where = d.at("paths", path, method, "requestBody", "content", sent); where == "" {
		t.Errorf("%s %s: a body of type %s is not described, and has success", r.Method, r.URL, sent)
		return
	}
	met.Store(strings.Join([]string{method, path, "sent", sent}, " "), true)
	if sent == jsonKind && r.Header.Get("Content-Encoding") == "" {
		if err := d.check(where, body); err != nil {
			t.Errorf("%s %s: a body that has success is not as described: %v", r.Method, r.URL, err)
		}
	}
}

// rare are answers that the tests do not bring about for each path: faults of the server, those of a server that stops
// or has no time, a client's that is busy or slow, and what the guard before all paths turns away.
var rare = []string{"403", "408", "421", "429", "500", "503"}

// unmet is what the document describes and no test has had: an answer of each path, a body of each type, and of those
// that are rare one of any path.
func unmet() (list []string) {
	d, err := described()
	if err != nil {
		return []string{err.Error()}
	}
	anywhere := map[string]bool{"500": true} // by a fault of the program alone
	met.Range(func(key, _ any) bool { anywhere[strings.Fields(key.(string))[2]] = true; return true })
	for path, of := range d.doc["paths"].(map[string]any) {
		for method, op := range of.(map[string]any) {
			for code := range op.(map[string]any)["responses"].(map[string]any) {
				answer, _ := d.at("paths", path, method, "responses", code, "content")
				for kind := range answer.(map[string]any) {
					key := strings.Join([]string{method, path, code, kind}, " ")
					if _, ok := met.Load(key); !ok && !(slices.Contains(rare, code) && anywhere[code]) {
						list = append(list, key)
					}
				}
			}
			bodies, _ := d.at("paths", path, method, "requestBody", "content")
			kinds, _ := bodies.(map[string]any)
			for kind := range kinds {
				key := strings.Join([]string{method, path, "sent", kind}, " ")
				if _, ok := met.Load(key); !ok {
					list = append(list, key)
				}
			}
		}
	}
	slices.Sort(list)
	return list
}

// TestOpenAPI: every schema of the document is one, every reference leads somewhere, and every path that the server
// answers at is in it.
func TestOpenAPI(t *testing.T) {
	d, err := described()
	if err != nil {
		t.Fatal(err)
	}
	if v := d.doc["openapi"]; v != "3.1.0" {
		t.Errorf("openapi is %v", v)
	}
	schemas := 0
	var walk func(v any, where string)
	walk = func(v any, where string) {
		switch v := v.(type) {
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				if to, _ := d.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...); to == nil {
					t.Errorf("%s: %s leads nowhere", where, ref)
				}
			}
			for k, of := range v {
				at := where + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(k)
				if k == "schema" || where == "#/components/schemas" {
					schemas++
					if _, err := d.compiler.Compile("openapi.json" + at); err != nil {
						t.Errorf("%s: %v", at, err)
					}
				}
				walk(of, at)
			}
		case []any:
			for i, of := range v {
				walk(of, where+"/"+strconv.Itoa(i))
			}
		}
	}
	walk(d.doc, "#")
	if schemas < 60 {
		t.Errorf("%d schemas", schemas)
	}
	h, _ := train(t, "flow").handler(t, nil, "iforest")
	for path, of := range d.doc["paths"].(map[string]any) {
		for method := range of.(map[string]any) {
			at := strings.NewReplacer("{model}", "iforest", "{version}", "none").Replace(path)
			r := httptest.NewRequest(strings.ToUpper(method), at, nil)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if unrouted := strings.Contains(w.Body.String(), "there is nothing at"); unrouted || w.Code == 405 {
				t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
			}
		}
	}
	status, raw := ask(t, h, "GET", "/v1/openapi.json", "", nil)
	var served any
	if err := json.Unmarshal(raw, &served); status != 200 || err != nil {
		t.Errorf("status %d, %v", status, err)
	}
}

// TestEveryAnswer: each path answers as the document has it where the token is missing, the model is not there, the
// body is of no type that is known, too large, none, or has a category that is to be refused.
func TestEveryAnswer(t *testing.T) {
	d, err := described()
	if err != nil {
		t.Fatal(err)
	}
	tr := train(t, "flow")
	h, s := tr.handler(t, func(o *serve.Options) {
		o.Token, o.Body, o.BatchBody, o.Unknown = "secret", 30000, 30000, serve.RefuseUnknown
	}, "iforest")
	good := tr.records(2)
	odd := tr.records(2)
	column := ""
	for _, c := range s.Models()[0].Needed() {
		if len(c.Levels) > 0 {
			column = c.Name
		}
	}
	odd[1][column] = "of another world"
	tensors := func(records []map[string]any) (list []any) {
		for i, name := range tr.columns {
			kind := map[data.ColumnType]string{data.Number: "FP64", data.Time: "FP64", data.Category: "BYTES",
				data.Address: "BYTES"}[tr.types[i]]
			list = append(list, map[string]any{"name": name, "datatype": kind, "shape": []int{2},
				"data": []any{records[0][name], records[1][name]}})
		}
		return list
	}
	lines := func(records []map[string]any) (out []byte) {
		for _, r := range records {
			out = append(append(out, encode(t, r)...), '\n')
		}
		return out
	}
	for path, of := range d.doc["paths"].(map[string]any) {
		body := func(records []map[string]any) (string, []byte) {
			switch {
			case strings.HasSuffix(path, "/batch"):
				return "application/x-ndjson", lines(records)
			case strings.HasSuffix(path, "/infer"):
				return jsonKind, encode(t, map[string]any{"inputs": tensors(records)})
			case path == "/invocations":
				return jsonKind, encode(t, map[string]any{"instances": records})
			}
			return jsonKind, encode(t, map[string]any{"records": records})
		}
		at := func(model string) string {
			return strings.NewReplacer("{model}", model, "{version}", s.Models()[0].Version[:12]).Replace(path)
		}
		query := func(model string) string {
			if !strings.Contains(path, "{model}") {
				return at(model) + "?model=" + model
			}
			return at(model)
		}
		for method, op := range of.(map[string]any) {
			answers := op.(map[string]any)["responses"].(map[string]any)
			want := func(code int, target, kind string, sent []byte, header ...string) {
				t.Helper()
				status, raw := ask(t, h, strings.ToUpper(method), target, kind, sent, append([]string{"Authorization",
					"Bearer secret"}, header...)...)
				if _, described := answers[strconv.Itoa(code)]; described != (status == code) {
					t.Errorf("%s %s: status %d, %.200s; described is %d: %v", method, target, status, raw, code, described)
				}
			}
			kind, sent := "", []byte(nil)
			if method == "post" {
				kind, sent = body(good)
			}
			want(200, at("iforest"), kind, sent)
			want(401, at("iforest"), kind, sent, "Authorization", "Bearer else")
			if strings.Contains(path, "{model}") || method == "post" {
				want(404, query("none"), kind, sent)
			}
			if method != "post" {
				continue
			}
			want(400, at("iforest"), kind, []byte("{"))
			want(413, at("iforest"), kind, bytes.Repeat([]byte(" "), 40000))
			want(415, at("iforest"), "image/png", sent)
			kind, sent = body(odd)
			want(422, at("iforest"), kind, sent)
			if strings.HasSuffix(path, "/batch") {
				want(406, at("iforest"), kind, sent, "Accept", "image/png")
				status, raw := ask(t, h, "POST", at("iforest"), "text/csv", tr.csv(t, 2), "Authorization", "Bearer secret",
					"Accept", "application/octet-stream")
				if status != 200 || len(raw) != 16 {
					t.Errorf("%s: status %d, %d bytes", path, status, len(raw))
				}
				table := tr.table.Only([]int32{0, 1})
				file := filepath.Join(t.TempDir(), "rows.parquet")
				if _, err := export.Export(t.Context(), table, file, nil); err != nil {
					t.Fatal(err)
				}
				sent, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				want(200, at("iforest"), "application/vnd.apache.parquet", sent)
				want(200, at("iforest"), "application/octet-stream", make([]byte, 0))
			}
		}
	}
}
