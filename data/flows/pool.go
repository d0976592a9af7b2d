package flows

// pool makes values of one size, many at a time, and takes them back. One goroutine works on it. What it once made it
// keeps: a table whose connections come and go leaves no garbage.
type pool[T any] struct{ free []*T }

// poolSlab is how many values are made at a time.
const poolSlab = 128

// get gives a zero value.
func (p *pool[T]) get() *T {
	if len(p.free) == 0 {
		values := make([]T, poolSlab)
		for i := range values {
			p.free = append(p.free, &values[i])
		}
	}
	v := p.free[len(p.free)-1]
	p.free = p.free[:len(p.free)-1]
	return v
}

// put takes a value back, which nobody may use any more; nil is none.
func (p *pool[T]) put(v *T) {
	if v == nil {
		return
	}
	var zero T
	*v = zero
	p.free = append(p.free, v)
}
