package foreign

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// canWatch says whether the memory of a program's processes can be told.
const canWatch = true

// own puts a program into a process group of its own, which ends with this process.
func own(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// kill ends all processes of the program: those of its group, and those elsewhere that have its environment, looking
// again until there are none.
func (p *program) kill(first *os.Process) {
	_ = syscall.Kill(-first.Pid, syscall.SIGKILL)
	for range 100 {
		left := p.processes(first.Pid)
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if len(left) == 0 {
			return
		}
	}
}

// processes is the processes of the program that run, by their group or their environment.
func (p *program) processes(group int) (out []int) {
	mark := append([]byte("PLUMBLINE_FOLDER="+p.folder), 0)
	folders, _ := filepath.Glob("/proc/[0-9]*")
	for _, f := range folders {
		pid, err := strconv.Atoi(filepath.Base(f))
		if err != nil || pid == os.Getpid() {
			continue
		}
		stat, err := os.ReadFile(f + "/stat")
		if err != nil {
			continue
		}
		// after the name in parentheses, which may hold any character: state, parent, group
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) < 3 || fields[0] == "Z" || fields[0] == "X" {
			continue
		}
		of, _ := strconv.Atoi(fields[2])
		if of != group {
			environment, err := os.ReadFile(f + "/environ")
			if err != nil || !bytes.Contains(environment, mark) {
				continue
			}
		}
		out = append(out, pid)
	}
	return out
}

// resident is the bytes of memory of the program's processes, pages that they share counted once in all.
func (p *program) resident(group int) (sum int64) {
	for _, pid := range p.processes(group) {
		raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/smaps_rollup")
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(raw)) {
			if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
				kb, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
				sum += kb << 10
			}
		}
	}
	return sum
}
