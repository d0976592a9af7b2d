package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"plumbline/configs/settings"
	"plumbline/data/input"
)

// Finder knows the folders that data files are looked up in, in this order.
type Finder struct {
	Dirs   []string
	Memory int64 // bytes that one table read from them may take; 0: any
}

// NewFinder is the usual order: the folders given, $PLUMBLINE_DATA, then data/raw.
func NewFinder(given ...string) Finder {
	dirs := append([]string(nil), given...)
	if env := os.Getenv("PLUMBLINE_DATA"); env != "" {
		dirs = append(dirs, filepath.SplitList(env)...)
	}
	return Finder{Dirs: append(dirs, filepath.Join("data", "raw"))}
}

// Absolute is the folders as absolute paths.
func (f Finder) Absolute() []string {
	out := make([]string, 0, len(f.Dirs))
	for _, d := range f.Dirs {
		if abs, err := filepath.Abs(d); err == nil {
			out = append(out, abs)
		}
	}
	return out
}

// ErrNoFile is wrapped by Find's error when a data file is in none of the folders.
var ErrNoFile = errors.New("data file not found")

// Find is the path of a data file: name as it is when absolute, else in DIR/folder and in DIR, each as
// it is, or compressed (name.gz, .zst, .bz2, .xz). The error lists the folders.
func (f Finder) Find(folder, name string) (string, error) {
	var tried []string
	places := []string{name}
	if !filepath.IsAbs(name) {
		places = places[:0]
		for _, d := range f.Dirs {
			for _, in := range []string{filepath.Join(d, folder), filepath.Clean(d)} {
				if !slices.Contains(tried, in) { // DIR may be the folder of the config too
					tried, places = append(tried, in), append(places, filepath.Join(in, name))
				}
			}
		}
	}
	for _, p := range places {
		for _, ext := range input.Extensions {
			switch st, err := os.Stat(p + ext); {
			case err == nil && st.Mode().IsRegular():
				return p + ext, nil
			case err != nil && !errors.Is(err, fs.ErrNotExist) && !strings.Contains(err.Error(), "not a directory"):
				return "", fmt.Errorf("data: %w", err)
			}
		}
	}
	if tried == nil {
		tried = places
	}
	return "", fmt.Errorf("data: %w: %s (or .gz, .zst, .bz2, .xz) is in none of: %s; give the folder with --data or "+
		"$PLUMBLINE_DATA", ErrNoFile, name, strings.Join(tried, ", "))
}

// Forms are a list, of the training part, or a map of parts.
func (*Files) Forms() []settings.Form {
	type plain Files
	return []settings.Form{{List: &settings.Form{}}, {Keys: plain{}}}
}

// UnmarshalSettings takes a list, of the training part, or a map of parts.
func (f *Files) UnmarshalSettings(d settings.Node) settings.Problems {
	if !d.IsMap() {
		return settings.List(d, &f.Train)
	}
	type plain Files
	return d.Decode((*plain)(f))
}

// isPattern says whether the name of a file stands for several.
func isPattern(name string) bool { return strings.ContainsAny(name, "*?[") }

// Expand is the names of the data set's files as they are on disk, patterns replaced by the files that fit them, in the
// first folder that has any; compressed files go by their names without .gz and the like.
func (c *Config) Expand(f Finder) (Files, error) {
	var out Files
	for _, p := range []struct {
		names []string
		to    *[]string
	}{{c.Files.Train, &out.Train}, {c.Files.Test, &out.Test}} {
		for _, name := range p.names {
			fit := []string{name}
			if isPattern(name) {
				var err error
				if fit, err = f.glob(c.Folder, name); err != nil {
					return Files{}, fmt.Errorf("%s: %w", c.Name, err)
				}
			}
			for _, n := range fit {
				if slices.Contains(out.Train, n) || slices.Contains(out.Test, n) {
					return Files{}, fmt.Errorf(
						"data: %s: %q stands for %s, which is named already: its rows would be on both sides, "+
							"or counted twice",
						c.Name,
						name,
						n,
					)
				}
				*p.to = append(*p.to, n)
			}
		}
	}
	return out, nil
}

// glob is the files that fit a pattern, in the first folder that has any.
func (f Finder) glob(folder, pattern string) ([]string, error) {
	var tried []string
	bases := []string{""}
	if !filepath.IsAbs(pattern) {
		bases = nil
		for _, d := range f.Dirs {
			bases = append(bases, filepath.Join(d, folder), d)
		}
	}
	for _, base := range bases {
		tried = append(tried, base)
		var names []string
		for _, ext := range input.Extensions {
			paths, err := filepath.Glob(filepath.Join(globQuote(base), pattern+ext))
			if err != nil {
				return nil, fmt.Errorf("data: files: %q is not a pattern: %w", pattern, err)
			}
			for _, p := range paths {
				if st, err := os.Stat(p); err != nil || !st.Mode().IsRegular() {
					continue
				}
				name := strings.TrimSuffix(p, ext)
				if base != "" {
					rel, err := filepath.Rel(base, name)
					if err != nil {
						return nil, fmt.Errorf("data: %w", err)
					}
					name = rel
				}
				names = append(names, name)
			}
		}
		if len(names) > 0 {
			slices.Sort(names)
			return slices.Compact(names), nil
		}
	}
	return nil, fmt.Errorf("data: %w: no file fits %s in: %s", ErrNoFile, pattern, strings.Join(tried, ", "))
}

// globQuote is a folder as a pattern that only it fits.
func globQuote(folder string) string {
	return strings.NewReplacer("[", "[[]", "*", "[*]", "?", "[?]").Replace(folder)
}

// Paths is where the files of a data set are, in the order of [Config.Locate]. The error names every file that is not
// found.
func (c *Config) Paths(f Finder) ([]string, error) {
	var out []string
	var errs []error
	for of := c; of != nil; of = of.tested {
		if _, err := of.Expand(f); err != nil {
			errs = append(errs, err)
			continue
		}
		for _, l := range slices.Concat(of.locate(f), of.locateJoined(f)) {
			if l.Err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", of.Name, l.Err))
				continue
			}
			out = append(out, l.Path)
		}
	}
	if errs != nil {
		return nil, errors.Join(errs...)
	}
	return out, nil
}

// Located is where one file of a data set is, or why it is nowhere.
type Located struct {
	Name, Path string
	Err        error
}

// Locate looks for each file and pattern of the data set: training files, test files, those that label.join names, then
// those of the set that it is tested on.
func (c *Config) Locate(f Finder) (out []Located) {
	for of := c; of != nil; of = of.tested {
		out = slices.Concat(out, of.locate(f), of.locateJoined(f))
	}
	return out
}

// locateJoined looks for the files that label.join names and locate does not.
func (c *Config) locateJoined(f Finder) (out []Located) {
	if c.Label.Join == nil {
		return nil
	}
	for _, name := range c.Label.Join.Files {
		if slices.Contains(c.Files.Train, name) || slices.Contains(c.Files.Test, name) {
			continue // a file that labels its own rows
		}
		path, err := f.Find(c.Folder, name)
		out = append(out, Located{name, path, err})
	}
	return out
}

// locate looks for the files of the config's own rows.
func (c *Config) locate(f Finder) (out []Located) {
	for _, name := range slices.Concat(c.Files.Train, c.Files.Test) {
		names, err := []string{name}, error(nil)
		if isPattern(name) {
			if names, err = f.glob(c.Folder, name); err != nil {
				out = append(out, Located{Name: name, Err: err})
			}
		}
		for _, n := range names {
			path, err := f.Find(c.Folder, n)
			out = append(out, Located{n, path, err})
		}
	}
	return out
}

// textSize is how many bytes the files of a data set have uncompressed, as they say themselves; 0 where one
// says nothing or is not there.
func (c *Config) textSize(f Finder) (total int64) {
	for _, l := range c.locate(f) {
		if l.Err != nil {
			return 0
		}
		n := input.TextSize(l.Path)
		if n <= 0 {
			return 0
		}
		total += n
	}
	return total
}
