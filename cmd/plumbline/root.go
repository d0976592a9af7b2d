package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"plumbline/cmd/terminal"
	"plumbline/configs"
	"plumbline/configs/settings"
	_ "plumbline/models/all"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
	"plumbline/runs/visible"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // a run in which some cell is not ok, or that could not be carried out
	exitUsage  = 2 // wrong arguments or config
)

// failure is an error with the exit code it leads to. It has been reported already when quiet.
type failure struct {
	code  int
	quiet bool
	err   error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func usage(err error) error {
	if err == nil {
		return nil
	}
	return &failure{code: exitUsage, err: err}
}

func failed(err error) error {
	if err == nil {
		return nil
	}
	return &failure{code: exitFailed, err: err}
}

// app is what the subcommands share.
type app struct {
	args     []string  // as given
	out, err io.Writer // for people: what is printed there steers no terminal
	raw      io.Writer // stdout for programs, such as CSV and JSON
	terminal io.Writer // stderr for the moving line
	dataDirs []string
	quiet    bool
	draws    bool // stdout shows pictures of characters
}

func execute(args []string, out, errOut io.Writer) int {
	// a death of the Go runtime, as of memory, ends with SIGABRT and not with the exit code of wrong arguments
	debug.SetTraceback("crash")
	a := &app{
		args: args, out: &visible.Writer{To: out}, err: &visible.Writer{To: errOut}, raw: out, terminal: errOut,
		draws: terminal.Draws(out),
	}
	root := a.root()
	root.SetArgs(args)
	root.SetOut(a.out)
	root.SetErr(a.err)
	err := root.ExecuteContext(context.Background())
	if err == nil {
		return exitOK
	}
	f := &failure{code: exitUsage, err: err}
	errors.As(err, &f)
	if !f.quiet {
		a.report(f.err)
	}
	return f.code
}

// report prints an error; problems of a config take a line each.
func (a *app) report(err error) {
	var ps settings.Problems
	if errors.As(err, &ps) {
		for _, p := range ps {
			fmt.Fprintln(a.err, p)
		}
		return
	}
	fmt.Fprintln(a.err, "plumbline:", err)
}

func (a *app) root() *cobra.Command {
	c := &cobra.Command{
		Use:   "plumbline",
		Short: "Train, score and compare network-anomaly detectors from an experiment file",
		Long: `plumbline trains, scores and compares network-anomaly detectors from an experiment file.

An experiment file names data sets, models and seeds. "run" reads and prepares each data set once, trains
every model on the same bytes and leaves a run directory with scores, metrics and models; "compare" sets
finished runs side by side.`,
		Example: `  plumbline run quickstart
  plumbline compare runs/20240101-120000-quickstart
  plumbline models iforest`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	c.Version = program(record.Build())
	c.SetVersionTemplate("plumbline {{.Version}}\n")
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usage(fmt.Errorf("%w (see plumbline %s --help)", err, c.Name()))
	})
	c.AddCommand(a.runCommand(), a.compareCommand(), a.listCommand(), a.showCommand(), a.verifyCommand(),
		a.tuneCommand(), a.methodsCommand(), a.reportCommand(), a.plotCommand(), a.dashboardCommand(),
		a.investigateCommand(), a.modelsCommand(),
		a.dataCommand(), a.auditCommand(), a.edaCommand(),
		a.automatonCommand(), a.cacheCommand(), a.schemaCommand(), a.checkCommand(), a.versionCommand())
	return c
}

// dataFlag is --data, for the commands that look for data files.
func (a *app) dataFlag(c *cobra.Command) {
	c.Flags().Var(folders{&a.dataDirs}, "data",
		"folder of data files (repeatable; then $PLUMBLINE_DATA, then data/raw)")
	c.MarkFlagDirname("data")
}

// jsonFlag is --json, for the commands whose result has a form for programs.
func (a *app) jsonFlag(c *cobra.Command, to *bool) { c.Flags().BoolVar(to, "json", false, "as JSON") }

// load reads an experiment file.
func (a *app) load(file string, overrides []string) (*experiment.Experiment, error) {
	for _, o := range overrides {
		if !settings.IsOverride(o) {
			return nil, usage(fmt.Errorf("%q is neither a flag nor an override (key=value, +key=value, ~key)", o))
		}
	}
	e, err := experiment.Load(file, experiment.LoadOptions{Overrides: overrides, DataDirs: a.dataDirs,
		Builtin: configs.Files})
	if err == nil {
		for _, file := range slices.Sorted(maps.Keys(e.Inferred)) {
			a.sayGuess(file, e.Inferred[file])
		}
	}
	return e, usage(err)
}

// library is the configs that can be named.
func (a *app) library() experiment.Library { return experiment.NewLibrary("", configs.Files) }

// needs makes an argument check whose message names what is missing.
func needs(min, max int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < min || max >= 0 && len(args) > max {
			return usage(fmt.Errorf("%s: want %s, got %d arguments (see plumbline %s --help)", c.Name(), what, len(args),
				c.Name()))
		}
		return nil
	}
}

// completeExperiment completes the name of an experiment, else the file; overrides are free text.
func (a *app) completeExperiment(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, name := range a.library().Experiments() {
		if begun != "" && strings.HasPrefix(name, begun) {
			names = append(names, name)
		}
	}
	if names != nil {
		return names, cobra.ShellCompDirectiveNoFileComp
	}
	return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}

// completeFolders completes run directories, at most max of them (-1: any number).
func completeFolders(max int) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if max >= 0 && len(args) >= max {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
}

// completeOne completes one argument out of some names.
func completeOne(names func() []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return names(), cobra.ShellCompDirectiveNoFileComp
	}
}

// wrap breaks text into lines of at most width columns, each after indent.
func wrap(text, indent string, width int) string {
	var b strings.Builder
	line := indent
	for _, w := range strings.Fields(text) {
		if len(line)+1+len(w) > width && line != indent {
			b.WriteString(line + "\n")
			line = indent
		}
		if line != indent {
			line += " "
		}
		line += w
	}
	return b.String() + line + "\n"
}
