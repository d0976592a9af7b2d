package source

import (
	"plumbline/data"
	"plumbline/data/pseudonym"
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

// disguised is a table as it leaves the reader.
func (c *Config) disguised(t *data.Table) *data.Table { return c.pseudonyms.Table(t) }
