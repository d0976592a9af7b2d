package terminal

import (
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"plumbline/runs"
	"plumbline/runs/record"
	"plumbline/runs/visible"
)

// How often progress is shown.
const (
	redraw    = 250 * time.Millisecond // the moving line on a terminal
	heartbeat = 30 * time.Second       // a plain line while nothing else happens
	spacing   = 250 * time.Millisecond // between plain lines about cells that are ok; in between they are counted
)

// Progress shows a run on stderr: on a terminal a line for each cell above a moving one, elsewhere plain
// lines. It uses no colours.
type Progress struct {
	w     io.Writer
	width func() int       // of the terminal, now; nil: plain lines
	now   func() time.Time // the clock

	mu      sync.Mutex
	began   time.Time // of the first cell
	first   int       // cells that were done before
	last    runs.Event
	at      map[string]doing // the cells at work
	order   []string
	drawn   bool
	said    time.Time // when the last plain line was written
	held    int       // ok cells since then that have no line
	heldTxt string    // the latest of them
	closed  bool
	stop    chan struct{}
	stopped sync.WaitGroup
}

// doing is how far a cell at work is.
type doing struct {
	text  string
	share float64 // of its training, in [0, 1]
}

// NewProgress shows what happens on a stream, unless it is quiet: on a terminal with a moving line.
func NewProgress(stream io.Writer, quiet bool) *Progress {
	p := &Progress{w: stream, now: time.Now, at: map[string]doing{}, stop: make(chan struct{})}
	if quiet {
		p.w = io.Discard
		return p
	}
	if f, ok := stream.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		p.width = func() int {
			w, _, err := term.GetSize(int(f.Fd()))
			if err != nil || w < 20 {
				return 80
			}
			return w
		}
	}
	p.stopped.Go(func() {
		tick := time.NewTicker(redraw)
		defer tick.Stop()
		for {
			select {
			case <-p.stop:
				return
			case <-tick.C:
				p.beat()
			}
		}
	})
	return p
}

// Event shows a step of a run.
func (p *Progress) Event(e runs.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = e
	name := ""
	if e.Cell.Entry != nil {
		name = fmt.Sprintf("%s %s seed %d", e.Cell.Set.Config.Name, e.Cell.Entry.Label, e.Cell.Seed)
		if e.Cell.Fold != "" {
			name += " fold " + e.Cell.Fold
		}
	}
	switch e.Kind {
	case runs.Planned:
		p.first = e.Done
		p.line(fmt.Sprintf("%d cells to %s", e.Total, e.Dir))
		if e.Done > 0 {
			p.line(fmt.Sprintf("%d of them are done already", e.Done))
		}
	case runs.Preparing:
		p.line(e.Data + ": reading and preparing")
	case runs.Prepared:
		p.line(e.Data + ": " + e.Text)
	case runs.Warned:
		p.line(e.Data + ": warning: " + e.Text)
	case runs.Started:
		if p.began.IsZero() {
			p.began = p.now()
		}
		p.at[name] = doing{text: "training"}
		p.order = append(p.order, name)
	case runs.EpochDone:
		p.at[name] = epoch(e)
	case runs.Scoring:
		p.at[name] = doing{text: "scoring", share: 1}
	case runs.Judging:
		p.at[name] = doing{text: "metrics", share: 1}
	case runs.Finished:
		delete(p.at, name)
		p.finished(name, e)
	}
	if e.Kind != runs.EpochDone { // there may be thousands of those: they wait for the clock
		p.draw()
	}
}

// Say prints a line.
func (p *Progress) Say(s string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line(s)
}

func epoch(e runs.Event) doing {
	d := doing{text: fmt.Sprintf("step %d", e.Epoch.N)}
	if e.Epoch.Of > 0 {
		d.text = fmt.Sprintf("%d/%d", e.Epoch.N, e.Epoch.Of)
		d.share = float64(e.Epoch.N) / float64(e.Epoch.Of)
	}
	if !math.IsNaN(e.Epoch.Loss) {
		d.text += fmt.Sprintf(" loss %.4g", e.Epoch.Loss)
	}
	return d
}

// finished reports the end of a cell. One that is not ok always has a line.
func (p *Progress) finished(name string, e runs.Event) {
	r := e.Result
	s := fmt.Sprintf("[%d/%d] %s: ", e.Done, e.Total, name)
	switch {
	case r.Status == r.Error:
		p.line(s + r.Status)
	case r.Status != record.OK:
		p.line(s + r.Status + ": " + r.Error)
	default:
		s += fmt.Sprintf("AUROC %s, fit %s, score %s", Number(r.Metric("auroc")), Seconds(r.Metric("fit_seconds")),
			Seconds(r.Metric("score_seconds")))
		if p.width == nil && p.now().Sub(p.said) < spacing {
			p.held++
			p.heldTxt = s
			return
		}
		p.line(s)
	}
}

// Number is a metric for people: four decimals, or a dash where it is undefined.
func Number(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return fmt.Sprintf("%.4f", v)
}

// Seconds is a duration for people, or a dash where there is none.
func Seconds(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return time.Duration(v * float64(time.Second)).Round(10 * time.Millisecond).String()
}

// line prints a line above the moving one, after the cells that had none.
func (p *Progress) line(s string) {
	p.wipe()
	p.flush()
	fmt.Fprintln(p.w, visible.Text(s))
	p.said = p.now()
}

// flush gives the cells that were only counted one line together.
func (p *Progress) flush() {
	switch {
	case p.held == 1:
		fmt.Fprintln(p.w, visible.Text(p.heldTxt))
	case p.held > 1:
		fmt.Fprintf(p.w, "%s, and %d more just before\n", visible.Text(p.heldTxt), p.held-1)
	default:
		return
	}
	p.held, p.said = 0, p.now()
}

func (p *Progress) wipe() {
	if p.drawn {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.drawn = false
	}
}

// beat is the clock's turn: the moving line goes on, or a plain line says that the run is alive.
func (p *Progress) beat() {
	p.mu.Lock()
	defer p.mu.Unlock()
	quiet := p.now().Sub(p.said)
	switch {
	case p.width != nil:
		p.draw()
	case len(p.at) > 0 && quiet >= heartbeat:
		p.line(p.state())
	case p.held > 0 && quiet >= spacing:
		p.flush()
	}
}

// draw shows the moving line.
func (p *Progress) draw() {
	if p.width == nil || p.last.Total == 0 {
		return
	}
	const bar = 20
	full := bar * p.last.Done / p.last.Total
	s := []rune("[" + strings.Repeat("#", full) + strings.Repeat(".", bar-full) + "] " + p.state())
	if w := p.width(); len(s) >= w {
		s = s[:w-1]
	}
	fmt.Fprint(p.w, "\r\x1b[K"+visible.Text(string(s)))
	p.drawn = true
}

// state is how far the run is and what is at work.
func (p *Progress) state() string {
	s := fmt.Sprintf("%d/%d %s", p.last.Done, p.last.Total, p.left())
	for _, name := range p.order {
		if d, ok := p.at[name]; ok {
			s += " · " + name + " " + d.text
		}
	}
	return s
}

// left guesses the time left from the cells done in this attempt, and from how far those at work are. Cells
// differ, so it is rough.
func (p *Progress) left() string {
	done := float64(p.last.Done - p.first)
	for _, d := range p.at {
		done += d.share
	}
	rest := float64(p.last.Total-p.first) - done
	if done <= 0 || p.began.IsZero() {
		return "time left unknown"
	}
	t := time.Duration(float64(p.now().Sub(p.began)) * rest / done)
	return "about " + t.Round(time.Second).String() + " left"
}

// Close takes the moving line away and ends the display. It may be called again.
func (p *Progress) Close() {
	p.mu.Lock()
	closed := p.closed
	p.closed = true
	p.wipe()
	p.flush()
	p.mu.Unlock()
	if closed {
		return
	}
	close(p.stop)
	p.stopped.Wait()
}
