// Package watch scores traffic as it comes with a model that is finished, and turns what is above the threshold into
// alerts: a [Watcher] takes tables of rows, [File] feeds it a log that grows, [Stream] what a program writes, and
// [Listen] flows that exporters send. What the scores of later rows depend on, such as the last events of each
// connection, is kept with the position in the alert store and written with the alerts or not at all, so that a
// watcher that was killed goes on as if it had not been.
//
// Rules and the store are in runs/alerts, sending alerts elsewhere in runs/deliver, scoring whole tables in
// runs/bundle.
package watch
