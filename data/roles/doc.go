// Package roles finds what the columns of a table of flows stand for: time, source, destination, protocol, service,
// bytes in either direction. Data sets name them in their own ways; a page that shows any of them needs one word each.
package roles
