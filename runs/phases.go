package runs

import (
	"log/slog"
	"math"
	"time"

	"plumbline/runs/usage"
)

// phases logs what the steps of a piece of work take: wall time, CPU time of the whole process meanwhile, which
// cells side by side share, and the largest resident memory so far.
type phases struct {
	log   *slog.Logger
	name  string
	began time.Time
	cpu   time.Duration
}

// next ends the phase that goes on, and begins the named one; "" begins none.
func (p *phases) next(name string) {
	now, cpu := time.Now(), usage.ProcessTime()
	if p.name != "" {
		attrs := []any{"phase", p.name, "wall_seconds", round(now.Sub(p.began)), "cpu_seconds", round(cpu - p.cpu)}
		if rss := usage.PeakRSS(); !math.IsNaN(rss) { // JSON has no NaN
			attrs = append(attrs, "peak_rss_mb", math.Round(rss))
		}
		p.log.Info("phase", attrs...)
	}
	p.name, p.began, p.cpu = name, now, cpu
}

func round(d time.Duration) float64 { return math.Round(d.Seconds()*1000) / 1000 }
