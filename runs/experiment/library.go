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

// Library finds configs by name: in the config tree that an experiment file stands in, in ./configs, then
// among those built into the program.
type Library struct {
	dirs    []string
	builtin fs.FS
}

// NewLibrary looks in the tree around the experiment file (may be empty) first. builtin holds configs/…
// and may be nil.
func NewLibrary(experiment string, builtin fs.FS) Library {
	l := Library{builtin: builtin}
	if experiment != "" {
		l.dirs = append(l.dirs, filepath.Dir(filepath.Dir(experiment)))
	}
	l.dirs = append(l.dirs, "configs")
	return l
}

// builtinPrefix stands before the names of files that are in the program, not on disk.
const builtinPrefix = "built-in "

// errNoConfig says that no config has the name.
var errNoConfig = errors.New("no such config")

// Open reads the config of a kind (data, models, experiments) by name.
func (l Library) Open(kind, name string) (settings.Doc, error) {
	if !validName(name) {
		return settings.Doc{}, fmt.Errorf("%w: %q is not a name", errNoConfig, name)
	}
	for _, d := range l.dirs {
		file := filepath.Join(d, kind, name+".yaml")
		raw, err := os.ReadFile(file)
		switch {
		case err == nil:
			return settings.Parse(file, raw)
		case !errors.Is(err, fs.ErrNotExist) && !strings.Contains(err.Error(), "not a directory"):
			return settings.Doc{}, err
		}
	}
	if l.builtin != nil {
		file := path.Join(kind, name+".yaml")
		if raw, err := fs.ReadFile(l.builtin, file); err == nil {
			return settings.Parse(builtinPrefix+path.Join("configs", file), raw)
		}
	}
	return settings.Doc{}, fmt.Errorf("%w: %s %q%s", errNoConfig, kind, name, settings.DidYouMean(name, l.Names(kind)))
}

// Names lists the configs of a kind, sorted.
func (l Library) Names(kind string) []string {
	seen := map[string]bool{}
	add := func(entries []fs.DirEntry) {
		for _, e := range entries {
			if name, ok := strings.CutSuffix(e.Name(), ".yaml"); ok {
				seen[name] = true
			}
		}
	}
	for _, d := range l.dirs {
		entries, _ := os.ReadDir(filepath.Join(d, kind))
		add(entries)
	}
	if l.builtin != nil {
		entries, _ := fs.ReadDir(l.builtin, kind)
		add(entries)
	}
	out := make([]string, 0, len(seen))
	for n := range seen {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// validName says whether a text may name a config, a label or a folder of the run directory.
func validName(s string) bool {
	return s != "" && len(s) <= 100 && strings.Trim(s,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == "" && s[0] != '.' && s[0] != '-'
}
