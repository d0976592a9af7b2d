package main

import (
	"github.com/spf13/cobra"

	"plumbline/cmd/command"
	"plumbline/runs"
)

// memorySize is the flag --memory.
type memorySize = command.Size

func (a *app) memoryFlag(c *cobra.Command, to *memorySize) {
	*to = memorySize(runs.MachineMemory())
	c.Flags().Var(to, "memory",
		"what a data set and a model may take together, such as 8GB; 0: any (default the machine's memory)")
	c.Flags().Lookup("memory").DefValue = "" // the machine's would be in the generated manual
}
