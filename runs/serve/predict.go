package serve

import (
	"context"
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"plumbline/data"
)

// asked is what a request wants of a model.
type asked struct {
	threshold float64 // NaN: the model's
	reasons   int     // how many for each prediction
	unknown   string
}

// Prediction is what a model says of a record, or of the records of one unit.
type Prediction struct {
	Score   float64  `json:"score"`
	Anomaly *bool    `json:"anomaly"` // null: there is no threshold
	PValue  *float64 `json:"p_value"` // null: the model was left without benign scores to hold it against
	Unit    string   `json:"unit,omitempty"`
	Records []int    `json:"records,omitempty"` // of a unit: places in the request, from 0
	Unknown []string `json:"unknown,omitempty"` // inputs whose category the model does not know
	Reasons []Reason `json:"reasons,omitempty"` // largest share first
}

// pValue is the conformal p-value of a score; nil for a model that was left without benign scores.
func (m *Model) pValue(score float64) *float64 { return finite(m.Calibration.P(score)) }

// Reason is a column that a score comes from.
type Reason struct {
	Feature string  `json:"feature"`
	Share   float64 `json:"share"`            // of all that adds to the score, in (0, 1]
	Actual  *string `json:"actual,omitempty"` // the record's value, as text
	Usual   string  `json:"usual,omitempty"`  // the median or commonest value of the rows that trained the model
	// Prepared and Expected are the value as the model sees it, and what it expects there.
	Prepared *float64 `json:"prepared,omitempty"`
	Expected *float64 `json:"expected,omitempty"`
}

// Answer is that of predict.
type Answer struct {
	Model       string       `json:"model"`
	Version     string       `json:"version"`
	Threshold   *float64     `json:"threshold"`
	Unit        string       `json:"unit"`
	Predictions []Prediction `json:"predictions"`
	Why         string       `json:"why,omitempty"` // how reasons were found, or why there are none
}

// pick is the model of a name; "" stands for the only one.
func (s *Server) pick(name string) (*Model, error) {
	m, names := s.served.find(name)
	switch {
	case m != nil:
		return m, nil
	case name == "":
		return nil, refuse(http.StatusNotFound, "/model", "several models are served: name one of %s", strings.Join(names,
			", "))
	}
	return nil, refuse(http.StatusNotFound, "", "no model %q; there are %s", name, strings.Join(names, ", "))
}

// predict answers POST /v1/predict and /v1/models/{m}/predict.
func (s *Server) predict(w http.ResponseWriter, r *http.Request) error {
	raw, done, err := s.json(w, r)
	defer done()
	if err != nil {
		return err
	}
	name := r.PathValue("model")
	if name == "" {
		name = r.URL.Query().Get("model")
	}
	a := asked{threshold: math.NaN(), unknown: s.o.Unknown}
	var columns []string
	var list jsontext.Value
	err = members(raw, "", map[string]func(jsontext.Value, jsontext.Pointer) error{
		"model": func(v jsontext.Value, at jsontext.Pointer) error {
			given, err := text(v, at)
			if err == nil && name != "" && given != name {
				err = wrong(at, "the address names the model %q", name)
			}
			name = given
			return err
		},
		"records": func(v jsontext.Value, _ jsontext.Pointer) error { list = v; return nil },
		"columns": func(v jsontext.Value, at jsontext.Pointer) (err error) {
			columns, err = texts(v, at)
			return err
		},
		"threshold": func(v jsontext.Value, at jsontext.Pointer) (err error) {
			a.threshold, err = number(v, at)
			return err
		},
		"reasons": func(v jsontext.Value, at jsontext.Pointer) error {
			n, err := number(v, at)
			if err == nil && (n != math.Trunc(n) || n < 0 || n > 1000) {
				err = wrong(at, "want a whole number from 0 to 1000")
			}
			a.reasons = int(n)
			return err
		},
		"unknown": func(v jsontext.Value, at jsontext.Pointer) (err error) {
			a.unknown, err = text(v, at)
			if err == nil && a.unknown != AcceptUnknown && a.unknown != RefuseUnknown {
				err = wrong(at, "want %s or %s", AcceptUnknown, RefuseUnknown)
			}
			return err
		},
	})
	if err != nil {
		return err
	}
	m, err := s.pick(name)
	if err != nil {
		return err
	}
	if list == nil {
		return wrong("/records", "there are no records")
	}
	order, err := m.order(columns, "/columns")
	if err != nil {
		return err
	}
	c := newCollector(m)
	if err := c.records(list, "/records", order, s.o.Records); err != nil {
		return err
	}
	answer, err := s.answer(r.Context(), c, a)
	if err != nil {
		return err
	}
	return s.reply(w, answer)
}

// order is the inputs that named columns stand for, −1 for those that the model does not look at; nil of none.
func (m *Model) order(columns []string, at jsontext.Pointer) ([]int, error) {
	if columns == nil {
		return nil, nil
	}
	out := make([]int, len(columns))
	for k, name := range columns {
		i, ok := m.find(name)
		if !ok {
			i = -1
		} else if slices.Contains(out[:k], i) {
			return nil, wrong(at, "%s is named twice", m.inputs[i].Name)
		}
		out[k] = i
	}
	for i, in := range m.inputs[:m.needs] {
		if !slices.Contains(out, i) {
			return nil, wrong(at, "no column %s (%v)", in.Name, in.Type)
		}
	}
	return out, nil
}

// answer scores records. It waits for its turn.
func (s *Server) answer(ctx context.Context, c *collector, a asked) (*Answer, error) {
	t, err := c.table()
	if err != nil {
		return nil, err
	}
	return s.answerTable(ctx, c.m, t, a)
}

// answerTable is answer for a table, whose columns are named as the model's inputs.
func (s *Server) answerTable(ctx context.Context, m *Model, t *data.Table, a asked) (*Answer, error) {
	threshold := float64(m.Threshold.Score)
	if a.threshold == a.threshold {
		threshold = a.threshold
	}
	out := &Answer{Model: m.Name, Version: m.Version, Unit: m.Unit.Name, Threshold: finite(threshold),
		Predictions: []Prediction{}}
	if t.Rows == 0 {
		return out, nil
	}
	unseen := make([][]string, t.Rows)
	for i := range unseen {
		if unseen[i] = m.unknown(t, i); unseen[i] != nil && a.unknown == RefuseUnknown {
			at := jsontext.Pointer("/records").AppendToken(itoa(i)).AppendToken(unseen[i][0])
			return nil, refuse(http.StatusUnprocessableEntity, string(at), "the model does not know this %s", unseen[i][0])
		}
	}
	if err := s.queue.turn(ctx); err != nil {
		return nil, err
	}
	defer s.queue.leave()
	scored, err := m.Score(ctx, t)
	if err != nil {
		return nil, err
	}
	out.Predictions = make([]Prediction, len(scored.Scores))
	anomalies := 0
	for k, v := range scored.Scores {
		p := &out.Predictions[k]
		p.Score, p.PValue = v, m.pValue(v)
		if out.Threshold != nil {
			is := v > threshold
			if p.Anomaly = &is; is {
				anomalies++
			}
		}
	}
	for i, r := range scored.Units.Rows {
		p := &out.Predictions[scored.Units.Unit[i]]
		if scored.Units.Keys != nil {
			p.Unit = scored.Units.Keys[scored.Units.Unit[i]]
			p.Records = append(p.Records, int(r))
		}
		for _, name := range unseen[r] {
			if !slices.Contains(p.Unknown, name) {
				p.Unknown = append(p.Unknown, name)
			}
		}
	}
	if a.reasons > 0 {
		if out.Why, err = m.reasons(ctx, t, scored, a.reasons, out.Predictions); err != nil {
			return nil, err
		}
	}
	s.counts.scored(m.Name, t.Rows, anomalies)
	s.ring.add(m, t, scored, out)
	return out, nil
}

// finite is a number, nil for NaN and infinity.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
