// Package command holds what all subcommands share: where they print, exit codes, flags that several have, writing a
// result to a file. The subcommands themselves are in cmd/plumbline and cmd/automaton.
package command

import (
	"errors"
	"fmt"
	"io"

	"plumbline/cmd/terminal"
	"plumbline/configs/settings"
	"plumbline/runs/visible"
)

// App is what the subcommands share.
type App struct {
	Args     []string  // as given
	Out, Err io.Writer // for people: what is printed there steers no terminal
	Raw      io.Writer // stdout for programs, such as CSV and JSON
	Terminal io.Writer // stderr for the moving line
	DataDirs []string
	Quiet    bool
	Draws    bool // stdout shows pictures of characters
	mirrors  mirrors
}

// New is an App that prints to stdout and stderr as given.
func New(args []string, out, errOut io.Writer) *App {
	return &App{
		Args: args, Out: &visible.Writer{To: out}, Err: &visible.Writer{To: errOut}, Raw: out, Terminal: errOut,
		Draws: terminal.Draws(out),
	}
}

// Code reports err, unless that has been done, and says which exit code it leads to.
func (a *App) Code(err error) int {
	if err == nil {
		return ExitOK
	}
	f := &Failure{Code: ExitUsage, Err: err}
	errors.As(err, &f)
	if notThere(err) {
		f = &Failure{Code: ExitUsage, Quiet: f.Quiet, Err: f.Err}
	}
	if !f.Quiet {
		a.report(f.Err)
	}
	return f.Code
}

// report prints an error; problems of a config take a line each.
func (a *App) report(err error) {
	var ps settings.Problems
	if errors.As(err, &ps) {
		for _, p := range ps {
			fmt.Fprintln(a.Err, p)
		}
		return
	}
	fmt.Fprintln(a.Err, "plumbline:", err)
}
