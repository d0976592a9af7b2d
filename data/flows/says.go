package flows

import "fmt"

// Says is what a user should know of how the flows came about, one line each.
func (r *Report) Says() []string {
	out := append([]string(nil), r.Warnings...)
	say := func(n uint64, format string, args ...any) {
		if n > 0 {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	say(r.Truncated, "%d of %d frames were not captured whole: lengths are those of their headers", r.Truncated, r.Frames)
	say(r.UnknownLink, "%d frames are of a link type that is not known, and left out", r.UnknownLink)
	say(r.Malformed, "%d frames have headers that end early or contradict themselves, and are left out", r.Malformed)
	if bad := r.BadIPChecksums + r.BadChecksums; bad > 0 {
		hint := ""
		if bad*20 > r.Frames {
			hint = ": were they captured where they were sent, whose network card makes checksums? checksums: false counts them"
		}
		say(bad, "%d wrong checksums of IP and %d of transports in %d frames%s", r.BadIPChecksums, r.BadChecksums, r.Frames,
			hint)
	}
	say(r.LostFragments, "%d fragments of datagrams of which others are missing", r.LostFragments)
	say(r.OverlongFragments, "%d fragments that contradict others of their datagram", r.OverlongFragments)
	say(r.Duplicates, "%d packets are in the capture twice, within 50 ms, and count twice", r.Duplicates)
	say(r.Backwards, "%d frames are older than one before them", r.Backwards)
	say(r.Jumps, "%d times the clock of the capture jumps by more than an hour back or a day ahead", r.Jumps)
	say(r.Evicted, "%d connections ended early to make room for others: max_open is too small for this traffic", r.Evicted)
	return out
}
