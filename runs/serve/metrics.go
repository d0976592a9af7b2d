package serve

import (
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// bounds are the upper limits of the histogram of answer times, in seconds.
var bounds = []float64{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

// counts is what /metrics shows.
type counts struct {
	set    *metrics.Set
	routes sync.Map // route → *metrics.PrometheusHistogram
	codes  sync.Map // routeCode → *metrics.Counter
	models sync.Map // model → modelCounts
}

type routeCode struct {
	route string
	code  int
}

type modelCounts struct{ records, anomalies *metrics.Counter }

func newCounts(s *Server) *counts {
	c := &counts{set: metrics.NewSet()}
	gauge := func(name string, of func() float64) { c.set.NewGauge(name, of) }
	gauge("plumbline_requests_waiting", func() float64 { return float64(s.queue.waiting.Load()) })
	gauge("plumbline_requests_working", func() float64 { return float64(len(s.queue.turns)) })
	gauge("plumbline_batches_working", func() float64 { return float64(len(s.batches.turns)) })
	gauge("plumbline_body_bytes", func() float64 { return float64(s.o.Memory - s.memory.left.Load()) })
	gauge("plumbline_goroutines", func() float64 { return float64(runtime.NumGoroutine()) })
	gauge("plumbline_start_time_seconds", func() float64 { return float64(s.started.UnixNano()) / 1e9 })
	gauge("plumbline_ready", func() float64 {
		if s.ready.Load() {
			return 1
		}
		return 0
	})
	c.set.NewCounter(`plumbline_reloads_total{result="ok"}`)
	c.set.NewCounter(`plumbline_reloads_total{result="failed"}`)
	return c
}

// answered counts an answer.
func (c *counts) answered(route string, code int, took time.Duration) {
	n, ok := c.codes.Load(routeCode{route, code})
	if !ok {
		n, _ = c.codes.LoadOrStore(routeCode{route, code}, c.set.GetOrCreateCounter(
			fmt.Sprintf("plumbline_requests_total{route=%q,code=\"%d\"}", route, code)))
	}
	n.(*metrics.Counter).Inc()
	h, ok := c.routes.Load(route)
	if !ok {
		h, _ = c.routes.LoadOrStore(route, c.set.GetOrCreatePrometheusHistogramExt(
			fmt.Sprintf("plumbline_request_seconds{route=%q}", route), bounds))
	}
	h.(*metrics.PrometheusHistogram).Update(took.Seconds())
}

// scored counts records.
func (c *counts) scored(model string, records, anomalies int) {
	v, ok := c.models.Load(model)
	if !ok {
		v, _ = c.models.LoadOrStore(model, modelCounts{
			c.set.GetOrCreateCounter(fmt.Sprintf("plumbline_records_total{model=%q}", model)),
			c.set.GetOrCreateCounter(fmt.Sprintf("plumbline_anomalies_total{model=%q}", model)),
		})
	}
	m := v.(modelCounts)
	m.records.Add(records)
	m.anomalies.Add(anomalies)
}

// reloaded counts a model that was read again.
func (c *counts) reloaded(err error) {
	result := "ok"
	if err != nil {
		result = "failed"
	}
	c.set.GetOrCreateCounter(fmt.Sprintf("plumbline_reloads_total{result=%q}", result)).Inc()
}

func (s *Server) metrics(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	s.counts.set.WritePrometheus(w)
	metrics.WriteProcessMetrics(w)
	return nil
}
