package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"plumbline/runs/export"
)

func (a *app) pushCommand() *cobra.Command {
	var url, experiment, files string
	var tries int
	c := &cobra.Command{
		Use:   "push RUNDIR --mlflow URL",
		Short: "Send a run to an MLflow tracking server",
		Long: `push sends a run directory to an MLflow tracking server: a run, and one below it for each cell, with settings
as parameters, metrics (losses by epoch), the data set, tags and files. Values that are not finite are left out.

What is on the server already is left as it is: a second push changes nothing, and one that broke off goes on where it
ended. A server that is busy or cannot be reached is tried again, with pauses from one second on, each twice as long.

The server's address may stand in MLFLOW_TRACKING_URI, a user in MLFLOW_TRACKING_USERNAME and
MLFLOW_TRACKING_PASSWORD, or a token in MLFLOW_TRACKING_TOKEN. Files go to servers that keep artifacts themselves.`,
		Example:           "  plumbline push runs/20240101-120000-quickstart --mlflow http://localhost:5000",
		Args:              needs(1, 1, "a run directory"),
		ValidArgsFunction: completeFolders(1),
		RunE: func(c *cobra.Command, args []string) error {
			o := export.PushOptions{
				URL: cmp.Or(url, os.Getenv("MLFLOW_TRACKING_URI")), Experiment: experiment, Files: export.Artifacts(files),
				Credentials: export.CredentialsFromEnvironment(), Tries: tries, Pause: time.Second,
			}
			if o.URL == "" {
				return usage(errors.New("push: --mlflow names the tracking server"))
			}
			if tries < 1 {
				return usage(fmt.Errorf("--tries %d: want at least 1", tries))
			}
			if !a.Quiet {
				o.Note = func(text string) { fmt.Fprintln(a.Err, "push:", text) }
			}
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			p, err := export.Push(ctx, args[0], o)
			switch {
			case errors.Is(err, export.ErrArguments):
				return usage(err)
			case err != nil:
				return failed(fmt.Errorf("%w; the same command goes on from here", err))
			}
			_, err = fmt.Fprintf(a.Out, "experiment %s: %d runs sent, %d there already, %d files\n", p.ExperimentID, p.Sent,
				p.Unchanged, p.Files)
			return failed(err)
		},
	}
	c.Flags().StringVar(&url, "mlflow", "", "address of the tracking server, such as http://localhost:5000")
	c.Flags().StringVar(&experiment, "experiment", "", "name of the experiment there; the run's own without it")
	c.Flags().StringVar(&files, "files", "small", "files to send: none, small, or all (scores and models too)")
	c.Flags().IntVar(&tries, "tries", 8, "tries of one call before push gives up")
	c.Flags().BoolVarP(&a.Quiet, "quiet", "q", false, "no notes on stderr")
	return c
}
