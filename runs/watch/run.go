package watch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"plumbline/data"
	"plumbline/data/pseudonym"
	"plumbline/runs/alerts"
	"plumbline/runs/bundle"
	"plumbline/runs/deliver"
)

// Job is a model that watches, with where its alerts go.
type Job struct {
	Bundle   *bundle.Bundle
	Store    string // file of the alert store
	Settings deliver.Settings
	Follow   string // log that grows; -: In
	Listen   string // address of exporters, such as udp:2055
	In       io.Reader
	Out      io.Writer // of the target stdout
	Once     bool      // read what is there and end
	Learn    bool
	Entities int
	Memory   int64 // bytes that entities may take
	Idle     time.Duration
	Say      func(string)
}

// SetLayout sets the layout of the targets that have none of their own, which is as the settings say where it is empty.
// Without targets, alerts are lines on stdout, for people unless somebody says otherwise. A layout that is unknown, or
// that no target would have, is an error.
func (j *Job) SetLayout(layout string) error {
	s := &j.Settings
	if layout != "" && !slices.Contains(alerts.Layouts, layout) {
		return fmt.Errorf("unknown layout %q: want %s", layout, strings.Join(alerts.Layouts, ", "))
	}
	if len(s.To) == 0 {
		stdout, err := deliver.ParseTarget("stdout")
		if err != nil {
			return err
		}
		if layout == "" && s.Layout == deliver.Default().Layout {
			layout = "text"
		}
		s.To = []deliver.Target{stdout}
	}
	bare := func(t deliver.Target) bool { return t.Layout == "" }
	switch {
	case layout == "":
	case !slices.ContainsFunc(s.To, bare):
		return errors.New("it has no effect: all targets have layouts of their own")
	default:
		s.Layout = layout
	}
	return nil
}

// Remembers says of a model whether it judges hosts, connections or the like by all of their rows, and whether it
// judges rows by those of their traces that came before.
func Remembers(b *bundle.Bundle) (units, traces bool) {
	return len(b.Unit.Columns) > 0, b.Info.Needs.Input == data.Traces
}

// How long alerts may take to be sent at the end, and how often the oldest are taken out of the store.
const (
	drainWait = 10 * time.Second
	trimEvery = time.Minute
)

// Run watches until the context ends, or with Once until the end of the log, and sends what there is to send.
func (j *Job) Run(ctx context.Context) (Counts, error) {
	store, err := alerts.Open(j.Store)
	if err != nil {
		return Counts{}, err
	}
	defer store.Close()
	o := Options{Store: store, Rules: j.Settings.Rules, Learn: j.Learn, Entities: j.Entities, Idle: j.Idle, Say: j.Say,
		Memory: j.Memory, Groups: j.Settings.KeepGroups}
	switch {
	case j.Listen != "":
		o.Stream = j.Listen
	case j.Follow == "-":
		o.Stream = "stdin"
	default:
		if o.Stream, err = filepath.Abs(j.Follow); err != nil {
			return Counts{}, err
		}
	}
	if j.Settings.PseudonymKey != "" {
		m, err := pseudonym.ReadKey(j.Settings.PseudonymKey)
		if err != nil {
			return Counts{}, err
		}
		o.Disguise = m.Text
	}
	done, err := alone(j.Store, j.Bundle.Label+" "+o.Stream)
	if err != nil {
		return Counts{}, err
	}
	defer done()
	w, err := New(ctx, j.Bundle, o)
	if err != nil {
		return Counts{}, err
	}
	out, err := deliver.New(ctx, store, j.Settings, j.Out, j.Say)
	if err != nil {
		return Counts{}, err
	}
	defer out.Close()
	out.Claim = func(sink string) (func(), bool, error) {
		release, err := alone(j.Store, "target "+sink)
		return release, errors.Is(err, ErrWatched), err
	}
	sending, stop := context.WithCancel(context.WithoutCancel(ctx))
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		out.Run(sending)
	}()
	go j.trim(sending, store, out.Names())
	switch {
	case j.Listen != "":
		err = w.Listen(ctx, j.Listen)
	case j.Follow == "-":
		err = w.Stream(ctx, j.In)
	default:
		err = w.File(ctx, o.Stream, j.Once)
	}
	err = w.hidden(err)
	stop()
	<-sent
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainWait)
	defer cancel()
	err = errors.Join(err, out.Drain(end))
	if ctx.Err() == nil { // who watches files one after the other trims here alone
		j.trimOnce(end, store, out.Names())
	}
	return w.Counts, err
}

// trim keeps the store at the size that it may have.
func (j *Job) trim(ctx context.Context, store *alerts.Store, sinks []string) {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		j.trimOnce(ctx, store, sinks)
	}
}

// trimOnce takes out what the store has more of than it keeps, and says what that was.
func (j *Job) trimOnce(ctx context.Context, store *alerts.Store, sinks []string) {
	s := &j.Settings
	out, err := store.Trim(ctx, alerts.Keep{Alerts: s.Keep, Judged: s.KeepJudged, Unsent: s.KeepUnsent,
		Groups: s.KeepGroups}, sinks)
	if err != nil && ctx.Err() == nil {
		j.Say(err.Error())
	}
	say := func(n int64, what, setting string, keeps int64) {
		if n > 0 {
			j.Say(fmt.Sprintf("%d of the oldest %s were taken out of %s (%s: %d)", n, what, store.Path(), setting, keeps))
		}
	}
	say(out.Alerts-out.Judged, "alerts", "keep", s.Keep)
	say(out.Judged, "alerts with a verdict, which holds no longer,", "keep_judged", s.KeepJudged)
	say(out.Groups, "groups of alerts", "keep_groups", s.KeepGroups)
	for _, sink := range slices.Sorted(maps.Keys(out.Unsent)) {
		say(out.Unsent[sink], "alerts that "+sink+" has not taken, and will not get,", "keep_unsent", s.KeepUnsent)
	}
}
