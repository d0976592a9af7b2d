package experiment

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"plumbline/configs/settings"
	"plumbline/data/flows"
	"plumbline/data/infer"
	"plumbline/data/source"
)

// Named is what the name of a data set stands for.
type Named struct {
	Doc      settings.Node
	Dir      string // the folder of the config, or of the data file that it was inferred for; "" of built-in configs
	Inferred bool   // nobody wrote the config: it is a guess at a data file
}

// Data is what stands for a data set in experiments and on the command line, in this order: the name of a config, the
// path of a config (.yaml), or the path of a data file, whose config is inferred. Paths are relative to the folder of
// the experiment, or the current one where there is none.
func (l Library) Data(name string) (Named, error) {
	isPath := strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
	at := name
	if !filepath.IsAbs(at) {
		at = filepath.Join(l.beside, name)
	}
	if isPath {
		raw, err := os.ReadFile(at)
		if err != nil {
			return Named{}, fmt.Errorf("data config: %w", err)
		}
		doc, err := settings.Parse(at, raw)
		if err == nil {
			doc, err = l.inherit("data", doc)
		}
		return Named{Doc: doc, Dir: filepath.Dir(at)}, err
	}
	doc, err := l.Open("data", name)
	if err == nil {
		n := Named{Doc: doc}
		if !strings.HasPrefix(doc.File, builtinPrefix) {
			n.Dir = filepath.Dir(doc.File)
		}
		return n, nil
	}
	if st, bad := os.Stat(at); !errors.Is(err, errNoConfig) || bad != nil || !st.Mode().IsRegular() {
		return Named{}, err
	}
	text, err := infer.Infer(at)
	if err != nil {
		return Named{}, err
	}
	doc, err = settings.Parse("config inferred for "+at, text)
	return Named{Doc: doc, Dir: filepath.Dir(at), Inferred: true}, err
}

// Capture is the config that is inferred for a capture as flows in the columns of a tool, and whether that is a tool.
func (l Library) Capture(name, tool string) (n Named, ok bool, err error) {
	if !slices.Contains(flows.Names(), tool) {
		return n, false, nil
	}
	at := name
	if !filepath.IsAbs(at) {
		at = filepath.Join(l.beside, name)
	}
	text, err := infer.Capture(filepath.Base(at), tool)
	if err != nil {
		return n, true, err
	}
	doc, err := settings.Parse("config inferred for "+at, text)
	return Named{Doc: doc, Dir: filepath.Dir(at), Inferred: true}, true, err
}

// DataSet is the config that a name stands for, as [Library.Data] has it, and where its files are looked up: in the
// folders given, beside the config, then in the usual ones.
func (l Library) DataSet(name string, given ...string) (*source.Config, source.Finder, Named, error) {
	n, err := l.Data(name)
	if err != nil {
		return nil, source.Finder{}, n, err
	}
	c, err := source.DecodeConfig(n.Doc)
	if err != nil {
		return nil, source.Finder{}, n, err
	}
	dirs := append([]string{}, given...)
	if n.Dir != "" {
		dirs = append(dirs, n.Dir)
	}
	return c, source.NewFinder(dirs...), n, nil
}
