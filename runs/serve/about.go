package serve

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"plumbline/data"
)

// ModelInfo is what /v1/models says of a model.
type ModelInfo struct {
	Name      string    `json:"name"`
	Version   string    `json:"version"` // SHA-256 of the file
	Loaded    time.Time `json:"loaded"`
	Model     string    `json:"model"` // registered name
	Label     string    `json:"label"` // in the experiment
	Data      string    `json:"data"`
	Unit      string    `json:"unit"`
	Threshold *float64  `json:"threshold"`
	// Fault says why a changed file cannot be read; the model before is served on.
	Fault string `json:"fault,omitempty"`
}

// ModelDetail is what /v1/models/{model} says.
type ModelDetail struct {
	ModelInfo
	Input   string        `json:"input"`   // vectors or traces
	Context string        `json:"context"` // none, request or trace: which other records a score depends on
	Reasons bool          `json:"reasons"` // the model gives some
	Rule    *Rule         `json:"threshold_rule"`
	Columns []InputColumn `json:"columns"`            // that records bring, in the order of arrays
	Window  *Window       `json:"window,omitempty"`   // how traces are cut
	Matrix  []string      `json:"prepared,omitempty"` // columns of the float32 matrix that batches may bring
	Trained string        `json:"plumbline"`          // version of the program that trained it
	Seed    uint64        `json:"seed"`

	Metrics json.RawMessage `json:"metrics,omitempty"` // of the run
}

// Rule is how the threshold was set.
type Rule struct {
	Rule  string  `json:"rule"`
	Value float64 `json:"value"`
	On    string  `json:"on"`
}

// InputColumn is a column that records bring.
type InputColumn struct {
	Name       string   `json:"name"`
	Type       string   `json:"type"` // number, category, time or address
	Aliases    []string `json:"aliases,omitempty"`
	Nullable   bool     `json:"nullable"`
	Usual      string   `json:"usual,omitempty"`      // the median or commonest value of the rows that trained the model
	Categories []string `json:"categories,omitempty"` // that the model knows
}

// Window is how the traces of a model are cut, as the settings of traces say it.
type Window struct {
	Key     []string `json:"key"`             // columns that name a trace
	Order   string   `json:"order,omitempty"` // column that events are in the order of; none: the first time
	Kind    string   `json:"kind"`            // count, time or dynamic
	Length  int      `json:"length"`          // count: events of a window, 0: all
	Stride  int      `json:"stride"`          // count: events from one window to the next
	Growing bool     `json:"growing"`         // count: the first windows are shorter
	Span    float64  `json:"span"`            // time: seconds of a window
	Gap     float64  `json:"gap"`             // seconds without an event that end a trace; 0: none do
}

func (s *Server) info(m *Model) ModelInfo {
	out := ModelInfo{Name: m.Name, Version: m.Version, Loaded: m.Loaded, Model: m.Bundle.Model, Label: m.Label,
		Data: m.Data,
		Unit: m.Unit.Name, Threshold: finite(float64(m.Threshold.Score))}
	for i, name := range s.served.names {
		if fault := s.served.places[i].fault.Load(); name == m.Name && fault != nil {
			out.Fault = *fault
		}
	}
	return out
}

// models answers GET /v1/models.
func (s *Server) models(w http.ResponseWriter, _ *http.Request) error {
	list := []ModelInfo{}
	for _, m := range s.served.all() {
		list = append(list, s.info(m))
	}
	write(w, http.StatusOK, map[string]any{"models": list})
	return nil
}

// model answers GET /v1/models/{model}.
func (s *Server) model(w http.ResponseWriter, r *http.Request) error {
	m, err := s.pick(r.PathValue("model"))
	if err != nil {
		return err
	}
	out := ModelDetail{ModelInfo: s.info(m), Input: m.Info.Needs.Input.String(), Context: m.context(),
		Reasons: m.explains() || m.usually != nil, Trained: m.Program, Seed: m.Seed,
		Metrics: m.Metrics, Columns: m.columns()}
	if out.Threshold != nil {
		out.Rule = &Rule{m.Bundle.Threshold.Rule, m.Bundle.Threshold.Value, m.Bundle.Threshold.On}
	}
	if m.Info.Needs.Input == data.Traces {
		spec := m.Tracer.Spec
		w := spec.Window
		out.Window = &Window{spec.Key, spec.Order, w.Kind, w.Length, w.Stride, w.Growing, w.Span, w.Gap}
	}
	if m.prepped != nil {
		for _, f := range m.prepped.features {
			out.Matrix = append(out.Matrix, f.Name)
		}
	}
	write(w, http.StatusOK, out)
	return nil
}

// columns is the inputs as the answer has them.
func (m *Model) columns() (out []InputColumn) {
	for _, in := range m.inputs[:m.needs] {
		out = append(out, InputColumn{Name: in.Name, Type: in.Type.String(), Aliases: m.read.Aliases[in.Name],
			Nullable: in.null, Usual: m.usual(in.Name), Categories: in.sorted})
	}
	return out
}

func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) error {
	write(w, http.StatusOK, map[string]string{"status": "ok"})
	return nil
}

// readyz answers 503 once the server stops.
func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) error {
	if !s.ready.Load() {
		return refuse(http.StatusServiceUnavailable, "", "the server stops")
	}
	write(w, http.StatusOK, map[string]any{"status": "ready", "models": s.served.names})
	return nil
}

// version answers GET /version, which MLflow's clients ask.
func (s *Server) version(w http.ResponseWriter, _ *http.Request) error {
	write(w, http.StatusOK, map[string]string{"plumbline": s.o.Build})
	return nil
}

// alike says whether a text is one of some media types, parameters left out.
func alike(media string, types ...string) bool {
	media, _, _ = strings.Cut(media, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	for _, t := range types {
		if media == t {
			return true
		}
	}
	return false
}
