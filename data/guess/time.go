package guess

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// clock is a layout that all times fit so far, and what they span in it.
type clock struct {
	layout      string
	first, last time.Time
	at          time.Time // of the last text
	half        bool      // no hour but 1 to 12
	back        int       // times that fall back by about half a day
}

// layouts are how times are usually written, likeliest first; of two that differ in day and month alone, the one with
// the day first stands first.
var layouts = usual()

func usual() (out []string) {
	dates := []string{
		"2006-01-02",
		"2006/01/02",
		"2006.01.02",
		"02/01/2006",
		"2/1/2006",
		"01/02/2006",
		"1/2/2006",
		"02-01-2006",
		"01-02-2006",
		"02.01.2006",
		"2.1.2006",
		"02/Jan/2006",
		"2 Jan 2006",
		"02-Jan-2006",
	}
	clocks := []string{
		"15:04:05",
		"15:04",
		"03:04:05 PM",
		"3:04:05 PM",
		"03:04 PM",
		"3:04 PM",
		"03:04:05 pm",
		"3:04 pm",
	}
	for _, d := range dates {
		for _, c := range clocks {
			for _, between := range []string{" ", "T", ":"} {
				for _, zone := range []string{"", "Z0700", "Z07:00", " -0700", " MST"} {
					out = append(out, d+between+c+zone)
				}
			}
		}
		out = append(out, d)
	}
	return append(out, time.ANSIC, time.UnixDate, time.RubyDate, time.RFC1123, time.RFC1123Z, "Jan _2 15:04:05 2006")
}

// time checks a text against the layouts of times.
func (c *Column) time(text string) {
	if c.N == 1 {
		for _, l := range layouts {
			c.layouts = append(c.layouts, clock{layout: l, half: true})
		}
	}
	if len(c.layouts) == 0 {
		return
	}
	if len(text) < 8 || !strings.ContainsAny(text[:min(len(text), 24)], "/-.: ") {
		c.layouts = nil
		return
	}
	c.layouts = slices.DeleteFunc(c.layouts, func(k clock) bool {
		_, err := time.Parse(k.layout, text)
		return err != nil
	})
	for i := range c.layouts {
		k := &c.layouts[i]
		at, _ := time.Parse(k.layout, text)
		k.see(at, c.N == 1)
	}
}

func (k *clock) see(at time.Time, first bool) {
	if first {
		k.first, k.last, k.at = at, at, at
	}
	if at.Before(k.first) {
		k.first = at
	}
	if at.After(k.last) {
		k.last = at
	}
	k.half = k.half && at.Hour() >= 1 && at.Hour() <= 12
	if fall := k.at.Sub(at); fall > 10*time.Hour && fall < 12*time.Hour && k.at.Hour() == 12 {
		k.back++
	}
	k.at = at
}

// decideTime makes the column one of times where a layout fits them all.
func (c *Column) decideTime() {
	if len(c.layouts) == 0 {
		return
	}
	c.Kind, c.Layout = Time, c.layouts[0].layout
	k := c.layouts[0]
	c.HalfDay = k.half && k.back > 0 && strings.Contains(k.layout, "15")
	swapped := swapDay(k.layout)
	for _, other := range c.layouts[1:] {
		if other.layout == swapped {
			c.Other = other.layout
		}
	}
}

// swapDay is a layout with day and month the other way round.
func swapDay(layout string) string {
	for _, pair := range [][2]string{
		{"02/01/2006", "01/02/2006"}, {"2/1/2006", "1/2/2006"}, {"02-01-2006", "01-02-2006"}, {"01/02/2006", "02/01/2006"},
	} {
		if rest, ok := strings.CutPrefix(layout, pair[0]); ok {
			return pair[1] + rest
		}
	}
	return ""
}

// Spans says what the times span in a layout that fits them, in words.
func (c *Column) Spans(layout string) string {
	for _, k := range c.layouts {
		if k.layout == layout {
			return fmt.Sprintf("%s to %s", k.first.Format(time.DateOnly), k.last.Format(time.DateOnly))
		}
	}
	return ""
}
