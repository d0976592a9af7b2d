package dashboard

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"io"
	"net/url"

	"plumbline/eval"
	"plumbline/runs/page"
)

//go:embed page.html
var body string

//go:embed page.css
var style string

//go:embed engine.js
var engineScript string

//go:embed charts.js
var chartsScript string

//go:embed forecast.js
var forecastScript string

//go:embed figures.js
var figuresScript string

//go:embed page.js
var pageScript string

var kind = page.New(body, style, forecastScript+engineScript+chartsScript+figuresScript+pageScript)

// MaxPage is the largest page that [Flows.Write] writes, in bytes, and MaxFlow the most bytes of it that the columns of
// a flow take on average.
const (
	MaxPage = 12_000_000
	MaxFlow = 20
)

// leastBlock is what packed columns may take of however few flows.
const leastBlock = 4096

// mostFlows is the most flows of a page, which a filter of the script still answers at once.
const mostFlows = 600_000

// head is what scripts know of the flows.
type head struct {
	*packed
	Served   bool             `json:"served"`
	Name     string           `json:"name"`
	N        int              `json:"n"`
	Of       int              `json:"of"`
	Axis     Axis             `json:"axis"`
	Dims     []dimHead        `json:"dims"`
	Nums     []numHead        `json:"nums"`
	Score    *scoreHead       `json:"score"`
	Mark     string           `json:"mark"`
	Signs    []string         `json:"signs"`
	Profile  *Profile         `json:"profile"`
	Labelled bool             `json:"labelled"`
	Lacks    []string         `json:"lacks"`
	First    *View            `json:"first"` // of no filter
	Details  map[int]*Detail  `json:"details"`
	Places   map[string]place `json:"places"`
}

type dimHead struct {
	Key    string   `json:"key"`
	Title  string   `json:"title"`
	Column string   `json:"column"`
	Levels []string `json:"levels,omitempty"`
}

type numHead struct {
	Key   string `json:"key"`
	Title string `json:"title"`
	Scale Scale  `json:"scale"`
}

type scoreHead struct {
	Scale Scale       `json:"scale"`
	Limit eval.Number `json:"limit"`
	Model string      `json:"model"`
}

func (f *Flows) head(first *View, details map[int]*Detail) *head {
	h := &head{Name: clip(f.Name), N: f.N, Of: f.Of, Axis: f.Axis, Mark: f.Mark, Signs: f.Signs, Profile: f.Profile,
		Labelled: f.Labelled, Lacks: f.Lacks, First: first, Details: details, Dims: []dimHead{}, Nums: []numHead{}}
	if h.Signs == nil {
		h.Signs = []string{}
	}
	if h.Lacks == nil {
		h.Lacks = []string{}
	}
	for i := range f.Dims {
		d := &f.Dims[i]
		h.Dims = append(h.Dims, dimHead{d.Key, d.Title, d.Column, d.Levels})
		if d.Key == "country" {
			h.Places = places
		}
	}
	for i := range f.Nums {
		n := &f.Nums[i]
		h.Nums = append(h.Nums, numHead{n.Key, n.Title, n.Scale})
	}
	if f.Score != nil {
		h.Score = &scoreHead{f.ScoreScale, eval.Number(f.Limit), f.Model}
	}
	return h
}

// Write writes a page that carries its flows: all of them, or a sample drawn with the seed where the page would grow
// beyond [MaxPage] or a filter take long. Where a flow takes more than [MaxFlow] bytes, numbers other than bytes are
// left out, the last first. Details are looked up for the flows that the page lists first. The flows are then those of
// the page.
func (f *Flows) Write(ctx context.Context, w io.Writer, seed uint64, workers int, details Detailer) error {
	all, err := f.first(ctx, workers)
	if err != nil {
		return err
	}
	story := f.story(all)
	f.Sample(mostFlows, seed)
	for {
		var b bytes.Buffer
		if err := f.page(ctx, &b, story, workers, details); err != nil {
			return err
		}
		if b.Len() <= MaxPage {
			if _, err := w.Write(b.Bytes()); err != nil {
				return fmt.Errorf("dashboard: %w", err)
			}
			return nil
		}
		n := int(float64(f.N) * MaxPage / float64(b.Len()) * 0.95)
		if n < 1 {
			return fmt.Errorf("dashboard: the page of one flow has %d bytes, above %d", b.Len(), MaxPage)
		}
		f.Sample(n, seed)
	}
}

// first is the view without filters.
func (f *Flows) first(ctx context.Context, workers int) (*View, error) {
	q, err := f.Parse(url.Values{})
	if err != nil {
		return nil, err
	}
	return f.View(ctx, q, workers)
}

// page writes the page of the flows as they are.
func (f *Flows) page(ctx context.Context, w io.Writer, story *story, workers int, details Detailer) error {
	p, err := f.pack()
	for err == nil && len(p.Block) > MaxFlow*f.N+leastBlock && len(f.Nums) > 2 {
		f.Nums = f.Nums[:len(f.Nums)-1]
		p, err = f.pack()
	}
	if err != nil {
		return err
	}
	first, err := f.first(ctx, workers)
	if err != nil {
		return err
	}
	var known map[int]*Detail
	if details != nil {
		if known, err = details(ctx, f.highest(200)); err != nil {
			return err
		}
	}
	h := f.head(first, known)
	h.packed = p
	return kind.Write(w, page.Head{Title: clip(f.Name) + " · plumbline dashboard"}, story, h)
}
