package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"plumbline/data"
	"plumbline/data/flows"
	"plumbline/data/input"
	"plumbline/data/source"
	"plumbline/runs/experiment"
)

// Input is how files are read to be scored.
type Input struct {
	Config *source.Config
	Finder source.Finder
	// Way says how it was found: "as the training data", "as NAME", "by the names in its header", or "as inferred".
	Way   string
	Notes []string // which columns stand for which
	Files []string // as they were named

	bundle *Bundle
	from   map[string]string // the file's column of each column that the model needs, where its name is another
}

// InputOptions is how the files of [Bundle.Input] are to be looked at.
type InputOptions struct {
	// name or file of a data config that reads them, of captures also the tool whose columns flows have (zeek, argus,
	// netflow, cic); "": as the training data, else as inferred, captures as the tool whose flows have the columns
	As      string
	Labels  bool // their truth is wanted
	Library experiment.Library
	Dirs    []string // folders of data files, looked into first
}

// errEnough ends a look at the first rows.
var errEnough = errors.New("enough")

// Input finds out how files can be read so that the model finds its columns: by the config of the training data, or
// another that is named, or one that is inferred for the first file; of captures, by the tool whose flows have them.
// Columns of other names are found by the aliases of the training data's config, or where upper case and punctuation
// alone are others. The error, where nothing fits, wraps ErrTable and says of every way why.
func (b *Bundle) Input(ctx context.Context, files []string, o InputOptions) (*Input, error) {
	if len(files) == 0 {
		return nil, fmt.Errorf("bundle: no files to score")
	}
	paths := make([]string, len(files))
	for i, f := range files {
		st, err := os.Stat(f)
		switch {
		case err != nil:
			return nil, fmt.Errorf("bundle: %w", err)
		case st.IsDir():
			return nil, fmt.Errorf("bundle: %s is a folder", f)
		}
		if paths[i], err = filepath.Abs(f); err != nil {
			return nil, fmt.Errorf("bundle: %w", err)
		}
	}
	in := &Input{Finder: source.NewFinder(o.Dirs...), Files: files, bundle: b}
	type way struct {
		name   string
		config func() (*source.Config, error) // nil: there is no such way
		quiet  bool                           // nobody needs to know why it is none
	}
	var ways []way
	is := func(name string, c *source.Config) { // it is made already
		ways = append(ways, way{name: name, config: func() (*source.Config, error) { return c, nil }})
	}
	var wrong []string
	tools := flows.Names()
	switch capture := isCapture(paths[0]); {
	case capture && (o.As == "" || slices.Contains(tools, o.As)):
		for _, tool := range tools {
			if o.As != "" && tool != o.As {
				continue
			}
			c, err := b.captureConfig(tool)
			if err != nil {
				return nil, err
			}
			is("as flows of "+tool, c.ForFiles(paths, o.Labels))
		}
	case o.As != "":
		c, finder, _, err := o.Library.DataSet(o.As, o.Dirs...)
		if err != nil {
			return nil, err
		}
		in.Finder = finder
		is("as "+o.As, c.ForFiles(paths, o.Labels))
		if short := c.WithoutTruth(paths); short != nil && !o.Labels {
			is("as "+o.As+" without its labels", short)
		}
	default:
		if !b.config.Generated() {
			is("as the training data", b.config.ForFiles(paths, o.Labels))
			if short := b.config.WithoutTruth(paths); short != nil && !o.Labels {
				is("as the training data without its labels", short)
			}
		}
		if !o.Labels {
			ways = append(ways, way{"by the names in its header", func() (*source.Config, error) {
				return b.byHeader(ctx, paths)
			}, true})
		}
		ways = append(ways, way{name: "as inferred", config: func() (*source.Config, error) {
			c, _, named, err := o.Library.DataSet(paths[0], o.Dirs...)
			if err != nil || !named.Inferred {
				return nil, err
			}
			return c.ForFiles(paths, o.Labels), nil
		}})
	}
	for _, w := range ways {
		c, err := w.config() // one after the other: inferring takes a look at many rows
		if err == nil && c == nil {
			continue
		}
		if err == nil {
			in.Config, in.Way = c, w.name
			err = in.try(ctx, paths[0])
		}
		if err == nil {
			return in, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if !w.quiet {
			wrong = append(wrong, w.name+": "+err.Error())
		}
	}
	return nil, fmt.Errorf("bundle: %s: %w\n  %s", files[0], ErrTable, strings.Join(wrong, "\n  "))
}

// headerLook is how much text has to be without a fault for a file to be read by its header.
const headerLook = 2 << 20

// byHeader reads files of commas whose header names the columns that the model needs, with the types of training, and
// those of addresses and times, by which a row is recognised, if it has them. Columns that nobody needs are not looked
// at. What notation the values have is not guessed: the beginning of the first file must have that of training.
func (b *Bundle) byHeader(ctx context.Context, paths []string) (*source.Config, error) {
	fields, err := b.config.Inputs(b.Columns, func(name string) bool { _, ok := b.needed[name]; return ok })
	if err != nil {
		return nil, err
	}
	in, err := input.Open(paths[0])
	if err != nil {
		return nil, err
	}
	defer in.Close()
	text, err := io.ReadAll(io.LimitReader(in, headerLook))
	if err != nil {
		return nil, err
	}
	if len(text) == headerLook {
		text = text[:bytes.LastIndexByte(text, '\n')+1]
	}
	head, _, _ := bytes.Cut(bytes.TrimSpace(text), []byte{'\n'})
	has := map[string]bool{}
	for _, cell := range strings.Split(string(head), ",") {
		has[strings.ToLower(strings.Trim(strings.TrimSpace(cell), `"`))] = true
	}
	for _, f := range b.Columns {
		if (f.Type == data.Address || f.Type == data.Time) && !slices.Contains(fields, f) &&
			slices.ContainsFunc(append([]string{f.Name}, b.config.Aliases[f.Name]...), func(name string) bool {
				return has[strings.ToLower(name)]
			}) {
			fields = append(fields, f)
		}
	}
	c, err := b.config.Body("delimited", fields)
	if err != nil {
		return nil, err
	}
	err = c.StreamFrom(ctx, bytes.NewReader(text), paths[0], 1, false, 0, func(*data.Table) error { return nil })
	if err != nil {
		return nil, err
	}
	c.MaxBad = b.config.MaxBad
	return c.ForFiles(paths, false), nil
}

// Named says whether a text is the name of a column that the model or the files' config knows: messages may quote it.
func (in *Input) Named(text string) bool { return in.bundle.Named(text) || in.Config.Names(text) }

// Named says whether a text is the name of a column of the training data.
func (b *Bundle) Named(text string) bool {
	return slices.ContainsFunc(b.Columns, func(f data.Field) bool { return f.Name == text }) || b.config.Names(text)
}

// File is what a file was called on the command line.
func (in *Input) File(path string) string {
	for i, p := range in.Config.Files.Train {
		if p == path {
			return in.Files[i]
		}
	}
	return path
}

// try looks at the first rows of the first file.
func (in *Input) try(ctx context.Context, path string) error {
	one, made := *in.Config.Trial(), []string(nil)
	one.Files = source.Files{Train: []string{path}}
	if !one.Streams(false) { // a look would read the whole file
		of, names := one.OfRows()
		one, made = *of, names
	}
	err := errors.New("it has no rows")
	_, read := source.Stream(ctx, &one, in.Finder, 1, false, func(t *data.Table, _ float64) error {
		if err = in.match(t, made); err == nil && made == nil {
			_, err = in.bundle.view(in.Table(t))
		}
		return errEnough
	})
	if !errors.Is(read, errEnough) && read != nil {
		return read
	}
	return err
}

// plain is a name without upper case and punctuation.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}

// match finds the columns of a table that stand for those that the model needs, but for those that are made later.
func (in *Input) match(t *data.Table, made []string) error {
	b := in.bundle
	in.from, in.Notes = map[string]string{}, nil
	has := map[string]bool{}
	for i := range t.Columns {
		has[t.Columns[i].Name] = true
	}
	var lacks []string
	for _, f := range b.Columns {
		if _, ok := b.needed[f.Name]; !ok || has[f.Name] || slices.Contains(made, f.Name) {
			continue
		}
		names := append([]string{f.Name}, b.config.Aliases[f.Name]...)
		found := ""
		for i := range t.Columns {
			own := t.Columns[i].Name
			if slices.ContainsFunc(names, func(n string) bool { return plain(n) == plain(own) && plain(n) != "" }) {
				found = own
				break
			}
		}
		if found == "" {
			lacks = append(lacks, strconv.Quote(f.Name))
			continue
		}
		in.from[f.Name] = found
		in.Notes = append(in.Notes, fmt.Sprintf("column %q stands for %q", found, f.Name))
	}
	if lacks != nil {
		var there []string
		for i := range t.Columns {
			there = append(there, t.Columns[i].Name)
		}
		return fmt.Errorf("%w: the columns %s are missing; there are %s", ErrTable, strings.Join(lacks, ", "),
			strings.Join(there, ", "))
	}
	return nil
}

// Table is a table of the files with the names and types of columns that the model needs. It shares what it can with t.
func (in *Input) Table(t *data.Table) *data.Table {
	if in.Way == "as the training data" {
		return t
	}
	out := *t
	out.Columns = slices.Clone(t.Columns)
	at := make(map[string]int, len(out.Columns))
	for i := range out.Columns {
		at[out.Columns[i].Name] = i
	}
	for _, f := range in.bundle.Columns {
		if _, ok := in.bundle.needed[f.Name]; !ok {
			continue
		}
		name, renamed := in.from[f.Name]
		if !renamed {
			name = f.Name
		}
		i, ok := at[name]
		if !ok {
			continue
		}
		c := retyped(out.Columns[i], f.Type)
		c.Name = f.Name
		out.Columns[i] = c
	}
	return &out
}

// retyped is a column as one of another type, where that can be: categories and addresses are both texts, numbers have
// one, and texts that are all numbers are numbers. What cannot be stays as it is.
func retyped(c data.Column, as data.ColumnType) data.Column {
	texts := func(t data.ColumnType) bool { return t == data.Category || t == data.Address }
	switch {
	case c.Type == as:
	case texts(c.Type) && texts(as):
		c.Type = as
	case c.Type == data.Number && texts(as):
		out := data.Column{Name: c.Name, Type: as, Code: make([]uint32, len(c.Num))}
		known := map[float64]uint32{}
		for i, v := range c.Num {
			if v != v {
				out.Code[i] = data.Missing
				continue
			}
			code, ok := known[v]
			if !ok {
				code = uint32(len(out.Levels))
				known[v] = code
				out.Levels = append(out.Levels, strconv.FormatFloat(v, 'f', -1, 64))
			}
			out.Code[i] = code
		}
		return out
	case texts(c.Type) && as == data.Number:
		values := make([]float64, len(c.Levels))
		for k, l := range c.Levels {
			v, err := strconv.ParseFloat(strings.TrimSpace(l), 64)
			if err != nil {
				return c
			}
			values[k] = v
		}
		out := data.Column{Name: c.Name, Type: as, Num: make([]float64, len(c.Code))}
		for i, code := range c.Code {
			out.Num[i] = math.NaN()
			if code != data.Missing {
				out.Num[i] = values[code]
			}
		}
		return out
	}
	return c
}
