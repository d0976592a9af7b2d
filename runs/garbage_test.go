package runs

import "testing"

// TestGarbagePercent: a small heap keeps Go's rule; beside a large one garbage stays near 512 MB.
func TestGarbagePercent(t *testing.T) {
	for live, want := range map[uint64]int{0: 100, 100 << 20: 100, 512 << 20: 100, 1 << 30: 50, 2 << 30: 25, 1 << 40: 10} {
		if got := garbagePercent(live); got != want {
			t.Errorf("%d live bytes: %d %%, want %d", live, got, want)
		}
	}
}
