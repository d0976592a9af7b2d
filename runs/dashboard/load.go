package dashboard

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"plumbline/data/source"
	"plumbline/runs/bundle"
	"plumbline/runs/experiment"
)

// Options is what a dashboard is made from.
type Options struct {
	Data      string // name of a data set, or path of a config or a file
	Against   string // the same, whose benign flows these are held against; "": none
	Model     string // what [bundle.Load] opens, which scores the flows; "": none
	Countries string // path of a file of [ReadCountries]; "": no map

	DataDirs []string // folders of data files, looked into first
	Builtin  fs.FS    // configs that are part of the program
	// Say is told which data is read, and by what config; nil: nobody is.
	Say func(name string, c *source.Config, inferred bool)
}

// ErrOptions is wrapped by errors about what was asked for: a name, a cell or a file.
var ErrOptions = errors.New("cannot be shown")

func refused(err error) error {
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrOptions, err)
	}
	return err
}

// Load reads, scores and joins what the options name.
func Load(ctx context.Context, o Options) (*Dashboard, error) {
	var b *bundle.Bundle
	if o.Model != "" {
		var err error
		if b, err = bundle.Load(o.Model); err != nil {
			return nil, refused(err)
		}
	}
	place, err := openCountries(o.Countries)
	if err != nil {
		return nil, refused(err)
	}
	d, err := o.read(ctx, o.Data, b, place)
	if err != nil || o.Against == "" {
		return d, err
	}
	other, err := o.read(ctx, o.Against, b, place)
	if err != nil {
		return nil, err
	}
	d.Flows.Against(other.Flows)
	return d, nil
}

func openCountries(path string) (*Countries, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, err := ReadCountries(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// read is the flows of one data set.
func (o *Options) read(ctx context.Context, name string, b *bundle.Bundle, place *Countries) (*Dashboard, error) {
	c, finder, named, err := experiment.NewLibrary("", o.Builtin).DataSet(name, o.DataDirs...)
	if err != nil {
		return nil, refused(err)
	}
	if own := likeTrained(b, name, c, named.Inferred); own != nil {
		if t, _, err := source.Read(ctx, own, finder, runtime.GOMAXPROCS(0)); err == nil {
			return Open(ctx, t, own, b, place)
		}
	}
	if o.Say != nil {
		o.Say(name, c, named.Inferred)
	}
	t, _, err := source.Read(ctx, c, finder, runtime.GOMAXPROCS(0))
	if err != nil {
		return nil, err
	}
	return Open(ctx, t, c, b, place)
}

// likeTrained is how a data file without a config is read as the files that a model was trained on; nil where it cannot
// be.
func likeTrained(b *bundle.Bundle, file string, guess *source.Config, inferred bool) *source.Config {
	if b == nil || !inferred || len(b.Config().Files.Train) == 0 {
		return nil
	}
	path, err := filepath.Abs(file)
	if err != nil {
		return nil
	}
	c := *b.Config()
	c.Name, c.Files, c.Identify, c.Expect = guess.Name, source.Files{Train: []string{path}}, nil, source.Expect{}
	return &c
}
