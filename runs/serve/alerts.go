package serve

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"plumbline/data"
	"plumbline/runs/alerts"
	"plumbline/runs/bundle"
)

// Alerts is a store of alerts, such as alerts.Store.
type Alerts interface {
	List(ctx context.Context, q alerts.Query) ([]alerts.Alert, error)
}

// ring is the last alarms of a server's own answers, in memory.
type ring struct {
	mu   sync.Mutex
	last []alerts.Alert // oldest first; the newest ringSize of them count
	next int64
}

const (
	ringSize    = 1000
	shownValues = 12 // of a record
	shownBytes  = 120
)

// add keeps the anomalies of an answer.
func (r *ring) add(m *Model, t *data.Table, s *bundle.Scored, a *Answer) {
	var fresh []alerts.Alert
	for k := range a.Predictions {
		p := &a.Predictions[k]
		if p.Anomaly == nil || !*p.Anomaly {
			continue
		}
		row := s.Units.First[k]
		alert := alerts.Alert{Model: m.Name, Hash: m.Version, Score: p.Score, Threshold: *a.Threshold, P: p.PValue,
			Unit: m.Unit.Name, Entity: clipped(p.Unit), Cause: "none", Record: shown(t, row)}
		alert.Source, alert.Dest, alert.Time = ends(t, row)
		alert.Source, alert.Dest = clipped(alert.Source), clipped(alert.Dest)
		for _, reason := range p.Reasons {
			alert.Reasons = append(alert.Reasons, reason.stored())
		}
		if len(p.Reasons) > 0 {
			alert.Cause = p.Reasons[0].Feature
		}
		alert.Group = alerts.GroupID(m.Version, alert.Cause)
		if fresh = append(fresh, alert); len(fresh) == ringSize {
			break
		}
	}
	if fresh == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range fresh {
		r.next++
		fresh[i].Seq, fresh[i].ID = r.next, alerts.NewID(m.Version, "serve", r.next, fresh[i].Entity)
	}
	if len(r.last)+len(fresh) > 2*ringSize { // seldom: each answer would move all of them
		r.last = slices.Delete(r.last, 0, len(r.last)-ringSize)
	}
	r.last = append(r.last, fresh...)
}

// ends are the first two addresses of a row and its first time, as far as it has them.
func ends(t *data.Table, row int32) (source, dest string, at time.Time) {
	for i := range t.Columns {
		c := &t.Columns[i]
		switch {
		case c.Missing(int(row)):
		case c.Type == data.Address && source == "":
			source = c.Level(row)
		case c.Type == data.Address && dest == "":
			dest = c.Level(row)
		case c.Type == data.Time && at.IsZero():
			at = time.Unix(0, c.Nanos[row]).UTC()
		}
	}
	return source, dest, at
}

// stored is a reason as alerts have it.
func (r *Reason) stored() alerts.Reason {
	out := alerts.Reason{Name: r.Feature, Share: r.Share, Expected: r.Usual}
	if r.Actual != nil {
		out.Actual = clipped(*r.Actual)
	}
	return out
}

// clipped is the beginning of a text that clients chose, in memory of its own: what is kept of their records must not
// be as long as they like.
func clipped(text string) string {
	return strings.ToValidUTF8(strings.Clone(text[:min(len(text), shownBytes)]), "…")
}

// shown is the values by which a row is recognised: its times, addresses and categories first.
func shown(t *data.Table, row int32) map[string]string {
	out := map[string]string{}
	for _, numbers := range []bool{false, true} {
		for i := range t.Columns {
			c := &t.Columns[i]
			if (c.Type == data.Number) != numbers || len(out) == shownValues || c.Missing(int(row)) {
				continue
			}
			out[c.Name] = clipped(string(c.AppendText(nil, row)))
		}
	}
	return out
}

// List is the alarms that a query asks for by place, model and cause; nobody has judged any.
func (r *ring) List(_ context.Context, q alerts.Query) ([]alerts.Alert, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := []alerts.Alert{}
	for _, a := range slices.Backward(r.last[max(0, len(r.last)-ringSize):]) {
		if len(out) == q.Limit {
			break
		}
		if a.Seq > q.After && (q.Before == 0 || a.Seq < q.Before) && (q.Model == "" || a.Model == q.Model) &&
			(q.Cause == "" || a.Cause == q.Cause) {
			out = append(out, a)
		}
	}
	return out, nil
}

// mostAlerts is how many alerts an answer has at most.
const mostAlerts = 1000

// alerts answers GET /v1/alerts: alerts in the layout plumbline, newest first.
func (s *Server) alerts(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	q := alerts.Query{Model: v.Get("model"), Cause: v.Get("cause"), Limit: 100}
	for name, to := range map[string]*int64{"after": &q.After, "before": &q.Before} {
		if v.Get(name) == "" {
			continue
		}
		n, err := strconv.ParseInt(v.Get(name), 10, 64)
		if err != nil || n < 0 {
			return wrong(jsontext.Pointer("/"+name), "%s: want the seq of an alert", name)
		}
		*to = n
	}
	if text := v.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > mostAlerts {
			return wrong("/limit", "limit: want a whole number from 1 to %d", mostAlerts)
		}
		q.Limit = n
	}
	list, err := s.o.Alerts.List(r.Context(), q)
	if err != nil {
		return err
	}
	write(w, http.StatusOK, map[string]any{"alerts": list})
	return nil
}
