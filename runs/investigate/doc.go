// Package investigate asks a finished cell's model what its alarms come from, and sorts the flows by root cause.
package investigate
