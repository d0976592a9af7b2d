package modelfile

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"plumbline/cmd/command"
	"plumbline/cmd/terminal"
	"plumbline/data/export"
	"plumbline/runs"
	"plumbline/runs/score"
	"plumbline/runs/visible"
)

// scoring is the flags of score.
type scoring struct {
	out, format, as, summary string
	force                    bool
	key                      command.Pseudonyms
	score.Options
}

func (a *app) scoreCommand() *cobra.Command {
	var s scoring
	c := &cobra.Command{
		Use:   "score MODEL FILE…",
		Short: "Score files with a model",
		Long: `score reads files block by block and writes a line for each flow, or for each host, connection or other unit
that the model judges: where it stands (file, line, time, addresses), its score, whether that is an alarm, and its
conformal p-value, the share of benign units that score as high. MODEL is a model file, RUNDIR/CELL or a cell's folder.
Memory does not grow with the files; windows of traces go on from block to block.

Files are read as those that the model was trained on, or as --as says by the name or file of a data config; where the
columns are others, as "data infer" guesses. Captures (.pcap, .pcapng) become flows in the columns of zeek, argus,
netflow or cic, whichever the model knows, or --as says. Columns are found by name, also where upper case and
punctuation differ.
Labels are not needed; --labels has them in the lines, and counts false alarms.

What is not as in training is said on stderr and in the summary: columns whose values have moved, values that were not
there. The file of -o says the format by its name: .csv, .ndjson (both also .gz and .zst) or .parquet.`,
		Example: "  plumbline score model.plumb my-flows.csv -o scores.csv\n" +
			"  plumbline score model.plumb my-flows.csv --alarms --explain 3 --format ndjson",
		Args:              needs(2, -1, "a model and the files to score"),
		ValidArgsFunction: completeFolders(1),
		RunE: func(c *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return a.score(ctx, args[0], args[1:], s)
		},
	}
	f := c.Flags()
	f.StringVarP(&s.out, "out", "o", "", "file to write to instead of stdout")
	f.BoolVar(&s.force, "force", false, "write over a file that is there")
	f.StringVar(&s.format, "format", "csv", "csv or ndjson, without -o")
	f.StringVar(&s.as, "as", "",
		"name or file of the data config that reads the files; of captures also zeek, argus, netflow or cic")
	f.StringVar(&s.summary, "summary", "", "file for what was found of the input as a whole, as JSON")
	s.key.Flag(c)
	f.IntVar(&s.Reasons, "explain", 0, "reasons of each alarm, at most")
	f.BoolVar(&s.AlarmsOnly, "alarms", false, "lines of alarms alone")
	f.BoolVar(&s.Labels, "labels", false, "with the truth, where the files have it")
	f.IntVar(&s.Hold, "hold", score.DefaultHold, "rows of open traces, and units, that are held at most")
	f.BoolVarP(&a.Quiet, "quiet", "q", false, "no progress on stderr")
	a.DataFlag(c)
	c.MarkFlagsMutuallyExclusive("out", "format")
	command.NeedsOut(c, &s.out, &s.summary)
	return c
}

func (a *app) score(ctx context.Context, model string, files []string, s scoring) error {
	format, wrap := s.format, ""
	var err error
	if s.out != "" {
		if format, wrap, err = export.ExportFormat(s.out); err != nil {
			return usage(err)
		}
	}
	switch {
	case s.out == "" && format != "csv" && format != "ndjson":
		return usage(fmt.Errorf("--format %q: want csv or ndjson; -o names a file of any format", format))
	case s.Reasons < 0 || s.Reasons > 20 || s.Hold < 2:
		return usage(fmt.Errorf("--explain %d, --hold %d: want 0 to 20, and at least 2", s.Reasons, s.Hold))
	}
	if s.Pseudonyms, err = s.key.Mapper(); err != nil {
		return err
	}
	read := append([]string{model, s.key.Path()}, files...)
	for _, file := range []string{s.out, s.summary} {
		if err := mayWrite(file, s.force, read); err != nil {
			return err
		}
	}
	b, in, err := a.ModelInput(ctx, model, files, s.as, s.Labels, s.Pseudonyms)
	if err != nil {
		return err
	}
	in.Finder.Memory = runs.MachineMemory()
	reading := terminal.NewReading(a.Terminal, a.Quiet)
	defer reading.Close()
	s.Progress = reading.Rows
	var sum *score.Summary
	err = a.Output(s.out, read, func(w io.Writer) error {
		out := score.NewLines(w, format, wrap)
		if sum, err = score.Run(ctx, b, in, s.Options, out.Write); err != nil {
			return failed(err)
		}
		return failed(out.Close())
	})
	if err != nil {
		return err
	}
	reading.Close()
	a.saySummary(sum)
	if s.summary == "" {
		return nil
	}
	return a.Output(s.summary, read, func(w io.Writer) error { return failed(command.WriteJSON(w, sum)) })
}

// saySummary prints on stderr what was found of the input.
func (a *app) saySummary(s *score.Summary) {
	for _, n := range append(append([]string{}, s.Columns...), s.Notes...) {
		if !a.Quiet {
			fmt.Fprintln(a.Err, visible.Text(n))
		}
	}
	for _, w := range s.Warnings {
		fmt.Fprintf(a.Err, "warning: %s\n", visible.Text(w))
	}
	if a.Quiet {
		return
	}
	var parts []string
	if s.PerDay == s.PerDay {
		parts = append(parts, fmt.Sprintf("%.4g a day", float64(s.PerDay)))
	}
	if t := s.Truth; t != nil {
		parts = append(parts, fmt.Sprintf("%d of %d benign and %d of %d attacks", t.BenignAlarms, t.Benign, t.AttackAlarms,
			t.Attacks))
	}
	more := ""
	if parts != nil {
		more = " (" + strings.Join(parts, "; ") + ")"
	}
	fmt.Fprintf(a.Err, "%d rows, %d %ss judged, %d alarms%s\n", s.Rows, s.Units, visible.Text(s.Unit), s.Alarms, more)
}
