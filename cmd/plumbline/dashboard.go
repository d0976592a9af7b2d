package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"

	"plumbline/data/source"
	"plumbline/runs/bundle"
	"plumbline/runs/dashboard"
	"plumbline/runs/investigate"
)

// dashboardSettings are the flags of dashboard.
type dashboardSettings struct {
	cell, against, countries, out, serve string
	seed                                 uint64
}

func (a *app) dashboardCommand() *cobra.Command {
	var s dashboardSettings
	c := &cobra.Command{
		Use:   "dashboard NAME|FILE",
		Short: "Show the flows of a data set as linked charts, as one HTML page or served",
		Long: `dashboard writes one HTML page that opens from disk without a network: traffic over time in and out, signs of
anomalies, protocols, services, connection status, hosts, scores, correlations, alarms with their reasons and the flows
beside them, and forecasts. A filter by time, protocol, service, label, host or score acts on every chart. With --run
the model of a finished cell scores the flows, so that alarms are its; without, what is marked are labelled attacks.

The page carries its flows in at most 20 bytes each and 12 MB together; of more, it carries a sample that says so. With
--serve nothing is written: the page and each view as JSON are answered at an address (127.0.0.1:8642 unless another
is given with --serve=ADDRESS) until an interrupt, for data too large for a page.

--against holds the flows against the benign flows of another data set or file, such as those of an earlier day.`,
		Example: "  plumbline dashboard synth -o dashboard.html\n" +
			"  plumbline dashboard synth --run runs/20240101-120000-quickstart/znorm -o dashboard.html",
		Args:              needs(1, 1, "a data set or a file"),
		ValidArgsFunction: completeOne(func() []string { return a.library().Names("data") }),
		RunE: func(c *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return a.dashboard(ctx, args[0], s)
		},
	}
	c.Flags().StringVar(&s.cell, "run", "", "RUNDIR/CELL whose model scores the flows")
	c.Flags().StringVar(&s.against, "against", "", "data set or file whose benign flows these are held against")
	c.Flags().StringVar(&s.countries, "countries", "", "CSV file of prefixes and countries, for a map")
	c.Flags().StringVarP(&s.out, "out", "o", "", "file to write to instead of stdout")
	c.Flags().StringVar(&s.serve, "serve", "", "answer at an address instead of writing a page")
	c.Flags().Lookup("serve").NoOptDefVal = "127.0.0.1:8642"
	c.Flags().Uint64Var(&s.seed, "seed", 1, "of the sample")
	c.Flags().BoolVarP(&a.quiet, "quiet", "q", false, "no progress on stderr")
	a.dataFlag(c)
	return c
}

// openDashboard reads the flows of a data set, scored by a model where there is one.
func (a *app) openDashboard(ctx context.Context, name string, b *bundle.Bundle,
	place *dashboard.Countries) (*dashboard.Dashboard, error) {
	cfg, finder, err := a.dataSet(name)
	if err != nil {
		return nil, usage(err)
	}
	if !a.quiet {
		fmt.Fprintf(a.err, "%s: reading\n", name)
	}
	t, _, err := source.Read(ctx, cfg, finder, runtime.GOMAXPROCS(0))
	if err != nil {
		return nil, failed(err)
	}
	d, err := dashboard.Open(ctx, t, cfg, b, place)
	return d, failed(err)
}

func (a *app) dashboard(ctx context.Context, name string, s dashboardSettings) error {
	var b *bundle.Bundle
	if s.cell != "" {
		dir, cell := splitCell(s.cell)
		if cell == "" {
			return usage(fmt.Errorf("--run %s names no cell; \"plumbline show %s\" lists them", s.cell, s.cell))
		}
		c, err := investigate.OpenCell(dir, cell)
		if err != nil {
			return usage(err)
		}
		b = c.Bundle
	}
	var place *dashboard.Countries
	if s.countries != "" {
		f, err := os.Open(s.countries)
		if err != nil {
			return usage(err)
		}
		place, err = dashboard.ReadCountries(f)
		f.Close()
		if err != nil {
			return usage(fmt.Errorf("%s: %w", s.countries, err))
		}
	}
	d, err := a.openDashboard(ctx, name, b, place)
	if err == nil && s.against != "" {
		var other *dashboard.Dashboard
		if other, err = a.openDashboard(ctx, s.against, b, place); err == nil {
			d.Against(other)
		}
	}
	if err != nil {
		return err
	}
	if s.serve != "" {
		return a.serveDashboard(ctx, d, s.serve)
	}
	return a.output(s.out, []string{name, s.against, s.countries, filepath.Clean(s.cell)}, func(w io.Writer) error {
		return failed(d.Write(ctx, w, s.seed, runtime.GOMAXPROCS(0), d.Details))
	})
}

func (a *app) serveDashboard(ctx context.Context, d *dashboard.Dashboard, address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return usage(err)
	}
	if dashboard.Hosts(l.Addr()) == nil {
		fmt.Fprintf(a.err, "others reach %s too: whoever does reads the flows\n", l.Addr())
	}
	fmt.Fprintf(a.out, "http://%s\n", l.Addr())
	return failed(d.Serve(ctx, l))
}
