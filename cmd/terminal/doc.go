// Package terminal is what people see of the program: the progress of a run on stderr, numbers for people, and text
// from data that steers no terminal. What is printed by which command is cmd/plumbline's.
package terminal
