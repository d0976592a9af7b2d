package main

import (
	"plumbline/cmd/command"
	"plumbline/cmd/terminal"
	"plumbline/runs/record"
)

// What every command uses, by a short name.
const (
	exitUsage  = command.ExitUsage
	exitOK     = command.ExitOK
	exitFailed = command.ExitFailed
)

var (
	usage           = command.Usage
	failed          = command.Failed
	needs           = command.Needs
	mayWrite        = command.MayWrite
	completeFolders = command.CompleteFolders
	completeOne     = command.CompleteOne
	wrap            = command.Wrap
	number          = terminal.Number
	seconds         = terminal.Seconds
	splitCell       = record.SplitCell
)
