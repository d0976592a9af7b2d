//go:build !linux

package runs

// MachineMemory is not known on this system.
func MachineMemory() int64 { return 0 }
