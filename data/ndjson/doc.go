// Package ndjson reads JSON objects as rows: one object a line, or the elements of an array ([Format]). What Python
// writes besides JSON, such as NaN, can be read too.
package ndjson
