package use

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"plumbline/cmd/command"
	"plumbline/runs/alerts"
	"plumbline/runs/bundle"
	"plumbline/runs/deliver"
	"plumbline/runs/watch"
)

func (a *app) watchCommand() *cobra.Command {
	var j watch.Job
	var settings, layout, idle string
	var key command.Pseudonyms
	var to []string
	memory := command.Size(watch.DefaultMemory)
	c := &cobra.Command{
		Use:   "watch MODEL --follow FILE|- | --listen udp:2055",
		Short: "Score traffic as it comes, and send alerts",
		Long: `watch scores the rows of a log as it grows, or flows that exporters send, with a trained model: a model file,
or RUNDIR/CELL. It makes an alert of what is above the threshold, with its reasons and root cause, grouped by cause,
limited per group, without what rules or an analyst's verdicts have it ignore. Alerts are kept in a store (--store),
which "plumbline alerts" shows and takes verdicts into, and sent where --to or a settings file says: a file, standard
output, syslog, Kafka or a webhook. The store is the spool: what a receiver does not take is sent when it does.

A log may be Zeek's (text or JSON), Suricata's eve.json, CSV or a JSON object a line, as the model's data set was. It
may be rotated by renaming or by copying and truncating. A watcher that is stopped or killed goes on where it was, with
what scores depend on: the alerts are those of one pass over the log.`,
		Example: "  plumbline watch model.plumb --follow conn.csv --once --store alerts.db\n" +
			"  plumbline watch model.plumb --follow conn.csv --once --store alerts.db --layout ecs",
		Args: needs(1, 1, "a model file or a cell of a run directory"),
		RunE: func(c *cobra.Command, args []string) error {
			if (j.Follow == "") == (j.Listen == "") {
				return usage(errors.New("watch: name what to watch by --follow or by --listen, not both"))
			}
			var err error
			if j.Settings = deliver.Default(); settings != "" {
				if j.Settings, err = deliver.ReadSettings(settings); err != nil {
					return usage(err)
				}
			}
			if j.Memory = int64(memory); j.Entities < 1 || memory < 1 {
				return usage(errors.New("--entities and --entity-memory: want at least 1"))
			}
			if j.Idle, err = alerts.ParseSpan(idle); err != nil {
				return usage(fmt.Errorf("--idle: %w", err))
			}
			for _, text := range to {
				t, err := deliver.ParseTarget(text)
				if err != nil {
					return usage(fmt.Errorf("--to: %w", err))
				}
				j.Settings.To = append(j.Settings.To, t)
			}
			if err := j.SetLayout(layout); err != nil {
				return usage(fmt.Errorf("--layout: %w", err))
			}
			if _, err := key.Mapper(); err != nil {
				return err
			} else if key.Path() != "" {
				j.Settings.PseudonymKey = key.Path()
			}
			if j.Bundle, err = bundle.Load(args[0]); err != nil {
				return usage(err)
			}
			units, traces := watch.Remembers(j.Bundle)
			if !units {
				err = command.NoEffect(c, "with this model, which judges no hosts or connections by their rows", "idle")
			}
			if !units && !traces {
				err = cmp.Or(err, command.NoEffect(c, "with this model, which judges each row by itself", "entities",
					"entity-memory"))
			}
			if err != nil {
				return err
			}
			j.In, j.Out, j.Say = os.Stdin, a.Raw, func(string) {}
			if !a.Quiet {
				j.Say = func(text string) { fmt.Fprintln(a.Err, text) }
			}
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			began := time.Now()
			counts, err := j.Run(ctx)
			if errors.Is(err, watch.ErrModel) || errors.Is(err, bundle.ErrTable) || errors.Is(err, alerts.ErrStore) ||
				errors.Is(err, watch.ErrWatched) {
				return usage(err)
			}
			if !a.Quiet {
				fmt.Fprintf(a.Err, "%d rows in %s: %d alerts, %d held back by the limit, %d ignored, %d rows left out\n",
					counts.Rows, seconds(time.Since(began).Seconds()), counts.Alerts, counts.Limited, counts.Ignored, counts.Bad)
				if counts.Forgotten+counts.Groups > 0 {
					fmt.Fprintf(a.Err, "forgotten for lack of room: %d hosts, connections or traces, %d groups of alerts\n",
						counts.Forgotten, counts.Groups)
				}
				if j.Listen != "" {
					fmt.Fprintf(a.Err, "packets: %d dropped here, %d lost before, %d sets of flows without a template\n",
						counts.Dropped, counts.Lost, counts.NoTemplate)
				}
			}
			return failed(err)
		},
	}
	c.Flags().StringVar(&j.Follow, "follow", "", "log to watch as it grows; -: standard input")
	c.Flags().StringVar(&j.Listen, "listen", "",
		"receive NetFlow v5, v9 and IPFIX, such as udp:2055 or udp:127.0.0.1:2055")
	c.Flags().BoolVar(&j.Once, "once", false, "read the log to its end and stop")
	c.Flags().StringVar(&j.Store, "store", "alerts.db", "file that keeps alerts, verdicts and how far logs were read")
	c.Flags().StringVar(&settings, "settings", "", "YAML file: to, layout, limit, ignore, verdicts, keep, keep_judged, "+
		"keep_unsent, keep_groups, pseudonym_key")
	c.Flags().StringArrayVar(&to, "to", nil, "where alerts go: stdout, file:PATH, syslog+udp://HOST:PORT, "+
		"kafka://HOST:PORT/TOPIC, https://… (repeatable)")
	c.Flags().StringVar(&layout, "layout", "", "plumbline, ecs, zeek-notice or text")
	key.Flag(c)
	c.Flags().BoolVar(&j.Learn, "learn", false, "a model that can learn from a stream does")
	c.Flags().IntVar(&j.Entities, "entities", 100_000, "hosts, connections or traces that are remembered")
	c.Flags().Var(&memory, "entity-memory", "memory that they may take; who was silent longest is forgotten first")
	c.Flags().Lookup("entity-memory").DefValue = "512MB"
	c.Flags().StringVar(&idle, "idle", "1h",
		"time without a flow after which a host or connection is judged anew; 0s: never")
	c.Flags().BoolVarP(&a.Quiet, "quiet", "q", false, "nothing on stderr but errors")
	command.Idle(c, func([]string) bool { return j.Listen != "" }, "with --listen, which goes on until it is stopped",
		"once")
	return c
}
