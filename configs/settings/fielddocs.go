package settings

import (
	_ "embed"
	"encoding/json"
	"reflect"
	"sync"
)

//go:generate go test -run TestFieldDocs . -update

// fieldDocsJSON holds the help texts of the fields that have YAML names, of all structs of the module: by the
// type, as import path and name, and by the field. It is written by go generate.
//
//go:embed fielddocs.json
var fieldDocsJSON []byte

var fieldDocs = sync.OnceValue(func() map[string]map[string]string {
	var docs map[string]map[string]string
	if err := json.Unmarshal(fieldDocsJSON, &docs); err != nil {
		panic("settings: fielddocs.json: " + err.Error())
	}
	return docs
})

// FieldDoc is the help text of a setting: the first paragraph of the doc comment of the field, in the source of the
// struct that declares it, on one line. A struct that is not in the module's source, such as one of a test, says it in
// a tag
// jsonschema_description. A field that says nothing has "".
func FieldDoc(in reflect.Type, field string) string {
	if doc := fieldDocs()[in.PkgPath()+"."+in.Name()][field]; doc != "" {
		return doc
	}
	if f, ok := in.FieldByName(field); ok {
		return f.Tag.Get("jsonschema_description")
	}
	return ""
}
