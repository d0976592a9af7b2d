package deliver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"plumbline/runs/alerts"
)

// Delivery sends the alerts of a store to sinks, each at its own pace.
type Delivery struct {
	// Claim has this process be the only one that sends to a sink, by its name, until release is called; taken: another
	// one is. nil: nobody else sends. Standard output is of each process.
	Claim func(sink string) (release func(), taken bool, err error)

	store *alerts.Store
	say   func(string)
	first time.Duration // wait after a first failure
	sinks []*outlet
}

// outlet is one sink on its way through the store.
type outlet struct {
	name string
	sink Sink
	seq  int64  // all before are sent
	rest []byte // what a marked sink has beyond its mark

	fresh   bool   // the store did not know it
	taken   bool   // another process sends to it
	release func() // nil: it is not claimed
}

const (
	firstWait = time.Second
	mostWait  = time.Minute
	sendBatch = 128
)

// New opens the sinks of settings. A sink that the store does not know yet begins after the alerts that it has.
func New(ctx context.Context, store *alerts.Store, s Settings, stdout io.Writer, say func(string)) (*Delivery, error) {
	d := &Delivery{store: store, say: say, first: firstWait}
	seen := map[string]bool{}
	for i := range s.To {
		t := &s.To[i]
		o := &outlet{name: t.Name()}
		if seen[o.name] {
			return nil, errors.Join(fmt.Errorf("deliver: %s is named twice", o.name), d.Close())
		}
		seen[o.name] = true
		var err error
		if o.sink, err = t.Open(s.Layout, stdout); err == nil {
			d.sinks = append(d.sinks, o)
			err = o.begin(ctx, store)
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("deliver: %s: %w", o.name, err), d.Close())
		}
	}
	return d, nil
}

// begin finds the place of a sink in the store.
func (o *outlet) begin(ctx context.Context, store *alerts.Store) error {
	seq, mark, err := store.Sent(ctx, o.name)
	if o.seq = seq; err != nil || seq != 0 || mark != "" {
		return err
	}
	if o.seq, err = store.Last(ctx); err != nil {
		return err
	}
	o.fresh = true
	return store.MarkSent(ctx, o.name, o.seq, begun)
}

// begun is the mark of a sink to which nothing was sent yet.
const begun = "begun"

// claim claims a sink, and says whether another process has it. Then it goes on where the sink was left by whoever had
// it before.
func (d *Delivery) claim(ctx context.Context, o *outlet) (taken bool, err error) {
	if o.release != nil {
		return false, nil
	}
	release := func() {}
	if _, own := o.sink.(*writer); d.Claim != nil && !own {
		if release, taken, err = d.Claim(o.name); taken {
			if !o.taken {
				o.taken = true
				d.say(o.name + ": another process with this store sends to it, and sends these alerts too")
			}
			return true, nil
		} else if err != nil {
			return false, err
		}
	}
	seq, mark, err := d.store.Sent(ctx, o.name)
	if err == nil {
		o.seq, o.rest, o.taken = seq, nil, false
		if m, ok := o.sink.(marked); ok && !(o.fresh && mark == begun) {
			o.rest, err = m.resume(mark)
		}
	}
	if err != nil {
		release()
		return false, err
	}
	o.release = release
	return false, nil
}

// Names are those of the sinks in the store.
func (d *Delivery) Names() (names []string) {
	for _, o := range d.sinks {
		names = append(names, o.name)
	}
	return names
}

// Close lets go of the sinks.
func (d *Delivery) Close() error {
	var errs []error
	for _, o := range d.sinks {
		errs = append(errs, o.sink.Close())
		if o.release != nil {
			o.release()
		}
	}
	return errors.Join(errs...)
}

// Run sends alerts as they come into the store, until the context ends. What a receiver does not take is tried again
// after a second, then after twice as long each time, up to a minute.
func (d *Delivery) Run(ctx context.Context) { d.each(ctx, false) }

// Drain sends what is in the store and ends when all of it is sent, or with the context: the error says what is not.
// What is not sent is at the next start.
func (d *Delivery) Drain(ctx context.Context) error {
	d.each(ctx, true)
	var errs []error
	for _, o := range d.sinks {
		if o.taken { // another process sends them
			continue
		}
		left, err := d.store.List(context.WithoutCancel(ctx), alerts.Query{After: o.seq, Limit: 1})
		if err == nil && len(left) > 0 {
			err = fmt.Errorf("deliver: %s: not all alerts are sent; the others will be at the next start", o.name)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (d *Delivery) each(ctx context.Context, drain bool) {
	var group sync.WaitGroup
	for _, o := range d.sinks {
		group.Go(func() { d.run(ctx, o, drain) })
	}
	group.Wait()
}

// run is the way of one sink.
func (d *Delivery) run(ctx context.Context, o *outlet, drain bool) {
	wait := d.first
	for ctx.Err() == nil {
		changed := d.store.Changed()
		taken, err := d.claim(ctx, o)
		n := 0
		if !taken && err == nil {
			n, err = d.step(ctx, o)
		}
		var later retryError
		pause := time.Duration(0)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			pause = wait
			if errors.As(err, &later) && later.after > 0 {
				pause = later.after
			}
			d.say(fmt.Sprintf("%s: %v: trying again in %v", o.name, err, pause))
			wait = min(2*wait, mostWait)
		case n > 0:
			wait = d.first
			continue
		case drain:
			return
		default:
			pause = alerts.Poll
		}
		if err != nil {
			changed = nil
		}
		select {
		case <-ctx.Done():
		case <-changed:
		case <-time.After(pause):
		}
	}
}

// step sends the next alerts, and notes what arrived.
func (d *Delivery) step(ctx context.Context, o *outlet) (int, error) {
	list, err := d.store.List(ctx, alerts.Query{After: o.seq, Oldest: true, Limit: sendBatch})
	if err != nil || len(list) == 0 {
		return 0, err
	}
	var fresh []alerts.Alert // that a marked sink does not have
	for _, a := range list {
		if o.rest == nil || !bytes.Contains(o.rest, []byte(a.ID)) {
			fresh = append(fresh, a)
		}
	}
	n, err := o.sink.Send(ctx, fresh)
	var refused refusedError
	if errors.As(err, &refused) && n > 0 {
		d.say(fmt.Sprintf("%s does not take alert %s, which stays in the store: %v", o.name, fresh[n-1].ID, err))
		err = nil
	}
	last := list[len(list)-1].Seq
	if n < len(fresh) {
		last = fresh[n].Seq - 1
	}
	if last <= o.seq {
		return 0, err
	}
	mark := "sent"
	if m, ok := o.sink.(marked); ok {
		if len(fresh) > 0 || o.rest != nil {
			mark = m.mark()
		}
	}
	o.seq = last
	if noted := d.store.MarkSent(context.WithoutCancel(ctx), o.name, last, mark); noted != nil {
		return n, errors.Join(err, noted)
	}
	if n == len(fresh) && len(fresh) > 0 { // later ones are not in what was there at the start
		o.rest = nil
	}
	return len(list), err
}
