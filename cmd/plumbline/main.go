// Command plumbline trains, scores and compares network-anomaly detectors from an experiment file.
//
// Each subcommand is one file here. What they do is in packages runs, data and models; here are flags,
// help, printing and exit codes.
package main

import "os"

func main() { os.Exit(execute(os.Args[1:], os.Stdout, os.Stderr)) }
