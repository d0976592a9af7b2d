package serve

import (
	"runtime"
	"runtime/debug"
)

// garbage is how much the heap may grow before it is collected, in per cent of what lives in it: an answer leaves
// little, so that with Go's own 100 collections would be frequent and hardly free anything. Of large models that would
// be a multiple: then 100 is enough.
func garbage(living uint64) int {
	return int(min(mostGarbage, max(100, 100*roomForGarbage/max(1, living))))
}

const (
	mostGarbage    = 400 // per cent
	roomForGarbage = 256 << 20
)

// living is the bytes of the heap that are in use, as a collection finds them where they may matter for [garbage].
func living() uint64 {
	var m runtime.MemStats
	if runtime.ReadMemStats(&m); m.HeapAlloc > 100*roomForGarbage/mostGarbage {
		runtime.GC()
		runtime.ReadMemStats(&m)
	}
	return m.HeapAlloc
}

// collect sets how often the heap is collected by the models that there are. What is under way counts with them: then
// it is collected more often than it had to be.
func (s *Server) collect() {
	if s.o.Collector {
		debug.SetGCPercent(garbage(living()))
	}
}
