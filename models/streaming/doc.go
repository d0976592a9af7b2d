// Package streaming holds the detectors that learn from streams: half-space trees, robust random cut forests and an
// ensemble of small auto-encoders, kitnet, which learns row by row too but judges each alone. The forests are judged
// test-then-train: a call of Score takes its rows in their order, judges each by what came before it and then learns
// it, so that a score depends on the rows before (Needs.Batch). It does so on a copy of what Fit left: the next call
// begins there again, unless Update has learned more in the meantime.
//
// What they learn from a stream they take to be normal for a while. Anomalies that come in bursts longer than the
// window become what is normal, and the rows after the burst the anomalies: on the http table of ADBench, whose
// anomalies stand next to one another, half-space trees rank below chance in the order of the file and nearly
// perfectly in an order that spreads the anomalies. A comparison must say which order it took.
package streaming
