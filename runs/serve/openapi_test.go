package serve_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
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

// checked holds an answer against the document: its status, its type, and its body where that is JSON; and the body of
// a request that had success.
func checked(t testing.TB, r *http.Request, body []byte, w *httptest.ResponseRecorder) {
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
		if w.Code/100 == 2 && w.Code != http.StatusNoContent {
			t.Errorf("%s %s is not described, and answers with %d", r.Method, r.URL, w.Code)
		}
		return
	}
	kind, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";")
	_, where := d.at("paths", path, method, "responses", strconv.Itoa(w.Code), "content", kind)
	if where == "" {
		t.Errorf("%s %s: an answer of status %d and type %s is not described: %.300s", r.Method, r.URL, w.Code, kind,
			w.Body.Bytes())
		return
	}
	if kind == jsonKind {
		if err := d.check(where, w.Body.Bytes()); err != nil {
			t.Errorf("%s %s, status %d: %v\n%.500s", r.Method, r.URL, w.Code, err, w.Body.Bytes())
		}
	}
	if w.Code != http.StatusOK || method != "post" {
		return
	}
	sent, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if _, where = d.at("paths", path, method, "requestBody", "content", sent); where == "" {
		t.Errorf("%s %s: a body of type %s is not described, and has success", r.Method, r.URL, sent)
	} else if sent == jsonKind && r.Header.Get("Content-Encoding") == "" {
		if err := d.check(where, body); err != nil {
			t.Errorf("%s %s: a body that has success is not as described: %v", r.Method, r.URL, err)
		}
	}
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
