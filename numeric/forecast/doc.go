// Package forecast continues series of counts: additive Holt–Winters exponential smoothing and the seasonal naive
// forecast that it has to beat, both with prediction intervals, and their errors on a held-out end.
package forecast
