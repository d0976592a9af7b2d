package flows

import (
	"context"
	"errors"
	"io"
	"slices"

	"plumbline/configs/settings"
	"plumbline/data/packets"
	"plumbline/data/rows"
	"plumbline/data/source"
)

func init() {
	source.RegisterFormat("pcap", func() source.Source { return &Capture{MaxOpen: DefaultMaxOpen} })
}

// Capture reads packet captures, pcap and pcapng, as flows. The files of a part are one stream.
type Capture struct {
	// the tool whose columns the flows have: zeek, argus, netflow or cic
	As string `yaml:"as"`
	// open GRE, ERSPAN, VXLAN, GENEVE and IP within IP: flows are those within
	Tunnels bool `yaml:"tunnels"`
	// leave packets out whose checksums are wrong; default what the tool does
	Checksums *bool `yaml:"checksums"`
	// keep connections of different VLANs apart
	VLAN bool `yaml:"vlan"`
	// connections that are open at a time; the one that was silent longest makes room for one more
	MaxOpen int `yaml:"max_open" jsonschema:"minimum=1"`
	// number columns to be read as categories, such as ports
	Categories []string `yaml:"categories"`
	// the tool's own settings, such as its time-outs
	Settings settings.Node `yaml:"settings"`

	vocabulary Vocabulary
}

// Check says what is wrong with the settings.
func (c *Capture) Check(options settings.Node) (ps settings.Problems) {
	info, err := Lookup(c.As)
	if err != nil {
		return append(ps, options.At("as").Problem("want one of %v, not %q%s", Names(), c.As,
			settings.DidYouMean(c.As, Names())))
	}
	v := info.New()
	ps = append(ps, c.Settings.Decode(v)...)
	if len(ps) == 0 {
		if err := v.Check(); err != nil {
			ps = append(ps, options.At("settings").Problem("%v", err))
		}
	}
	if c.MaxOpen < 1 {
		ps = append(ps, options.At("max_open").Problem("want at least 1"))
	}
	if len(ps) > 0 {
		return ps
	}
	c.vocabulary = v
	specs := c.Schema()
	for _, name := range c.Categories {
		if !slices.ContainsFunc(specs, func(s rows.ColumnSpec) bool { return s.Name == name }) {
			ps = append(ps, options.At("categories").Problem("flows of %s have no column %q", c.As, name))
		}
	}
	return ps
}

// Schema lists the columns.
func (c *Capture) Schema() []rows.ColumnSpec {
	if c.vocabulary == nil {
		return nil
	}
	specs := c.vocabulary.Columns()
	for i, s := range specs {
		if slices.Contains(c.Categories, s.Name) {
			specs[i].Type = "category"
		}
	}
	return specs
}

// Read reads one capture.
func (c *Capture) Read(ctx context.Context, in io.Reader, name string, tb *rows.Builder, workers int) error {
	file := source.File{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(in), nil }}
	return c.ReadAll(ctx, []source.File{file}, tb, workers, func(int) {})
}

// ReadAll reads captures as one stream.
func (c *Capture) ReadAll(ctx context.Context, files []source.File, tb *rows.Builder, workers int,
	begin func(file int)) error {
	if c.vocabulary == nil {
		return errors.New("flows: the settings were not checked")
	}
	specs, err := tb.Begin(c.Schema())
	if err != nil {
		return err
	}
	captures := make([]packets.File, len(files))
	for i, f := range files {
		captures[i] = packets.File(f)
	}
	at := 0
	s := Settings{Tunnels: c.Tunnels, Checksums: c.Checksums, VLAN: c.VLAN, MaxOpen: c.MaxOpen}
	rep, err := Build(ctx, packets.NewReader(captures), c.vocabulary, s, specs, tb.Skips(specs), workers,
		func(chunk *rows.Chunk, file int) error {
			for ; at < file; at++ {
				begin(at + 1)
			}
			return tb.Add(chunk)
		})
	if err != nil {
		return err
	}
	tb.Warnings = append(tb.Warnings, rep.Says()...)
	return nil
}
