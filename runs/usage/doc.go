// Package usage tells what the process has used so far: memory and processor time, and on what processor.
package usage
