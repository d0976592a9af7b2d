package train

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"time"

	"plumbline/data"
	"plumbline/data/roles"
	"plumbline/runs/alerts"
	"plumbline/runs/bundle"
)

// judgedClass is the class of rows that an analyst called attacks.
const judgedClass = "judged"

// judged is label.join for alerts that an analyst called true: rows of their times and addresses are attacks, which
// nothing benign is learned from.
func judged(b *bundle.Bundle, list []alerts.Alert) (map[string]any, error) {
	t := &data.Table{Name: b.Data}
	for _, f := range b.Columns {
		t.Columns = append(t.Columns, data.Column{Name: f.Name, Type: f.Type})
	}
	var hints roles.Hints
	if b.Tracer != nil && len(b.Tracer.Spec.Key) > 0 {
		hints.Entity = b.Tracer.Spec.Key[0]
	}
	cols := roles.Find(t, hints)
	if cols.Time == nil || cols.Source == nil {
		return nil, fmt.Errorf("%s knows no time and addresses, by which the rows of alerts are told", b.Path)
	}
	key := map[string]any{cols.Source.Name: "src"}
	if cols.Destination != nil {
		key[cols.Destination.Name] = "dst"
	}
	var text bytes.Buffer
	w := csv.NewWriter(&text)
	w.Write([]string{"from", "to", "src", "dst", "class"})
	n := 0
	for i := range list {
		a := &list[i]
		if a.Time.IsZero() || a.Source == "" {
			continue
		}
		at := a.Time.UTC().Format("2006-01-02 15:04:05.000000000")
		w.Write([]string{at, at, a.Source, a.Dest, judgedClass})
		n++
	}
	if w.Flush(); n == 0 {
		return nil, fmt.Errorf("no alert that was called true has a time and an address, out of %d", len(list))
	}
	join := map[string]any{"table": text.String(), "key": key, "from": "from", "to": "to", "class": "class",
		"slack": time.Microsecond.Seconds()} // times of more digits than the table's
	return map[string]any{"join": join}, nil
}
