package main

import (
	"strconv"

	"github.com/spf13/cobra"

	"plumbline/runs"
	"plumbline/runs/experiment"
)

// memorySize is the flag --memory: a number of bytes such as 8GB.
type memorySize int64

func (a *app) memoryFlag(c *cobra.Command, to *memorySize) {
	*to = memorySize(runs.MachineMemory())
	c.Flags().Var(to, "memory",
		"what a data set and a model may take together, such as 8GB; 0: any (default the machine's memory)")
	c.Flags().Lookup("memory").DefValue = "" // the machine's would be in the generated manual
}

// Set takes a number with a unit, or a number of bytes.
func (m *memorySize) Set(text string) error {
	n, err := experiment.ParseSize(text)
	if err == nil {
		*m = memorySize(n)
	}
	return err
}

func (m *memorySize) String() string { return strconv.FormatInt(int64(*m), 10) }

// Type names the value in the help.
func (m *memorySize) Type() string { return "size" }
