// Package use is the commands that put a trained model to work on traffic as it comes, and show what it found: watch
// and alerts.
package use

import (
	"github.com/spf13/cobra"

	"plumbline/cmd/command"
	"plumbline/cmd/terminal"
)

// app holds the subcommands of this package.
type app struct{ *command.App }

// Commands are "plumbline watch" and "plumbline alerts".
func Commands(shared *command.App) []*cobra.Command {
	a := &app{shared}
	return []*cobra.Command{a.watchCommand(), a.alertsCommand()}
}

// What every command uses, by a short name.
var (
	usage    = command.Usage
	failed   = command.Failed
	needs    = command.Needs
	mayWrite = command.MayWrite
	seconds  = terminal.Seconds
)
