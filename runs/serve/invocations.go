package serve

import (
	"bytes"
	"math"
	"net/http"
	"runtime"

	"github.com/go-json-experiment/json/jsontext"

	"plumbline/data"
)

// invocations answers as MLflow's scoring server does: one of dataframe_split, dataframe_records, instances and inputs
// as JSON, or CSV with a header. The predictions are objects, as those of a model that gives a table.
func (s *Server) invocations(w http.ResponseWriter, r *http.Request) error {
	m, err := s.pick(r.URL.Query().Get("model"))
	if err != nil {
		return err
	}
	a := asked{threshold: math.NaN(), unknown: s.o.Unknown}
	if alike(r.Header.Get("Content-Type"), csvType) {
		return s.invokeCSV(w, r, m, a)
	}
	if err := wants(r, "application/json", csvType); err != nil {
		return err
	}
	raw, done, err := s.body(w, r)
	defer done()
	if err != nil {
		return err
	}
	c := newCollector(m)
	given := 0
	one := func(read func(v jsontext.Value, at jsontext.Pointer) error) func(jsontext.Value, jsontext.Pointer) error {
		return func(v jsontext.Value, at jsontext.Pointer) error {
			if given++; given > 1 {
				return wrong(at, "want one of dataframe_split, dataframe_records, instances and inputs")
			}
			return read(v, at)
		}
	}
	list := func(v jsontext.Value, at jsontext.Pointer) error { return c.records(v, at, nil, s.o.Records) }
	err = members(raw, "", map[string]func(jsontext.Value, jsontext.Pointer) error{
		"dataframe_records": one(list),
		"instances":         one(list),
		"inputs": one(func(v jsontext.Value, at jsontext.Pointer) error {
			if v.Kind() == '{' {
				return c.byColumn(v, at, s.o.Records)
			}
			return list(v, at)
		}),
		"dataframe_split": one(func(v jsontext.Value, at jsontext.Pointer) error { return c.split(v, at, s.o.Records) }),
		"params":          anyObject,
	})
	if err != nil {
		return err
	}
	if given == 0 {
		return wrong("", "want one of dataframe_split, dataframe_records, instances and inputs")
	}
	answer, err := s.answer(r.Context(), c, a)
	if err != nil {
		return err
	}
	return s.reply(w, map[string]any{"predictions": answer.Predictions})
}

// split reads a table as pandas writes it with orient "split".
func (c *collector) split(v jsontext.Value, at jsontext.Pointer, limit int) error {
	var columns []string
	var rows jsontext.Value
	var where jsontext.Pointer
	err := members(v, at, map[string]func(jsontext.Value, jsontext.Pointer) error{
		"columns": func(v jsontext.Value, at jsontext.Pointer) (err error) { columns, err = texts(v, at); return err },
		"index":   func(jsontext.Value, jsontext.Pointer) error { return nil },
		"data":    func(v jsontext.Value, at jsontext.Pointer) error { rows, where = v, at; return nil },
	})
	switch {
	case err != nil:
		return err
	case columns == nil:
		return wrong(at+"/columns", "there are no columns")
	case rows == nil:
		return wrong(at+"/data", "there is no data")
	}
	order, err := c.m.order(columns, at+"/columns")
	if err != nil {
		return err
	}
	return c.records(rows, where, order, limit)
}

// byColumn reads an object with a list of values for each column.
func (c *collector) byColumn(v jsontext.Value, at jsontext.Pointer, limit int) error {
	d := jsontext.NewDecoder(bytes.NewBuffer(v))
	if _, err := d.ReadToken(); err != nil {
		return located(err, at)
	}
	met, rows := make([]bool, len(c.m.inputs)), -1
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return located(err, at)
		}
		key := name.String()
		list, err := d.ReadValue()
		if err != nil {
			return located(err, at)
		}
		i, ok := c.m.find(key)
		if !ok {
			continue
		}
		here := at.AppendToken(key)
		if met[i] {
			return wrong(here, "%s is given twice", c.m.inputs[i].Name)
		}
		met[i] = true
		n := 0
		err = elements(list, here, func(v jsontext.Value, at jsontext.Pointer) error {
			if v.Kind() == '[' { // a column of a matrix with one column
				one := jsontext.Value(bytes.TrimSpace(v[1 : len(v)-1]))
				if len(one) == 0 || !one.IsValid() {
					return wrong(at, "want one value")
				}
				v = one
			}
			if why := c.take(i, v); why != "" {
				return wrong(at, "%s", why)
			}
			if n++; n > limit {
				return refuse(http.StatusRequestEntityTooLarge, string(at), "more than %d records", limit)
			}
			return nil
		})
		switch {
		case err != nil:
			return err
		case rows >= 0 && n != rows:
			return wrong(here, "%d values, the columns before have %d", n, rows)
		}
		rows = n
	}
	for i, in := range c.m.inputs[:c.m.needs] {
		if !met[i] {
			return wrong(at.AppendToken(in.Name), "no column %s (%v)", in.Name, in.Type)
		}
	}
	c.n = max(0, rows)
	return nil
}

// invokeCSV answers a body of CSV.
func (s *Server) invokeCSV(w http.ResponseWriter, r *http.Request, m *Model, a asked) error {
	raw, done, err := s.body(w, r)
	defer done()
	if err != nil {
		return err
	}
	config, err := m.body("delimited")
	if err != nil {
		return err
	}
	out := []Prediction{}
	err = config.StreamFrom(r.Context(), bytes.NewReader(raw), "body", runtime.GOMAXPROCS(0), true, s.o.Memory,
		func(t *data.Table) error {
			if t.Rows > s.o.Records {
				return refuse(http.StatusRequestEntityTooLarge, "", "more than %d records", s.o.Records)
			}
			answer, err := s.answerTable(r.Context(), m, t, a)
			if err == nil {
				out = answer.Predictions
			}
			return err
		})
	if err != nil {
		return rowFault(err)
	}
	return s.reply(w, map[string]any{"predictions": out})
}
