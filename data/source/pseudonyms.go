package source

import (
	"slices"

	"plumbline/data"
	"plumbline/data/pseudonym"
	"plumbline/data/rows"
)

// WithPseudonyms is the config with addresses replaced in whatever tables are read: after labels were joined, rows
// filtered and columns derived by the addresses as they are, so that nothing that follows has seen them.
func (c *Config) WithPseudonyms(m *pseudonym.Mapper) *Config {
	out := *c
	out.pseudonyms = m
	return &out
}

// Pseudonyms is what replaces addresses; nil: nothing does.
func (c *Config) Pseudonyms() *pseudonym.Mapper { return c.pseudonyms }

// Names says whether a text is the name of a column of the config, which messages may quote.
func (c *Config) Names(text string) bool {
	same := func(s rows.ColumnSpec) bool { return s.Name == text }
	if c.source != nil && slices.ContainsFunc(c.source.Schema(), same) {
		return true
	}
	for name, others := range c.Aliases {
		if name == text || slices.Contains(others, text) {
			return true
		}
	}
	return text == c.Label.Column || text == c.Label.Class || slices.Contains(c.Drop, text)
}

// said is a message about rows without what pseudonyms hide.
func (c *Config) said(text string) string { return c.pseudonyms.Said(text, c.Names) }

// hidden is an error about rows without what pseudonyms hide.
func (c *Config) hidden(err error) error { return c.pseudonyms.Error(err, c.Names) }

// disguised is a table as it leaves the reader.
func (c *Config) disguised(t *data.Table) *data.Table { return c.pseudonyms.Table(t) }
