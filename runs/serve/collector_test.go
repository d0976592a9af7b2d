package serve

import "testing"

// TestGarbage: of small models the heap may grow to a multiple, of large ones to twice.
func TestGarbage(t *testing.T) {
	for living, want := range map[uint64]int{0: 400, 10 << 20: 400, 64 << 20: 400, 128 << 20: 200, 256 << 20: 100,
		8 << 30: 100, 1 << 62: 100} {
		if got := garbage(living); got != want {
			t.Errorf("%d MB: %d %%, want %d", living>>20, got, want)
		}
	}
}
