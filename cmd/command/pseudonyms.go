package command

import (
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"plumbline/data/pseudonym"
	"plumbline/runs/experiment"
)

// Pseudonyms is --pseudonym-key, for the commands that read or show addresses.
type Pseudonyms struct{ path string }

// Flag adds the flag.
func (p *Pseudonyms) Flag(c *cobra.Command) {
	c.Flags().StringVar(&p.path, "pseudonym-key", "",
		"file of 64 hexadecimal digits by which addresses become pseudonyms (openssl rand -hex 32)")
	c.MarkFlagFilename("pseudonym-key")
}

// Path is the file; "": there is none.
func (p *Pseudonyms) Path() string { return p.path }

// Mapper is that of the key; nil: the flag is not given.
func (p *Pseudonyms) Mapper() (*pseudonym.Mapper, error) {
	if p.path == "" {
		return nil, nil
	}
	m, err := pseudonym.ReadKey(p.path)
	return m, Usage(err)
}

// Override adds the setting of an experiment that the flag stands for.
func (p *Pseudonyms) Override(to []string) ([]string, error) {
	if p.path == "" {
		return to, nil
	}
	if _, err := p.Mapper(); err != nil {
		return nil, err
	}
	path, err := filepath.Abs(p.path)
	if err != nil {
		return nil, Usage(fmt.Errorf("--pseudonym-key: %w", err))
	}
	return append(to, "pseudonym_key="+strconv.Quote(path)), nil
}

// Load is [App.Load] of a file and overrides, with that setting.
func (p *Pseudonyms) Load(a *App, args []string) (*experiment.Experiment, error) {
	overrides, err := p.Override(args[1:])
	if err != nil {
		return nil, err
	}
	return a.Load(args[0], overrides)
}
