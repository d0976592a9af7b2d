package packets

const (
	hour = int64(3600e9)
	day  = 24 * hour
)

// Clock follows the times of a stream of frames. It goes on with the newest of them; where times jump, by more than an
// hour back or a day ahead, it follows as soon as a second frame says the same, so that a single frame with a wrong
// time does not carry it off.
type Clock struct {
	Now int64 // nanoseconds since 1970; 0 before the first frame

	started bool
	doubted bool // the frame before jumped, to at
	at      int64
}

// Set takes the time of the next frame, and says whether it is older than Now and whether it jumps.
func (c *Clock) Set(t int64) (older, jumps bool) {
	older = c.started && t < c.Now
	switch {
	case !c.started:
	case near(t, c.Now):
		c.doubted = false
		if older {
			return true, false
		}
	case c.doubted && near(t, c.at):
		c.doubted = false
	default:
		c.doubted, c.at = true, t
		return older, true
	}
	c.Now, c.started = t, true
	return older, false
}

// near says whether the clock does not jump from one time to t.
func near(t, from int64) bool { return t >= from-hour && t <= from+day }
