package serve

import (
	"math"
	"net/http"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"plumbline/data"
	"plumbline/runs/bundle"
)

// The Open Inference Protocol: github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md.

// Tensor is the metadata of a tensor.
type Tensor struct {
	Name     string `json:"name"`
	Datatype string `json:"datatype"`
	Shape    []int  `json:"shape"` // −1: any
}

func (s *Server) v2Server(w http.ResponseWriter, _ *http.Request) error {
	write(w, http.StatusOK, map[string]any{"name": "plumbline", "version": s.o.Build, "extensions": []string{}})
	return nil
}

func (s *Server) v2Live(w http.ResponseWriter, _ *http.Request) error {
	write(w, http.StatusOK, map[string]bool{"live": true})
	return nil
}

func (s *Server) v2Ready(w http.ResponseWriter, _ *http.Request) error {
	if !s.ready.Load() {
		return refuse(http.StatusServiceUnavailable, "", "the server stops")
	}
	write(w, http.StatusOK, map[string]bool{"live": true, "ready": true})
	return nil
}

// version of a model is the beginning of its hash, long enough to tell versions apart.
const versionDigits = 12

// v2Pick is the model of a path; a version that is not served is not found.
func (s *Server) v2Pick(r *http.Request) (*Model, error) {
	m, err := s.pick(r.PathValue("model"))
	if err != nil {
		return nil, err
	}
	if v := r.PathValue("version"); v != "" && v != m.Version[:versionDigits] && v != m.Version {
		return nil, refuse(http.StatusNotFound, "", "version %q of %s is not served; %s is", v, m.Name,
			m.Version[:versionDigits])
	}
	return m, nil
}

func (s *Server) v2ModelReady(w http.ResponseWriter, r *http.Request) error {
	m, err := s.v2Pick(r)
	if err != nil {
		return err
	}
	write(w, http.StatusOK, map[string]any{"name": m.Name, "ready": s.ready.Load()})
	return nil
}

// datatypes are those of tensors that hold the values of a column.
var datatypes = map[data.ColumnType]string{data.Number: "FP64", data.Category: "BYTES", data.Address: "BYTES",
	data.Time: "FP64"}

// v2Model answers with the tensors of a model: one for each column, or, in their place, rows of the prepared matrix.
func (s *Server) v2Model(w http.ResponseWriter, r *http.Request) error {
	m, err := s.v2Pick(r)
	if err != nil {
		return err
	}
	var in []Tensor
	for _, c := range m.inputs[:m.needs] {
		in = append(in, Tensor{c.Name, datatypes[c.Type], []int{-1, 1}})
	}
	write(w, http.StatusOK, map[string]any{"name": m.Name, "versions": []string{m.Version[:versionDigits]},
		"platform": "plumbline_" + m.Bundle.Model, "inputs": in, "outputs": []Tensor{{"score", "FP64", []int{-1}},
			{"anomaly", "BOOL", []int{-1}}, {"p_value", "FP64", []int{-1}}}})
	return nil
}

// tensor is an input of a request.
type tensor struct {
	name, datatype string
	shape          []int
	values         jsontext.Value
	at             jsontext.Pointer
}

// outTensor is an output of an answer.
type outTensor struct {
	Name     string `json:"name"`
	Shape    []int  `json:"shape"`
	Datatype string `json:"datatype"`
	Data     any    `json:"data"`
}

// prepName is the name of the tensor that holds rows of the prepared matrix.
const prepName = "prepared"

// v2Infer answers POST /v2/models/{m}/infer.
func (s *Server) v2Infer(w http.ResponseWriter, r *http.Request) error {
	m, err := s.v2Pick(r)
	if err != nil {
		return err
	}
	raw, done, err := s.json(w, r)
	defer done()
	if err != nil {
		return err
	}
	var id *string
	var inputs []tensor
	var outputs []string
	given := false
	err = members(raw, "", map[string]func(jsontext.Value, jsontext.Pointer) error{
		"id": func(v jsontext.Value, at jsontext.Pointer) error {
			t, err := text(v, at)
			id = &t
			return err
		},
		"parameters": anyObject,
		"inputs": func(v jsontext.Value, at jsontext.Pointer) error {
			given = true
			return elements(v, at, func(v jsontext.Value, at jsontext.Pointer) error {
				t, err := readTensor(v, at)
				inputs = append(inputs, t)
				return err
			})
		},
		"outputs": func(v jsontext.Value, at jsontext.Pointer) error {
			outputs = []string{}
			return elements(v, at, func(v jsontext.Value, at jsontext.Pointer) error {
				name, err := outputName(v, at)
				outputs = append(outputs, name)
				return err
			})
		},
	})
	if err != nil {
		return err
	}
	if !given {
		return wrong("/inputs", "there are no inputs")
	}
	a := asked{threshold: math.NaN(), unknown: s.o.Unknown}
	answer, err := s.infer(r, m, inputs, a)
	if err != nil {
		return err
	}
	return s.reply(w, v2Answer(m, id, outputs, answer))
}

func v2Answer(m *Model, id *string, outputs []string, a *Answer) any {
	n := len(a.Predictions)
	score, anomaly, p := make([]float64, n), make([]bool, n), make([]*float64, n)
	for i := range a.Predictions {
		of := &a.Predictions[i]
		score[i], p[i] = of.Score, of.PValue
		anomaly[i] = of.Anomaly != nil && *of.Anomaly
	}
	all := []outTensor{{"score", []int{n}, "FP64", score}, {"anomaly", []int{n}, "BOOL", anomaly}}
	if n > 0 && p[0] != nil {
		all = append(all, outTensor{"p_value", []int{n}, "FP64", p})
	}
	out := struct {
		Name    string      `json:"model_name"`
		Version string      `json:"model_version"`
		ID      *string     `json:"id,omitempty"`
		Outputs []outTensor `json:"outputs"`
	}{m.Name, m.Version[:versionDigits], id, []outTensor{}}
	for _, t := range all {
		if outputs == nil || slices.Contains(outputs, t.Name) {
			out.Outputs = append(out.Outputs, t)
		}
	}
	return out
}

func anyObject(v jsontext.Value, at jsontext.Pointer) error {
	if v.Kind() != '{' {
		return wrong(at, "want an object")
	}
	return nil
}

func outputName(v jsontext.Value, at jsontext.Pointer) (name string, err error) {
	err = members(v, at, map[string]func(jsontext.Value, jsontext.Pointer) error{
		"name": func(v jsontext.Value, at jsontext.Pointer) (err error) {
			name, err = text(v, at)
			if err == nil && !slices.Contains([]string{"score", "anomaly", "p_value"}, name) {
				err = wrong(at, "the model has the outputs score, anomaly and p_value")
			}
			return err
		},
		"parameters": anyObject,
	})
	return name, err
}

func readTensor(v jsontext.Value, at jsontext.Pointer) (t tensor, err error) {
	t.at = at
	err = members(v, at, map[string]func(jsontext.Value, jsontext.Pointer) error{
		"name":       func(v jsontext.Value, at jsontext.Pointer) (err error) { t.name, err = text(v, at); return err },
		"datatype":   func(v jsontext.Value, at jsontext.Pointer) (err error) { t.datatype, err = text(v, at); return err },
		"parameters": anyObject,
		"shape": func(v jsontext.Value, at jsontext.Pointer) error {
			return elements(v, at, func(v jsontext.Value, at jsontext.Pointer) error {
				n, err := strconv.ParseInt(string(v), 10, 32)
				if err != nil || n < 0 {
					return wrong(at, "want a whole number from 0 on")
				}
				t.shape = append(t.shape, int(n))
				return nil
			})
		},
		"data": func(v jsontext.Value, at jsontext.Pointer) error {
			if v.Kind() != '[' {
				return wrong(at, "want a list")
			}
			t.values = v
			return nil
		},
	})
	if err != nil {
		return t, err
	}
	switch {
	case t.name == "":
		return t, wrong(at+"/name", "the tensor has no name")
	case t.values == nil:
		return t, wrong(at+"/data", "the tensor has no data")
	case len(t.shape) == 0:
		return t, wrong(at+"/shape", "the tensor has no shape")
	}
	return t, nil
}

// flat calls each with the elements of a tensor's data, which may be nested as the shape is or flat, and holds their
// number against the shape.
func (t *tensor) flat(each func(k int, v jsontext.Value, at jsontext.Pointer) error) error {
	want := 1
	for _, n := range t.shape {
		if n > 0 && want > math.MaxInt32/n {
			return wrong(t.at+"/shape", "too large")
		}
		want *= n
	}
	k := 0
	var walk func(v jsontext.Value, at jsontext.Pointer, depth int) error
	walk = func(v jsontext.Value, at jsontext.Pointer, depth int) error {
		if v.Kind() == '[' && depth < len(t.shape) {
			return elements(v, at, func(v jsontext.Value, at jsontext.Pointer) error { return walk(v, at, depth+1) })
		}
		if k == want {
			return wrong(t.at+"/data", "more than the %d values of the shape", want)
		}
		k++
		return each(k-1, v, at)
	}
	if err := walk(t.values, t.at+"/data", 0); err != nil {
		return err
	}
	if k != want {
		return wrong(t.at+"/data", "%d values, the shape has %d", k, want)
	}
	return nil
}

// infer scores the rows of some tensors.
func (s *Server) infer(r *http.Request, m *Model, inputs []tensor, a asked) (*Answer, error) {
	if len(inputs) == 1 && inputs[0].name == prepName && m.prepped != nil {
		return s.inferPrepared(r, m, &inputs[0], a)
	}
	c := newCollector(m)
	rows, met := -1, make([]bool, len(m.inputs))
	for k := range inputs {
		t := &inputs[k]
		i, ok := m.find(t.name)
		switch {
		case !ok:
			continue // another column of the data set
		case met[i]:
			return nil, wrong(t.at+"/name", "%s is given twice", t.name)
		case len(t.shape) > 2 || len(t.shape) == 2 && t.shape[1] != 1:
			return nil, wrong(t.at+"/shape", "want [rows] or [rows, 1]")
		case rows >= 0 && t.shape[0] != rows:
			return nil, wrong(t.at+"/shape", "%d rows, the tensors before have %d", t.shape[0], rows)
		case t.shape[0] > s.o.Records:
			return nil, refuse(http.StatusRequestEntityTooLarge, string(t.at), "more than %d rows", s.o.Records)
		}
		met[i], rows = true, t.shape[0]
		err := t.flat(func(_ int, v jsontext.Value, at jsontext.Pointer) error {
			if why := c.take(i, v); why != "" {
				return wrong(at, "%s", why)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	for i, in := range m.inputs[:m.needs] {
		if !met[i] {
			return nil, wrong("/inputs", "no tensor %s (%s)", in.Name, datatypes[in.Type])
		}
	}
	c.n = max(0, rows)
	return s.answer(r.Context(), c, a)
}

// inferPrepared scores rows of the prepared matrix.
func (s *Server) inferPrepared(r *http.Request, m *Model, t *tensor, a asked) (*Answer, error) {
	d := len(m.prepped.features)
	if len(t.shape) != 2 || t.shape[1] != d {
		return nil, wrong(t.at+"/shape", "want [rows, %d]", d)
	}
	if t.shape[0] > s.o.Records {
		return nil, refuse(http.StatusRequestEntityTooLarge, string(t.at), "more than %d rows", s.o.Records)
	}
	set := &data.Set{Kind: data.Vectors, N: t.shape[0], D: d, Features: m.prepped.features}
	err := t.flat(func(_ int, v jsontext.Value, at jsontext.Pointer) error {
		x, err := number(v, at)
		if err == nil && finite(float64(float32(x))) == nil {
			err = wrong(at, "is too large for a float32")
		}
		set.X = append(set.X, float32(x))
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &Answer{Model: m.Name, Version: m.Version, Threshold: finite(float64(m.Threshold.Score))}
	if set.N == 0 {
		return out, nil
	}
	if err := s.queue.turn(r.Context()); err != nil {
		return nil, err
	}
	defer s.queue.leave()
	scores, err := bundle.Score(r.Context(), m.Detector, set)
	if err != nil {
		return nil, err
	}
	anomalies := 0
	for _, v := range scores {
		p := Prediction{Score: v, PValue: m.pValue(v)}
		if out.Threshold != nil {
			is := v > *out.Threshold
			if p.Anomaly = &is; is {
				anomalies++
			}
		}
		out.Predictions = append(out.Predictions, p)
	}
	s.counts.scored(m.Name, set.N, anomalies)
	return out, nil
}
