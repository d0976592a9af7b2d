package rows

// stack is an array that grows without moving: where it is full another one follows.
type stack[T any] struct{ arrays [][]T }

// push copies values to the end. room is for how many values a new array is made.
func (s *stack[T]) push(v []T, room int) {
	for len(v) > 0 {
		n := len(s.arrays)
		if n == 0 || len(s.arrays[n-1]) == cap(s.arrays[n-1]) {
			s.arrays = append(s.arrays, make([]T, 0, max(room, len(v))))
			continue
		}
		last := &s.arrays[n-1]
		k := min(len(v), cap(*last)-len(*last))
		*last = append(*last, v[:k]...)
		v = v[k:]
	}
}

// join is the n values in one array. The stack is empty then.
func (s *stack[T]) join(n int) []T {
	arrays := s.arrays
	s.arrays = nil
	if len(arrays) == 1 {
		return arrays[0][:n:n]
	}
	out := make([]T, 0, n)
	for _, a := range arrays {
		out = append(out, a...)
	}
	return out
}

// whole says whether join copies nothing.
func (s *stack[T]) whole() bool { return len(s.arrays) <= 1 }
