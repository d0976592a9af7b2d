// Package alerts is what becomes of an anomaly that a model at work finds: one record ([Alert]) with the layouts that
// other systems read, the rules that hold records back ([Gate]: suppression, what an analyst called false, limits by
// root cause), and the store that keeps them with the analyst's verdicts ([Store]), which the command alerts, the
// dashboard and the service read.
//
// Finding the anomalies is in runs/watch, sending records elsewhere in runs/deliver.
package alerts
