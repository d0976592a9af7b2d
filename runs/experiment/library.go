package experiment

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"plumbline/configs/settings"
)

// Library finds configs by name, for every command alike: beside the experiment file (in the current folder where there
// is none), in the config tree that the file stands in, in ./configs, then among those built into the program.
type Library struct {
	beside  string // its YAML files are configs of any kind, told by their keys
	dirs    []string
	builtin fs.FS
}

// NewLibrary looks around the experiment file (may be empty) first. builtin holds configs/… and may be nil.
func NewLibrary(experiment string, builtin fs.FS) Library {
	l := Library{beside: ".", builtin: builtin}
	if experiment != "" {
		l.beside = filepath.Dir(experiment)
		l.dirs = append(l.dirs, filepath.Dir(l.beside))
	}
	l.dirs = append(l.dirs, "configs")
	return l
}

// builtinPrefix stands before the names of files that are in the program, not on disk.
const builtinPrefix = "built-in "

// errNoConfig says that no config has the name.
var errNoConfig = errors.New("no such config")

// Open reads the config of a kind (data, models, experiments, papers) by the name of its file, or by the name that it
// gives itself. What the key base of a data config names is merged in.
func (l Library) Open(kind, name string) (settings.Node, error) {
	doc, err := l.open(kind, name)
	if err != nil {
		return doc, err
	}
	return l.inherit(kind, doc)
}

func (l Library) inherit(kind string, doc settings.Node) (settings.Node, error) {
	if kind != "data" {
		return doc, nil
	}
	return doc.Inherit(func(name string) (settings.Node, error) { return l.open(kind, name) })
}

func (l Library) open(kind, name string) (settings.Node, error) {
	if !validName(name) {
		return settings.Node{}, fmt.Errorf("%w: %q is not a name", errNoConfig, name)
	}
	for _, f := range l.folders(kind) {
		doc, err := f.read(name)
		switch {
		case err == nil:
			return doc, nil
		case !errors.Is(err, fs.ErrNotExist) && !strings.Contains(err.Error(), "not a directory"):
			return settings.Node{}, err
		}
	}
	// a config that was saved under another name
	for _, f := range l.folders(kind) {
		for _, file := range f.files() {
			doc, err := f.read(file)
			if err != nil {
				continue
			}
			own, _ := doc.Get("name")
			if text, ok := own.Scalar(); ok && text == name {
				return doc, nil
			}
		}
	}
	return settings.Node{}, fmt.Errorf("%w: %s %q%s", errNoConfig, kind, name, settings.DidYouMean(name, l.Names(kind)))
}

// folder is a place of configs of one kind.
type folder struct {
	fs fs.FS
	at string // stands before the name of a file in messages
	is func(settings.Node) bool
}

// read is the config in a file; one that is not of the folder's kind is none.
func (f folder) read(name string) (settings.Node, error) {
	raw, err := fs.ReadFile(f.fs, name+".yaml")
	if err != nil {
		return settings.Node{}, err
	}
	doc, err := settings.Parse(f.at+name+".yaml", raw)
	if err == nil && f.is != nil && !f.is(doc) {
		err = fs.ErrNotExist
	}
	return doc, err
}

// kinds are what tells the configs of a kind in a folder that holds several kinds: keys of which one is there, and none
// of the others.
var kinds = map[string]struct{ has, lacks []string }{
	"data":   {[]string{"format", "files", "base"}, []string{"models", "seeds", "model"}},
	"models": {[]string{"model"}, []string{"data", "models"}},
}

// folders are the places that are looked into, in order.
func (l Library) folders(kind string) (out []folder) {
	if k, ok := kinds[kind]; ok {
		at := l.beside + string(filepath.Separator)
		if l.beside == "." {
			at = ""
		}
		out = append(out, folder{os.DirFS(l.beside), at, func(d settings.Node) bool {
			has := func(key string) bool { _, ok := d.Get(key); return ok }
			return slices.ContainsFunc(k.has, has) && !slices.ContainsFunc(k.lacks, has)
		}})
	}
	for _, d := range l.dirs {
		dir := filepath.Join(d, kind)
		out = append(out, folder{os.DirFS(dir), dir + string(filepath.Separator), nil})
	}
	if l.builtin != nil {
		if sub, err := fs.Sub(l.builtin, kind); err == nil {
			out = append(out, folder{sub, builtinPrefix + path.Join("configs", kind) + "/", nil})
		}
	}
	return out
}

// files are those of a folder without their ending.
func (f folder) files() (out []string) {
	entries, _ := fs.ReadDir(f.fs, ".")
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".yaml"); ok {
			if f.is != nil {
				if _, err := f.read(name); err != nil {
					continue
				}
			}
			out = append(out, name)
		}
	}
	return out
}

// Names lists the configs of a kind by their files, sorted.
func (l Library) Names(kind string) []string {
	out := []string{}
	for _, f := range l.folders(kind) {
		out = append(out, f.files()...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// experimentKinds are the folders that experiments stand in.
var experimentKinds = []string{"experiments", "papers"}

// Experiment reads an experiment by name, as Open does, from the folders experiments and papers.
func (l Library) Experiment(name string) (doc settings.Node, err error) {
	for _, kind := range experimentKinds {
		if doc, err = l.Open(kind, name); !errors.Is(err, errNoConfig) {
			return doc, err
		}
	}
	return doc, fmt.Errorf("%w: experiment %q%s", errNoConfig, name, settings.DidYouMean(name, l.Experiments()))
}

// Experiments lists the experiments that can be named, sorted.
func (l Library) Experiments() []string {
	var out []string
	for _, kind := range experimentKinds {
		out = append(out, l.Names(kind)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// validName says whether a text may name a config, a label or a folder of the run directory.
func validName(s string) bool {
	return s != "" && len(s) <= 100 && strings.Trim(s,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == "" && s[0] != '.' && s[0] != '-'
}
