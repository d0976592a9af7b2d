// Package serving is the command that answers over HTTP with what trained models say; the service is in runs/serve.
package serving

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"plumbline/cmd/command"
	"plumbline/runs/alerts"
	"plumbline/runs/bundle"
	"plumbline/runs/record"
	"plumbline/runs/serve"
)

// app holds the command.
type app struct{ *command.App }

// listening is how a server is reached.
type listening struct {
	address, tokenFile, cert, key, alerts string
}

// Command is "plumbline serve".
func Command(shared *command.App) *cobra.Command {
	a := &app{shared}
	var o serve.Options
	var at listening
	c := &cobra.Command{
		Use:   "serve [NAME=]MODEL…",
		Short: "Answer over HTTP with what trained models say of records",
		Long: `serve answers over HTTP: POST /v1/predict scores records given as JSON, POST /v1/predict/batch a stream of CSV,
NDJSON, Parquet or prepared float32 rows; the Open Inference Protocol (/v2/…) and MLflow's /invocations are spoken too.
GET / is a page to try a record by hand, /v1/openapi.json describes the interface, /metrics is for Prometheus.

A MODEL is a model file, RUNDIR/CELL, or the folder of a cell; each is read again when its file changes, or at once on
SIGHUP. An interrupt lets answers under way finish. The address is that of this machine alone unless --listen says
otherwise; --token-file has requests bear a token, and --tls-cert with --tls-key encrypt.`,
		Example: "  plumbline serve model.plumb\n" +
			"  plumbline serve web=web.plumb dns=runs/20240101-120000-quickstart/iforest/s1 --listen 127.0.0.1:9000",
		Args: command.Needs(1, -1, "a model"),
		RunE: func(c *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			for _, arg := range args {
				src := serve.Source{Path: arg}
				if name, path, ok := strings.Cut(arg, "="); ok {
					src = serve.Source{Name: name, Path: path}
				}
				o.Models = append(o.Models, src)
			}
			return a.serve(ctx, o, at)
		},
	}
	f := c.Flags()
	f.StringVar(&at.address, "listen", "127.0.0.1:8641", "address to answer at")
	f.StringVar(&at.tokenFile, "token-file", "", "file whose content requests must bear as Authorization: Bearer TOKEN")
	f.StringVar(&at.cert, "tls-cert", "", "certificate in PEM, with --tls-key")
	f.StringVar(&at.key, "tls-key", "", "its key in PEM")
	f.StringVar(&at.alerts, "alerts", "",
		"alert store that /v1/alerts reads; default the alarms of the server's own answers")
	f.StringArrayVar(&o.Origins, "cors", nil, "origin whose pages may ask, such as https://example.org; repeatable")
	f.StringVar(&o.Unknown, "unknown-category", serve.AcceptUnknown,
		"categories that the model does not know: accept (prepare as in training, and name them) or refuse (422)")
	f.IntVar(&o.Queue, "queue", 0, "requests that may wait; more get 429 (default 64 a processor)")
	f.DurationVar(&o.Timeout, "timeout", 0, "time limit of an answer (default 10s)")
	f.DurationVar(&o.BatchTime, "batch-timeout", 0, "time limit of a batch (default 10m)")
	f.Int64Var(&o.Body, "max-body", 0, "bytes of a body; larger ones get 413 (default 8388608)")
	f.Int64Var(&o.BatchBody, "max-batch", 0, "bytes of a batch (default 2147483648)")
	f.StringVar(&o.Spool, "spool", "", "folder for batches that do not fit memory (default that of the system)")
	f.BoolVarP(&a.Quiet, "quiet", "q", false, "no log on stderr")
	return c
}

func (a *app) serve(ctx context.Context, o serve.Options, at listening) error {
	o.Collector = os.Getenv("GOGC") == ""
	o.Build = record.Build().Version
	if !a.Quiet {
		o.Log = slog.New(slog.NewTextHandler(a.Err, nil))
	}
	if at.tokenFile != "" {
		raw, err := os.ReadFile(at.tokenFile)
		if err != nil {
			return command.Usage(err)
		}
		if o.Token = strings.TrimSpace(string(raw)); o.Token == "" {
			return command.Usage(fmt.Errorf("%s holds no token", at.tokenFile))
		}
	}
	if (at.cert == "") != (at.key == "") {
		return command.Usage(errors.New("--tls-cert and --tls-key go together"))
	}
	scheme := "http"
	if at.cert != "" {
		var err error
		if o.TLS, err = serve.Certificate(at.cert, at.key); err != nil {
			return command.Usage(err)
		}
		scheme = "https"
	}
	again := make(chan os.Signal, 1)
	reloadOn(again) // before anybody learns that there is a server: nobody's SIGHUP ends it
	defer signal.Stop(again)
	l, err := net.Listen("tcp", at.address) // before models are read, so that an address that is taken is said at once
	if err != nil {
		return command.Usage(err)
	}
	if at.alerts != "" {
		store, err := alerts.OpenExisting(at.alerts)
		if err != nil {
			l.Close()
			return command.Usage(err)
		}
		defer store.Close()
		o.Alerts = store
	}
	s, err := serve.New(o)
	if err != nil {
		l.Close()
		if errors.Is(err, serve.ErrOptions) || errors.Is(err, bundle.ErrRefused) {
			return command.Usage(err)
		}
		return command.Failed(err)
	}
	hosts := serve.Hosts(l)
	if hosts == nil && o.Token == "" {
		fmt.Fprintf(a.Err, "others reach %s too, and no token is asked for\n", l.Addr())
	}
	for _, m := range s.Models() {
		fmt.Fprintf(a.Out, "%s://%s/v1/models/%s\n", scheme, l.Addr(), m.Name)
	}
	go func() {
		for range again {
			s.Reload()
		}
	}()
	return command.Failed(s.Serve(ctx, l, hosts))
}
