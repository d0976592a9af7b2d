// Package figures makes the figures of a run from what its directory holds: scores, histories, coordinates, alarms by
// cause, trials of a search, machines, published values. How a figure is drawn and written is in runs/plot, where it
// stands on a page in runs/report; metrics and tests are those of eval and runs/compare.
package figures
