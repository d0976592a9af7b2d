// Package modelfile is the commands that make model files from files, and score files with them: train, retrain and
// score.
package modelfile

import (
	"github.com/spf13/cobra"

	"plumbline/cmd/command"
	"plumbline/cmd/terminal"
)

// app holds the subcommands of this package.
type app struct{ *command.App }

// Commands are "plumbline score", "plumbline train" and "plumbline retrain".
func Commands(shared *command.App) []*cobra.Command {
	a := &app{shared}
	return []*cobra.Command{a.scoreCommand(), a.trainCommand(), a.retrainCommand()}
}

// What every command uses, by a short name.
var (
	usage           = command.Usage
	failed          = command.Failed
	needs           = command.Needs
	mayWrite        = command.MayWrite
	completeFolders = command.CompleteFolders
	completeOne     = command.CompleteOne
	number          = terminal.Number
)
