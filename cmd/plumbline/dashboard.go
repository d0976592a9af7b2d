package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"plumbline/cmd/command"
	"plumbline/configs"
	"plumbline/data/source"
	"plumbline/runs/dashboard"
	"plumbline/runs/page"
)

func (a *app) dashboardCommand() *cobra.Command {
	var o dashboard.Options
	var out, serve string
	var seed uint64
	c := &cobra.Command{
		Use:   "dashboard NAME|FILE",
		Short: "Show the flows of a data set as linked charts, as one HTML page or served",
		Long: `dashboard writes one HTML page that opens from disk without a network: traffic over time in and out, signs of
anomalies, protocols, services, connection status, hosts, scores, correlations, alarms with their reasons and the flows
beside them, and forecasts. A filter by time, protocol, service, label, host or score acts on every chart. With --run
the model of a finished cell, or a model file, scores the flows, so that alarms are its; without, what is marked are
labelled attacks.

The page carries its flows in at most 20 bytes each and 12 MB together; of more, it carries a sample that says so. With
--serve nothing is written: the page and each view as JSON are answered at an address (127.0.0.1:8642 unless another
is given with --serve=ADDRESS) until an interrupt, for data too large for a page.

--against holds the flows against the benign flows of another data set or file, such as those of an earlier day.`,
		Example: "  plumbline dashboard synth -o dashboard.html\n" +
			"  plumbline dashboard synth --run runs/20240101-120000-quickstart/znorm -o dashboard.html",
		Args:              needs(1, 1, "a data set or a file"),
		ValidArgsFunction: completeOne(func() []string { return a.Library().Names("data") }),
		RunE: func(c *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			o.Data = args[0]
			return a.dashboard(ctx, o, out, serve, seed)
		},
	}
	c.Flags().StringVar(&o.Model, "run", "", "RUNDIR/CELL or model file that scores the flows")
	c.Flags().StringVar(&o.Against, "against", "", "data set or file whose benign flows these are held against")
	c.Flags().StringVar(&o.Countries, "countries", "", "CSV file of prefixes and countries, for a map")
	c.Flags().StringVarP(&out, "out", "o", "", "file to write to instead of stdout")
	c.Flags().StringVar(&serve, "serve", "", "answer at an address instead of writing a page")
	c.Flags().Lookup("serve").NoOptDefVal = "127.0.0.1:8642"
	c.Flags().Uint64Var(&seed, "seed", 1, "of the sample")
	c.Flags().BoolVarP(&a.Quiet, "quiet", "q", false, "no progress on stderr")
	a.DataFlag(c)
	command.Idle(c, func([]string) bool { return serve != "" }, "with --serve: no page is written", "out", "seed")
	return c
}

func (a *app) dashboard(ctx context.Context, o dashboard.Options, out, serve string, seed uint64) error {
	o.DataDirs, o.Builtin = a.DataDirs, configs.Files
	o.Say = func(name string, c *source.Config, inferred bool) {
		if inferred {
			a.SayGuess(name, c)
		}
		if !a.Quiet {
			fmt.Fprintf(a.Err, "%s: reading\n", name)
		}
	}
	if os.Getenv("GOGC") == "" {
		// what lives is a table and columns without pointers: to collect often costs little, and to wait until as much
		// is garbage would take twice the memory
		debug.SetGCPercent(30)
	}
	d, err := dashboard.Load(ctx, o)
	switch {
	case errors.Is(err, dashboard.ErrOptions):
		return usage(err)
	case err != nil:
		return failed(err)
	case serve == "":
		return a.Output(out, []string{o.Data, o.Against, o.Countries}, func(w io.Writer) error {
			return failed(d.Write(ctx, w, seed, runtime.GOMAXPROCS(0), d.Details))
		})
	}
	l, err := net.Listen("tcp", serve)
	if err != nil {
		return usage(err)
	}
	if page.Hosts(l.Addr()) == nil {
		fmt.Fprintf(a.Err, "others reach %s too: whoever does reads the flows\n", l.Addr())
	}
	debug.FreeOSMemory() // reading took more than the flows do
	fmt.Fprintf(a.Out, "http://%s\n", l.Addr())
	return failed(d.Serve(ctx, l))
}
