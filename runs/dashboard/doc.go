// Package dashboard shows the flows of a data set as linked charts on one HTML page: a file that carries the flows in
// compact columns and asks nobody for anything, or a page of a server that answers each view as JSON. Both count the
// same [View]; the file does so in its script, the server in Go.
package dashboard
