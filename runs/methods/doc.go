// Package methods writes the methods section of a finished run: what a paper says of its data, models, decisions and
// tests, taken from what the run directory holds and from nothing else, so that the text claims what the program did.
// Every number of it stands in the run directory. Results are what [plumbline/runs/compare] writes.
package methods
