//go:build !linux

package foreign

import (
	"os"
	"os/exec"
)

// canWatch says whether the memory of a program's processes can be told.
const canWatch = false

func own(*exec.Cmd) {}

// kill ends the program; processes that it began elsewhere are beyond reach.
func (p *program) kill(first *os.Process) { _ = first.Kill() }

func (p *program) resident(int) int64 { return 0 }
