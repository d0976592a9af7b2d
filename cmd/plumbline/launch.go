package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"plumbline/cmd/command"
	"plumbline/configs"
	"plumbline/configs/settings"
	"plumbline/runs"
	"plumbline/runs/experiment"
	"plumbline/runs/submit"
	"plumbline/runs/tune"
)

var launchers = []string{"local", "slurm", "kubernetes", "print"}

// launcher is the flags that say who carries cells out.
type launcher struct {
	name  string
	set   []string
	again int
}

func (l *launcher) flags(c *cobra.Command) {
	c.Flags().StringVar(&l.name, "launcher", "local",
		"who carries the cells out: local (this process), slurm, kubernetes (prints a manifest), print (prints commands)")
	c.Flags().StringArrayVar(&l.set, "launch", nil,
		"with --resume and --launcher: a setting of the section launch, such as memory=16GB (repeatable)")
	c.Flags().IntVar(&l.again, "again", 0, "hand out what lacked memory in the submission of that number")
	c.Flags().MarkHidden("again")
	c.RegisterFlagCompletionFunc("launcher", cobra.FixedCompletions(launchers, cobra.ShellCompDirectiveNoFileComp))
}

func (l *launcher) local() bool { return l.name == "local" }

// processFlags are those of run and tune that are about what this process does.
var processFlags = []string{"workers", "metric", "memory", "json", "cache", "cache-mb", "take-over", "no-test", "share"}

func (l *launcher) check(c *cobra.Command, resume string, part *share) error {
	switch {
	case !slices.Contains(launchers, l.name):
		return usage(fmt.Errorf("--launcher: %q is none of %s%s", l.name, strings.Join(launchers, ", "),
			settings.DidYouMean(l.name, launchers)))
	case l.local() && (len(l.set) > 0 || l.again != 0):
		return usage(errors.New("--launch has no effect without --launcher"))
	case len(l.set) > 0 && resume == "":
		return usage(errors.New("--launch is for --resume: of a new run, say launch.memory=16GB"))
	case !l.local() && part != nil && part.given():
		return usage(errors.New("--cells and --cell are what a launcher starts: leave one of them out"))
	case !l.local():
		return command.NoEffect(c, "with --launcher: other processes do the work (launch.memory and the like are settings)",
			processFlags...)
	}
	return nil
}

// experiment is that of a run directory, with the settings of the command line.
func (l *launcher) experiment(dir string, lo experiment.LoadOptions) (*experiment.Experiment, error) {
	file := filepath.Join(dir, "experiment.yaml")
	e, err := experiment.Load(file, lo)
	if err != nil || len(l.set) == 0 {
		return e, err
	}
	for _, s := range l.set {
		key, _, ok := strings.Cut(s, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("--launch: %q: want KEY=VALUE, such as memory=16GB", s)
		}
		lo.Overrides = append(lo.Overrides, "++launch."+s)
	}
	return experiment.Load(file, lo)
}

// launch hands the cells of a run out. The experiment is that of a new run, nil with resume.
func (a *app) launch(ctx context.Context, l *launcher, e *experiment.Experiment, resume string, o runs.Options) error {
	ctx, stop := a.interruptible(ctx)
	defer stop()
	dir := resume
	var err error
	if e == nil {
		lo := experiment.LoadOptions{DataDirs: a.DataDirs, Builtin: configs.Files}
		if e, err = l.experiment(dir, lo); err != nil {
			return usage(err)
		}
	} else {
		o.Command = append([]string{"plumbline"}, a.Args...)
		if dir, err = runs.Begin(e, o); err != nil {
			return usage(err)
		}
	}
	so, err := a.submission(l)
	if err != nil {
		return failed(err)
	}
	if m, err := a.Mirror(dir); err != nil {
		return failed(err)
	} else if m != nil {
		so.Address, so.Sent = m.Address(), m.Send
	}
	p, err := submit.Make(ctx, dir, e, so)
	if errors.Is(err, submit.ErrNothing) {
		fmt.Fprintln(a.Err, strings.TrimPrefix(err.Error(), "submit: "))
		return nil
	}
	if err != nil {
		return failed(err)
	}
	return a.handOut(ctx, l, p, dir)
}

// launchSearch hands a search of settings out. The experiment is that of a new search, nil with resume.
func (a *app) launchSearch(ctx context.Context, l *launcher, e *experiment.Experiment, resume string, o tune.Options,
) error {
	ctx, stop := a.interruptible(ctx)
	defer stop()
	dir := resume
	var err error
	if e == nil {
		e, err = l.experiment(dir, experiment.LoadOptions{DataDirs: a.DataDirs, Builtin: configs.Files})
	} else if err = submit.Possible(l.name, e, o.Root, true); err == nil {
		dir, err = tune.Begin(e, o)
	}
	if err != nil {
		return usage(err)
	}
	so, err := a.submission(l)
	if err != nil {
		return failed(err)
	}
	p, err := submit.Search(dir, e, so)
	if err != nil {
		return usage(err)
	}
	return a.handOut(ctx, l, p, dir)
}

// submission is what a submission depends on besides the experiment.
func (a *app) submission(l *launcher) (so submit.Options, err error) {
	so.Again = l.again
	if l.name != "kubernetes" { // in a container neither the program nor the data lies where it lies here
		so.DataDirs = a.DataDirs
		so.Program, err = os.Executable()
	}
	return so, err
}

// handOut gives a submission to its launcher.
func (a *app) handOut(ctx context.Context, l *launcher, p *submit.Plan, dir string) error {
	if !a.Quiet {
		for _, line := range p.Says() {
			fmt.Fprintln(a.Err, line)
		}
	}
	switch l.name {
	case "print":
		tasks, collect := p.Commands()
		for _, t := range tasks {
			fmt.Fprintln(a.Raw, t)
		}
		fmt.Fprintln(a.Err, "when all have ended:", collect)
	case "kubernetes":
		manifest, err := p.Kubernetes()
		if err != nil {
			return usage(err)
		}
		if _, err := a.Raw.Write(manifest); err != nil {
			return failed(err)
		}
		fmt.Fprintln(a.Err, a.Shown(dir))
	default:
		if err := p.Slurm(ctx); err != nil {
			return failed(fmt.Errorf("%w; hand it out again with: plumbline run --resume %s --launcher slurm", err, dir))
		}
		for _, one := range p.Arrays {
			fmt.Fprintf(a.Out, "job %s: %s, %d tasks\n", one.Job, one.Name, len(one.Tasks))
		}
		fmt.Fprintf(a.Out, "job %s: collects when they have ended\n%s\n", p.Collect, dir)
		fmt.Fprintf(a.Err, "how far it is: plumbline status %s\n", dir)
	}
	return nil
}
