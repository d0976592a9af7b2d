package main

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/spf13/cobra"

	"plumbline/cmd/automaton"
	"plumbline/cmd/command"
	"plumbline/cmd/modelfile"
	"plumbline/cmd/serving"
	"plumbline/cmd/use"
	_ "plumbline/models/all"
	"plumbline/runs/record"
)

// app holds the subcommands of this package.
type app struct{ *command.App }

func execute(args []string, out, errOut io.Writer) int {
	// a death of the Go runtime, as of memory, ends with SIGABRT and not with the exit code of wrong arguments
	debug.SetTraceback("crash")
	a := &app{command.New(args, out, errOut)}
	root := a.root()
	root.SetArgs(args)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	err := root.ExecuteContext(context.Background())
	if closed := a.Close(); err == nil {
		err = closed
	}
	return a.Code(err)
}

// ownAddresses marks commands that take addresses of runs in buckets by themselves; those of others are replaced by
// copies.
const ownAddresses = "addresses"

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
	c.PersistentPreRunE = func(c *cobra.Command, args []string) error {
		if c.Annotations[ownAddresses] != "" {
			return nil
		}
		return a.Views(c.Context(), args)
	}
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usage(fmt.Errorf("%w (see plumbline %s --help)", err, c.Name()))
	})
	c.AddCommand(a.runCommand(), a.collectCommand(), a.statusCommand(), a.compareCommand(), a.listCommand(),
		a.showCommand(),
		a.verifyCommand(),
		a.tuneCommand(), a.methodsCommand(), a.reportCommand(), a.plotCommand(), a.dashboardCommand(),
		a.investigateCommand(), a.bundleCommand(), a.exportRunCommand(), a.pushCommand(), a.modelsCommand(),
		a.dataCommand(), a.auditCommand(), a.edaCommand(),
		automaton.Command(a.App), a.cacheCommand(), a.schemaCommand(), a.checkCommand(), a.versionCommand())
	c.AddCommand(modelfile.Commands(a.App)...)
	c.AddCommand(use.Commands(a.App)...)
	c.AddCommand(serving.Command(a.App))
	return c
}
