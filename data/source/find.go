package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"plumbline/data/input"
)

// Finder knows the folders that data files are looked up in, in this order.
type Finder struct{ Dirs []string }

// NewFinder is the usual order: the folders given, $PLUMBLINE_DATA, then data/raw.
func NewFinder(given ...string) Finder {
	dirs := append([]string(nil), given...)
	if env := os.Getenv("PLUMBLINE_DATA"); env != "" {
		dirs = append(dirs, filepath.SplitList(env)...)
	}
	return Finder{append(dirs, filepath.Join("data", "raw"))}
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
			tried = append(tried, filepath.Join(d, folder), d)
			places = append(places, filepath.Join(d, folder, name), filepath.Join(d, name))
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
	return "", fmt.Errorf(
		"data: %w: %s (or .gz, .zst, .bz2, .xz) is in none of: %s; give the folder with --data or $PLUMBLINE_DATA",
		ErrNoFile,
		name,
		strings.Join(tried, ", "),
	)
}

// Paths is where the files of a data set are, training files first, those that label.join names last. The error names every file that is not found.
func (c *Config) Paths(f Finder) ([]string, error) {
	var out []string
	var errs []error
	names := slices.Concat(c.Files.Train, c.Files.Test)
	if c.Label.Join != nil {
		names = append(names, c.Label.Join.Files...)
	}
	for _, name := range names {
		path, err := f.Find(c.Folder, name)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.Name, err))
			continue
		}
		out = append(out, path)
	}
	if c.tested != nil {
		more, err := c.tested.Paths(f)
		if err != nil {
			errs = append(errs, err)
		}
		out = append(out, more...)
	}
	if errs != nil {
		return nil, errors.Join(errs...)
	}
	return out, nil
}

// textSize is how many bytes the files of a data set have uncompressed, as they say themselves; 0 where one
// says nothing or is not there.
func (c *Config) textSize(f Finder) (total int64) {
	paths, err := c.Paths(f)
	if err != nil {
		return 0
	}
	for _, p := range paths[:len(c.Files.Train)+len(c.Files.Test)] {
		n := input.TextSize(p)
		if n <= 0 {
			return 0
		}
		total += n
	}
	return total
}
