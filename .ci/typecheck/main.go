// Command typecheck checks the types of all packages of the module and of their tests as they are for $GOOS and
// $GOARCH, and that functions without a body have one in assembly. Nothing is compiled: on a fresh machine that would
// take minutes for each platform.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/packages"
)

func main() {
	root, err := filepath.Abs(".")
	if err != nil {
		fail(err)
	}
	// of what the module depends on, bodies say nothing about us
	parse := func(fset *token.FileSet, name string, src []byte) (*ast.File, error) {
		f, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
		if f != nil && !strings.HasPrefix(name, root+string(filepath.Separator)) {
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok {
					fn.Body = nil
				}
			}
		}
		return f, err
	}
	all, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports |
			packages.NeedDeps | packages.NeedTypes | packages.NeedSyntax | packages.NeedModule,
		Tests: true, ParseFile: parse,
	}, "./...")
	if err != nil {
		fail(err)
	}
	wrong := 0
	for _, p := range all {
		if strings.HasSuffix(p.ID, ".test") { // the program that go test makes
			continue
		}
		for _, e := range p.Errors {
			fmt.Fprintln(os.Stderr, e)
			wrong++
		}
		assembly := ""
		for _, name := range p.OtherFiles {
			if filepath.Ext(name) == ".s" {
				text, err := os.ReadFile(name)
				if err != nil {
					fail(err)
				}
				assembly += string(text)
			}
		}
		for _, f := range p.Syntax {
			for _, d := range f.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if ok && fn.Body == nil && !strings.Contains(assembly, "·"+fn.Name.Name+"(") {
					fmt.Fprintf(os.Stderr, "%s: %s has no body\n", p.Fset.Position(fn.Pos()), fn.Name.Name)
					wrong++
				}
			}
		}
	}
	if wrong > 0 || len(all) == 0 {
		fail(fmt.Errorf("%d packages, %d errors", len(all), wrong))
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "typecheck:", err)
	os.Exit(1)
}
