package main

import "plumbline/cmd/terminal"

// Text and numbers for people, by the names that every command has for them.
var (
	number  = terminal.Number
	seconds = terminal.Seconds
)

func (a *app) progress() *terminal.Progress { return terminal.NewProgress(a.terminal, a.quiet) }
