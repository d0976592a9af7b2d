package settings

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write fielddocs.json anew")

// TestFieldDocs: the embedded help texts are the doc comments of the source as it stands.
func TestFieldDocs(t *testing.T) {
	docs := map[string]map[string]string{}
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		for _, decl := range f.Decls {
			g, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range g.Specs {
				ts, ok := spec.(*ast.TypeSpec)
				if !ok {
					continue
				}
				if s, ok := ts.Type.(*ast.StructType); ok {
					if of := commentsOf(t, file, s); len(of) > 0 {
						docs[path.Join("plumbline", filepath.ToSlash(dir))+"."+ts.Name.Name] = of
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	enc := json.NewEncoder(&want)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "\t")
	if err := enc.Encode(docs); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("fielddocs.json", want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(fieldDocsJSON, want.Bytes()) {
		t.Error("fielddocs.json is not what the doc comments say: go generate ./configs/settings")
	}
}

// commentsOf is the first paragraphs of the doc comments of the fields of a struct that have YAML names, by field.
func commentsOf(t *testing.T, file string, s *ast.StructType) map[string]string {
	out := map[string]string{}
	for _, f := range s.Fields.List {
		if f.Tag == nil {
			continue
		}
		raw, err := strconv.Unquote(f.Tag.Value)
		if err != nil {
			t.Fatal(err)
		}
		tag := reflect.StructTag(raw)
		if _, ok := tag.Lookup("jsonschema_description"); ok {
			t.Errorf("%s: %v has its help text in a tag: it belongs in the doc comment", file, f.Names)
		}
		if name, ok := tag.Lookup("yaml"); !ok || name == "-" || f.Doc == nil {
			continue
		}
		for _, n := range f.Names {
			help, _, _ := strings.Cut(f.Doc.Text(), "\n\n")
			out[n.Name] = strings.Join(strings.Fields(help), " ")
		}
	}
	return out
}

// TestFieldDocOfTag: a type that the source does not have says its help text in a tag.
func TestFieldDocOfTag(t *testing.T) {
	type local struct {
		Said   int `yaml:"said" jsonschema_description:"as a tag has it"`
		Silent int `yaml:"silent"`
	}
	of := reflect.TypeFor[local]()
	if FieldDoc(of, "Said") != "as a tag has it" || FieldDoc(of, "Silent") != "" || FieldDoc(of, "Absent") != "" {
		t.Errorf("%q, %q, %q", FieldDoc(of, "Said"), FieldDoc(of, "Silent"), FieldDoc(of, "Absent"))
	}
}
