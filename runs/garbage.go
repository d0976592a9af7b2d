package runs

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

const (
	// spareBytes is how much garbage may pile up beside large live memory. Go's own rule lets it grow to as much as is
	// live, which of a table and a matrix of gigabytes is gigabytes; they hold no pointers, so collecting costs little.
	spareBytes = 512 << 20
	// leastPercent keeps collections apart where even more is live.
	leastPercent = 10
)

// boundGarbage collects, and sets how much garbage may pile up from now on by what is live. Where GOGC is set, its
// rule is left alone.
func boundGarbage() {
	if os.Getenv("GOGC") != "" {
		return
	}
	runtime.GC()
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	if live[0].Value.Kind() == metrics.KindUint64 {
		debug.SetGCPercent(garbagePercent(live[0].Value.Uint64()))
	}
}

// garbagePercent is the percentage of the live bytes that garbage may have.
func garbagePercent(live uint64) int {
	const usual = 100
	return int(max(leastPercent, min(usual, spareBytes*100/max(live, 1))))
}
