// Package deliver sends the alerts of a store where they are wanted: a file, standard output, syslog, Kafka, a webhook.
// The store is the spool: each sink has its place there, which goes on when the sink has what came before, so that a
// receiver that is away, a full disk or a kill loses nothing. What was sent and not noted before a kill is sent again,
// under the same ID; a file is looked at first and has each alert once.
//
// What an alert is and which are held back is in runs/alerts, finding them in runs/watch.
package deliver
