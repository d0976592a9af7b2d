package main

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
)

// progress shows a run on stderr: one moving line on a terminal, a plain line for each event elsewhere.
type progress struct {
	w      io.Writer
	width  int // of the terminal; 0: plain lines
	mu     sync.Mutex
	start  time.Time
	first  int // cells that were done before
	last   runs.Event
	at     map[string]string // what each cell at work is doing
	order  []string
	drawn  bool
	closed bool
	next   time.Time // earliest moment to draw again
}

func (a *app) progress() *progress {
	p := &progress{w: a.err, start: time.Now(), at: map[string]string{}}
	if a.quiet {
		p.w = io.Discard
		return p
	}
	if f, ok := a.err.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 20 {
			p.width = w
		}
	}
	return p
}

func (p *progress) event(e runs.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.last = e
	name := ""
	if e.Cell.Entry != nil {
		name = fmt.Sprintf("%s %s seed %d", e.Cell.Set.Config.Name, e.Cell.Entry.Label, e.Cell.Seed)
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
		p.at[name] = "fit"
		p.order = append(p.order, name)
	case runs.EpochDone:
		p.at[name] = epochText(e)
	case runs.Finished:
		delete(p.at, name)
		p.line(finishedText(name, e))
	}
	p.draw()
}

func epochText(e runs.Event) string {
	s := fmt.Sprintf("step %d", e.Epoch.N)
	if e.Epoch.Of > 0 {
		s = fmt.Sprintf("%d/%d", e.Epoch.N, e.Epoch.Of)
	}
	if !math.IsNaN(e.Epoch.Loss) {
		s += fmt.Sprintf(" loss %.4g", e.Epoch.Loss)
	}
	return s
}

func finishedText(name string, e runs.Event) string {
	r := e.Result
	count := fmt.Sprintf("[%d/%d] ", e.Done, e.Total)
	if r.Status != runs.OK {
		return count + name + ": " + r.Status + ": " + r.Error
	}
	return fmt.Sprintf("%s%s: AUROC %.4f, fit %s, score %s", count, name, float64(r.AUROC), seconds(float64(r.FitSeconds)), seconds(float64(r.ScoreSeconds)))
}

func seconds(s float64) string {
	return time.Duration(s * float64(time.Second)).Round(10 * time.Millisecond).String()
}

// line prints a line above the moving one.
func (p *progress) line(s string) {
	p.wipe()
	fmt.Fprintln(p.w, s)
}

func (p *progress) wipe() {
	if p.drawn {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.drawn = false
	}
}

// draw shows the moving line, at most ten times a second.
func (p *progress) draw() {
	now := time.Now()
	if p.width == 0 || p.last.Total == 0 || now.Before(p.next) && p.drawn {
		return
	}
	p.next = now.Add(100 * time.Millisecond)
	const bar = 20
	full := bar * p.last.Done / p.last.Total
	s := fmt.Sprintf("[%s%s] %d/%d %s", strings.Repeat("#", full), strings.Repeat(".", bar-full), p.last.Done, p.last.Total, p.left(now))
	for _, name := range p.order {
		if doing, ok := p.at[name]; ok {
			s += " · " + name + " " + doing
		}
	}
	if r := []rune(s); len(r) >= p.width {
		s = string(r[:p.width-1])
	}
	fmt.Fprint(p.w, "\r\x1b[K"+s)
	p.drawn = true
}

// left guesses the time left from the cells done in this attempt.
func (p *progress) left(now time.Time) string {
	done := p.last.Done - p.first
	if done == 0 {
		return "…"
	}
	each := now.Sub(p.start) / time.Duration(done)
	return "about " + (each * time.Duration(p.last.Total-p.last.Done)).Round(time.Second).String() + " left"
}

func (p *progress) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wipe()
	p.closed = true
}
