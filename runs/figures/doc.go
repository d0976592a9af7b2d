// Package figures makes the figures of a run from what its directory holds: scores, histories, coordinates, alarms by
// cause, trials of a search, machines, published values.
package figures
