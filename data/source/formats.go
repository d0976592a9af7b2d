package source

import (
	"slices"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/data/columnar"
	"plumbline/data/flowlog"
	"plumbline/data/ndjson"
	"plumbline/data/rows"
)

// Source reads one file format.
type Source interface {
	// Schema lists the columns before any file is read, or nil where the files themselves name them.
	Schema() []rows.ColumnSpec
	// Check says what is wrong with the settings.
	Check(options settings.Node) settings.Problems
}

// Generator is a source that needs no files.
type Generator interface {
	Generate(name string) (*data.Table, error)
	// CheckConfig says what in a data config does not fit data that is generated.
	CheckConfig(c *Config) settings.Problems
}

// formats are the known file formats, by name.
var formats = map[string]func() Source{
	"abbadingo":   func() Source { return &AbbadingoFile{} },
	"delimited":   func() Source { return newDelimited() },
	"ndjson":      func() Source { return ndjson.New() },
	"nfcapd":      func() Source { return &flowlog.Nfcapd{} },
	"nfdump-text": func() Source { return &flowlog.NfdumpText{} },
	"parquet":     func() Source { return columnar.NewParquet() },
	"strings":     func() Source { return &StringColumn{Separator: ","} },
	"suricata":    func() Source { return flowlog.NewSuricata() },
	"zeek":        func() Source { return &flowlog.Zeek{} },
	"zeek-json":   func() Source { return &flowlog.ZeekJSON{} },
}

// RegisterFormat makes a further format known to data configs. The source is decoded from the config's
// options. It is called from init and panics when the name is taken.
func RegisterFormat(name string, fresh func() Source) {
	if _, dup := formats[name]; dup {
		panic("data: format registered twice: " + name)
	}
	formats[name] = fresh
}

// Formats lists the known file formats.
func Formats() []string {
	var out []string
	for f := range formats {
		out = append(out, f)
	}
	slices.Sort(out)
	return out
}

// FormatOptions is a format's settings with their defaults, for help and schema.
func FormatOptions(name string) (any, bool) {
	f, ok := formats[name]
	if !ok {
		return nil, false
	}
	return f(), true
}
