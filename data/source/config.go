package source

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"plumbline/configs/settings"
	"plumbline/data/derive"
	"plumbline/data/pseudonym"
)

// Config describes one data set: its files, their format, and the data set's own defaults for how an
// experiment splits and prepares it. It is a file of configs/data.
type Config struct {
	// name of another data config; this one has its settings but for those that it gives itself
	Base string `yaml:"base"`
	// name that experiments use; lower case, digits, dashes
	Name string `yaml:"name"`
	// one or two sentences on what the data is
	Doc string `yaml:"doc"`
	// whom to cite
	Citation string `yaml:"citation"`
	// terms of use, as the publisher states them
	Licence string `yaml:"licence"`
	// where the publisher describes the data
	URL string `yaml:"url"`
	// what the config was tried on: the complete real files, a part of them, or invented rows in their layout
	Tried string `yaml:"tried" jsonschema:"enum=,enum=complete,enum=sample,enum=layout"`
	// how the files are read: delimited, zeek, ndjson, parquet, abbadingo, strings or synth
	Format string `yaml:"format"`
	// sub-folder of the data directories that the files are in; default the name
	Folder string `yaml:"folder"`
	// file names; .gz and .zst are found and read too
	Files Files `yaml:"files"`
	// where the files can be had without a form
	Fetch []Download `yaml:"fetch"`
	// which column holds the truth, and what in it is benign
	Label Label `yaml:"label"`
	// columns that are not kept
	Drop []string `yaml:"drop"`
	// other names that files give to columns, by the name that the rest of the config has; upper and lower case are the
	// same
	Aliases map[string][]string `yaml:"aliases"`
	// rows that are kept, by the range of a number or time
	Filter []RowFilter `yaml:"filter"`
	// share of unreadable rows above which reading fails; those below it are left out and reported
	MaxBad float64 `yaml:"max_bad_share" jsonschema:"minimum=0,maximum=1"`
	// values that cannot be right and are set to missing, before columns are added
	Repair []derive.Repair `yaml:"repair"`
	// columns that are added: values of an expression, parts of a time, aggregates over an entity's recent rows
	Derive []derive.Spec `yaml:"derive"`
	// settings of the format
	//
	// Options are the format's own settings.
	Options settings.Node `yaml:"options"`
	// files told by row or column counts, for files under another's name
	Identify []Identity `yaml:"identify"`
	// what the complete files hold; a difference is a warning
	Expect Expect `yaml:"expect"`
	// default split
	//
	// The data set's defaults for the experiment keys of the same names; decoded by package runs.
	Split settings.Node `yaml:"split"`
	// default preprocessing steps
	Prep settings.Node `yaml:"prep"`
	// default traces for trace models; none: trace models cannot run
	Traces settings.Node `yaml:"traces"`
	// default unit of evaluation
	Unit settings.Node `yaml:"unit"`
	// how the attacks of the test part are disguised before models see them
	//
	// Evasion belongs to an experiment rather than to the data, and stands here so that a data entry can declare it.
	Evasion settings.Node `yaml:"evasion"`
	// where the data set stands on an axis of robustness; resolved experiments with the key vary have it
	Axis settings.Node `yaml:"axis"`
	// another data set whose rows are the test part, in the columns that both have; an experiment writes
	// {train: NAME, test: NAME}
	TestSet settings.Node `yaml:"test_set"`

	source     Source
	tested     *Config           // the config of TestSet
	trial      bool              // reading ends where none of the first rows can be read
	pseudonyms *pseudonym.Mapper // of addresses; nil: they stay
}

// Files are the names of a data set's files by part. In YAML a list is that of the training part. A name may be a
// pattern with * and ?, which stands for the files that fit it, by name.
type Files struct {
	// files of the training part, or of the whole where nobody split it
	Train []string `yaml:"train"`
	// files of the official test part
	Test []string `yaml:"test"`
}

// Download is where one file can be had.
type Download struct {
	// address of the file; .gz and .zst stay compressed on disk
	URL string `yaml:"url"`
	// name of the file as in files
	File string `yaml:"file"`
	// size of the uncompressed content; 0: not known
	Bytes int64 `yaml:"bytes" jsonschema:"minimum=0"`
	// of the uncompressed content, in hexadecimal; none: not known, and that of the first fetch is noted beside the file
	SHA256 string `yaml:"sha256"`
}

// Label says how a row's truth is read.
type Label struct {
	// column that holds the label, read as text whatever its type; empty: the data has none, or files say it
	Column string `yaml:"column"`
	// column that holds the finer class of an attack; default the label column
	Class string `yaml:"class"`
	// further columns that tell the truth, coarser or finer: they are no features
	Levels []string `yaml:"levels"`
	// labels that are benign; all others are attacks. Upper and lower case, blanks around a label and how a number is
	// written make no difference
	Benign []string `yaml:"benign"`
	// labels that are attacks; with this list, a label in neither list is an error
	Attack []string `yaml:"attack"`
	// looked at before the lists; the first that fits a label decides
	Rules []LabelRule `yaml:"rules"`
	// files that are of one label throughout
	Files []FileLabel `yaml:"files"`
	// characters cut off both ends of a label besides blanks, such as the final dot of KDD99
	Trim string `yaml:"trim"`
	// other names for classes, for data that writes one class in several ways
	Rename map[string]string `yaml:"rename"`
	// texts of the class column that say nothing; the label stands in
	NoClass []string `yaml:"no_class"`
	// a second table that says which rows are attacks, in place of a column: intervals with addresses and ports, or
	// labels by a key
	Join *Join `yaml:"join"`
}

// LabelRule decides labels by their text. Upper and lower case are the same.
type LabelRule struct {
	// the whole label; an empty text is a missing label
	Equals *string `yaml:"equals"`
	// part of the label
	Contains string `yaml:"contains"`
	// what such rows are; drop leaves them out
	Is string `yaml:"is" jsonschema:"enum=benign,enum=attack,enum=drop"`
	// class to give them; default the label or class column
	Class string `yaml:"class"`
}

// FileLabel gives all rows of a file one label.
type FileLabel struct {
	// file as in files, or its last part; * and ? stand for any characters
	File string `yaml:"file"`
	// what its rows are
	Is string `yaml:"is" jsonschema:"enum=benign,enum=attack"`
	// class of its rows
	Class string `yaml:"class"`
}

// Identity says what a file is by its size, whatever its name. One with a part tells the data set's own
// files apart; one without names a file that does not belong here.
type Identity struct {
	// rows of the complete file
	Rows int `yaml:"rows" jsonschema:"minimum=0"`
	// columns of a foreign file, to say what it is when its rows do not fit
	Columns int `yaml:"columns" jsonschema:"minimum=0"`
	// which part it is
	Part string `yaml:"part" jsonschema:"enum=train,enum=test"`
	// what a foreign file is, in words
	Is string `yaml:"is"`
}

// Expect is what complete files hold.
type Expect struct {
	TrainRows int `yaml:"train_rows" jsonschema:"minimum=0"`
	TestRows  int `yaml:"test_rows" jsonschema:"minimum=0"`
}

// DecodeConfig reads a data config. The error is a settings.Problems with every problem found.
func DecodeConfig(doc settings.Node) (*Config, error) {
	c := &Config{}
	ps := doc.Decode(c)
	fresh, ok := formats[c.Format]
	switch {
	case doc.YAML == nil:
		ps = append(ps, doc.Problem("empty data config"))
	case c.Base != "":
		at, _ := doc.Get("base")
		ps = append(ps, at.Problem("the config %q was not merged in", c.Base))
	case c.Name == "":
		ps = append(ps, doc.Problem("a data config needs a name"))
	case !ok:
		at := doc
		if d, has := doc.Get("format"); has {
			at = d
		}
		ps = append(ps, at.Problem("unknown format %q%s", c.Format, settings.DidYouMean(c.Format, Formats())))
	default:
		c.source = fresh()
		ps = append(ps, c.Options.Decode(c.source)...)
		if len(ps) == 0 {
			ps = append(ps, c.source.Check(c.Options)...)
			ps = append(ps, c.checkFiles()...)
		}
		ps = append(ps, c.checkNames(doc)...)
	}
	if err := c.Label.check(); err != nil {
		at, _ := doc.Get("label")
		ps = append(ps, at.Problem("%v", err))
	}
	if c.TestSet.Given() {
		var err error
		if c.tested, err = DecodeConfig(c.TestSet); err != nil {
			ps = append(ps, c.TestSet.Problem("%v", err))
		}
	}
	if c.Label.Join != nil {
		at, _ := doc.Get("label")
		at, _ = at.Get("join")
		ps = append(ps, c.Label.Join.decode(c, at)...)
	}
	if err := c.checkAliases(); err != nil {
		at, _ := doc.Get("aliases")
		ps = append(ps, at.Problem("%v", err))
	}
	named := map[string]bool{}
	for _, f := range slices.Concat(c.Files.Train, c.Files.Test) {
		if at, ok := doc.Get("files"); ok && named[f] {
			ps = append(ps, at.Problem("%q is named twice: its rows would be on both sides, or counted twice", f))
		}
		named[f] = true
	}
	for i, id := range c.Identify {
		if err := id.check(); err != nil {
			if at, ok := doc.Get("identify"); ok {
				ps = append(ps, at.Items()[i].Problem("%v", err))
			}
		}
	}
	if ok && len(ps) == 0 {
		ps = append(ps, c.checkDerived(doc)...)
	}
	for i, f := range c.Filter {
		if at, ok := doc.Get("filter"); ok {
			if err := f.check(); err != nil {
				ps = append(ps, at.Items()[i].Problem("%v", err))
			}
		}
	}
	for i, f := range c.Fetch {
		if at, ok := doc.Get("fetch"); ok {
			if err := f.check(); err != nil {
				ps = append(ps, at.Items()[i].Problem("%v", err))
			}
		}
	}
	if c.Folder == "" {
		c.Folder = c.Name
	}
	if len(ps) > 0 {
		return nil, ps
	}
	return c, nil
}

// checkFiles says what is wrong with the files as those of the format.
func (c *Config) checkFiles() settings.Problems {
	switch g, ok := c.source.(Generator); {
	case ok:
		return g.CheckConfig(c)
	case len(c.Files.Train) == 0:
		return settings.Problems{{Where: c.Options.File, Path: "files.train", Msg: "names no file"}}
	}
	return nil
}

// checkNames checks the columns that the config names against those that it declares.
func (c *Config) checkNames(doc settings.Node) (ps settings.Problems) {
	schema := c.source.Schema()
	if schema == nil {
		return nil
	}
	var names []string
	for _, s := range schema {
		names = append(names, s.Name)
	}
	check := func(key, column string) {
		if column != "" && !slices.Contains(names, column) {
			at, _ := doc.Get(key)
			ps = append(ps, at.Problem("no column %q%s", column, settings.DidYouMean(column, names)))
		}
	}
	check("label", c.Label.Column)
	check("label", c.Label.Class)
	for _, l := range c.Label.Levels {
		check("label", l)
	}
	for _, d := range c.Drop {
		check("drop", d)
	}
	for _, f := range c.Filter {
		check("filter", f.Column)
	}
	return ps
}

// Generated says whether the data is made by the program and needs no files.
func (c *Config) Generated() bool {
	_, ok := c.source.(Generator)
	return ok
}

func (d Download) check() error {
	u, err := url.Parse(d.URL)
	sum, sumErr := hex.DecodeString(d.SHA256)
	switch {
	case err != nil:
		return errors.New("url: cannot be read: want http:// or https://")
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("url %q: want http:// or https://", u.Redacted())
	case d.File == "" || filepath.Base(d.File) != d.File || strings.HasPrefix(d.File, "."):
		return fmt.Errorf("file %q: want the plain name of a file", d.File)
	case d.SHA256 != "" && (sumErr != nil || len(sum) != 32):
		return fmt.Errorf("sha256 %q: want 64 hexadecimal digits", d.SHA256)
	}
	return nil
}
