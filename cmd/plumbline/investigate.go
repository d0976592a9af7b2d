package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"plumbline/cmd/command"
	"plumbline/configs"
	"plumbline/eval"
	"plumbline/runs/experiment"
	"plumbline/runs/investigate"
	"plumbline/runs/record"
	"plumbline/runs/visible"
)

func (a *app) investigateCommand() *cobra.Command {
	var groups, flows int
	var all, asJSON bool
	var keep command.Cache
	var f investigated
	c := &cobra.Command{
		Use:   "investigate RUNDIR/CELL [FILE…]",
		Short: "Sort a cell's alarms by root cause and show their flows",
		Long: `investigate scores the test part of a finished cell again with the model that it left and sorts the flows or
windows above the threshold by their root cause: the state of a state machine (sequent: the one visited most above
expectation; pdfa: the one before the least likely event), for models that explain their scores the largest
contribution, such as a column. Other models that judge rows one by one are asked: the cause is the column without
whose value the score falls most, when a usual one takes its place. The largest group comes first, within it the
highest score. The alarms of a model that gives no reasons and cannot be asked are one list, highest score first, of
which --groups times --flows are printed.

The cell's folder gets investigation.json (the groups) and investigation.csv (the flow of every alarm, with file
and line). The data must be what the cell saw.

With files after it, a model file or a cell scores these instead, which may be without labels and are read as score
reads them; both files are then written to the folder of -o, where that is given.`,
		Example: "  plumbline investigate runs/20240101-120000-quickstart/cells/synth/znorm/s1\n" +
			"  plumbline investigate runs/20240101-120000-quickstart/znorm --all --groups 3 --json\n" +
			"  plumbline investigate model.plumb my-flows.csv",
		Args:              needs(1, -1, "a cell of a run directory, or a model and files"),
		ValidArgsFunction: completeFolders(1),
		RunE: func(c *cobra.Command, args []string) error {
			if groups < 1 || flows < 0 {
				return usage(fmt.Errorf("--groups %d, --flows %d: want at least 1 and 0", groups, flows))
			}
			if len(args) > 1 {
				ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
				defer stop()
				return a.investigateFiles(ctx, args[0], args[1:], f, groups, flows, all, asJSON)
			}
			dir, cell := splitCell(args[0])
			if cell == "" {
				return usage(fmt.Errorf("%s names no cell; \"plumbline show %s\" lists them", args[0], args[0]))
			}
			store, err := keep.Store()
			if err != nil {
				return usage(err)
			}
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			if !a.Quiet {
				fmt.Fprintf(a.Err, "%s: reading and scoring again\n", cell)
			}
			inv, err := investigate.Investigate(ctx, dir, cell, investigate.Options{
				Load: experiment.LoadOptions{DataDirs: a.DataDirs, Builtin: configs.Files}, All: all, Cache: store,
			})
			switch {
			case errors.Is(err, record.ErrNoCell), errors.Is(err, investigate.ErrInvestigate):
				return usage(err)
			case err != nil:
				return failed(err)
			}
			if !inv.Reasons {
				groups, flows = 1, groups*flows
			}
			if asJSON {
				err = a.JSON(viewInvestigation(inv, groups, flows))
			} else {
				err = a.printInvestigation(inv, filepath.Join(dir, filepath.FromSlash(inv.Cell)), groups, flows)
			}
			if err != nil {
				return err
			}
			rec, err := record.Open(dir)
			if err != nil {
				return failed(err)
			}
			return a.faults(rec)
		},
	}
	c.Flags().IntVar(&groups, "groups", 10, "groups to print")
	c.Flags().IntVar(&flows, "flows", 3, "flows of each group to print")
	c.Flags().BoolVar(&all, "all", false, "sort every flow or window of the test part, not alarms alone")
	c.Flags().StringVar(&f.as, "as", "",
		"of files: name or file of the data config that reads them; of captures also zeek, argus, netflow or cic")
	c.Flags().StringVarP(&f.out, "out", "o", "", "of files: folder for investigation.json and investigation.csv")
	f.key.Flag(c)
	c.Flags().BoolVarP(&a.Quiet, "quiet", "q", false, "no progress on stderr")
	a.DataFlag(c)
	a.CacheFlags(c, &keep)
	a.JSONFlag(c, &asJSON)
	command.Idle(c, func(args []string) bool { return len(args) > 1 }, "with files", "cache", "cache-mb")
	command.Idle(c, func(args []string) bool { return len(args) < 2 }, "without files", "as", "out", "pseudonym-key")
	return c
}

// investigated is the flags for files.
type investigated struct {
	as, out string
	key     command.Pseudonyms
}

// investigateFiles scores files with a model and sorts the alarms.
func (a *app) investigateFiles(ctx context.Context, model string, files []string, f investigated, groups, flows int,
	all, asJSON bool) error {
	o := investigate.FileOptions{All: all}
	var err error
	if o.Pseudonyms, err = f.key.Mapper(); err != nil {
		return err
	}
	b, in, err := a.ModelInput(ctx, model, files, f.as, false, o.Pseudonyms)
	if err != nil {
		return err
	}
	if !a.Quiet {
		fmt.Fprintf(a.Err, "%s: reading and scoring\n", visible.Text(files[0]))
	}
	inv, err := investigate.Files(ctx, b, in, o)
	switch {
	case errors.Is(err, investigate.ErrInvestigate):
		return usage(err)
	case err != nil:
		return failed(err)
	}
	if f.out != "" {
		err := inv.Write(func(name string, fill func(w io.Writer) error) error {
			return a.Output(filepath.Join(f.out, name), files, fill)
		})
		if err != nil {
			return failed(err)
		}
	}
	if !inv.Reasons {
		groups, flows = 1, groups*flows
	}
	if asJSON {
		return a.JSON(viewInvestigation(inv, groups, flows))
	}
	return a.printInvestigation(inv, f.out, groups, flows)
}

// investigationView is an investigation as JSON shows it: what investigation.json has, with flows in its groups.
type investigationView struct {
	*investigate.Investigation
	Groups []groupView `json:"groups"`
}

type groupView struct {
	investigate.CauseGroup
	Flows []flowView `json:"flows"`
}

// flowView is an alarm with the flow that it comes from.
type flowView struct {
	Score  eval.Number       `json:"score"`
	Row    int32             `json:"row"`   // of the data set's table
	Where  string            `json:"where"` // file:line
	Event  *int              `json:"event"` // position of the flow in its trace, from 0; null where samples are flows
	Key    string            `json:"key,omitempty"`
	Symbol string            `json:"symbol,omitempty"`
	Attack bool              `json:"attack"`
	Class  string            `json:"class"`
	Values map[string]string `json:"values"` // times, addresses and the columns that symbols are made of
}

// viewInvestigation is the first groups with their first flows.
func viewInvestigation(inv *investigate.Investigation, groups, flows int) investigationView {
	v := investigationView{Investigation: inv, Groups: []groupView{}}
	for _, g := range inv.Groups[:min(groups, len(inv.Groups))] {
		gv := groupView{CauseGroup: g, Flows: []flowView{}}
		for i := range g.Flows[:min(flows, len(g.Flows))] {
			f := &g.Flows[i]
			fv := flowView{
				Score: eval.Number(f.Score), Row: f.Row, Where: f.Where, Key: f.Key, Symbol: f.Symbol, Attack: f.Attack,
				Class: f.Class, Values: map[string]string{},
			}
			if f.Event >= 0 {
				fv.Event = &f.Event
			}
			for k, name := range inv.Columns {
				fv.Values[name] = f.Values[k]
			}
			gv.Flows = append(gv.Flows, fv)
		}
		v.Groups = append(v.Groups, gv)
	}
	return v
}

func (a *app) printInvestigation(inv *investigate.Investigation, folder string, groups, flows int) error {
	fmt.Fprintf(a.Out, "%s: %d of %d samples, threshold %s", inv.Cell, inv.Alarms, inv.Samples,
		number(float64(inv.Threshold)))
	if inv.Reasons {
		fmt.Fprintf(a.Out, ", %d causes\n", len(inv.Groups))
	} else {
		fmt.Fprint(a.Out, "; the model gives no reasons\n")
	}
	for k := range inv.Groups {
		if k == groups {
			fmt.Fprintf(a.Out, "\n%d more groups%s\n", len(inv.Groups)-groups, in(folder))
			break
		}
		g := &inv.Groups[k]
		fmt.Fprintln(a.Out)
		if inv.Reasons {
			fmt.Fprintf(a.Out, "%d. %s: ", k+1, visible.Text(g.Cause))
		}
		fmt.Fprintf(a.Out, "%d alarms", g.Alarms)
		if len(g.Classes) > 0 {
			fmt.Fprintf(a.Out, ", %d on attacks; classes %s", g.Attacks, some(g.Classes))
		}
		if len(g.Symbols) > 0 {
			fmt.Fprintf(a.Out, "; events %s", some(g.Symbols))
		}
		if len(g.Keys) > 0 {
			fmt.Fprintf(a.Out, "; %d entities: %s", len(g.Keys), some(g.Keys))
		}
		fmt.Fprintln(a.Out)
		if flows == 0 {
			continue
		}
		w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
		fmt.Fprintf(w, "  score\tflow\tclass\t%s\n", strings.Join(visible.All(inv.Columns), "\t"))
		for i := range min(flows, len(g.Flows)) {
			f := &g.Flows[i]
			fmt.Fprintf(w, "  %.4g\t%s\t%s\t%s\n", f.Score, visible.Text(f.Where), visible.Text(f.Class),
				strings.Join(visible.All(f.Values), "\t"))
		}
		if err := w.Flush(); err != nil {
			return failed(err)
		}
	}
	if folder != "" {
		fmt.Fprintln(a.Out, "\n"+filepath.Join(folder, "investigation.csv"))
	}
	return nil
}

// in says where the groups are that are not printed.
func in(folder string) string {
	if folder == "" {
		return " are written with -o"
	}
	return " are in investigation.json"
}

// some is the three most frequent of a list.
func some(n []investigate.Tally) string {
	var parts []string
	for i := range min(3, len(n)) {
		parts = append(parts, fmt.Sprintf("%s (%d)", visible.Text(n[i].Name), n[i].N))
	}
	if len(n) > 3 {
		parts = append(parts, fmt.Sprintf("%d more", len(n)-3))
	}
	return strings.Join(parts, ", ")
}
