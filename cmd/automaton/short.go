package automaton

import (
	"plumbline/cmd/command"
	"plumbline/runs/record"
)

// What every command uses, by a short name.
var (
	usage     = command.Usage
	failed    = command.Failed
	needs     = command.Needs
	mayWrite  = command.MayWrite
	splitCell = record.SplitCell
)
