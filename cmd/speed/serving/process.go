package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server with its children.
type process struct {
	cmd  *exec.Cmd
	base string // its address
	said *bytes.Buffer
}

// serve starts plumbline with both models, and says how long it took until it was ready.
func (b *bench) serve(ctx context.Context) (p *process, took time.Duration, err error) {
	cmd := exec.CommandContext(ctx, b.program, "serve", "forest="+b.forest, "shrink="+b.shrink, "--listen", "127.0.0.1:0",
		"--quiet", "--spool", b.dir)
	p = &process{cmd: cmd, said: &bytes.Buffer{}}
	cmd.Stderr = p.said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, 0, err
	}
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, 0, err
	}
	r := bufio.NewReader(out)
	line, err := r.ReadString('\n')
	if err != nil {
		cmd.Wait()
		return nil, 0, fmt.Errorf("%w: %s", err, p.said)
	}
	go io.Copy(io.Discard, r)
	p.base, _, _ = strings.Cut(line, "/v1/")
	err = p.wait(p.base+"/readyz", 10*time.Second)
	return p, time.Since(begun), err
}

// wait asks until there is an answer of success.
func (p *process) wait(address string, most time.Duration) (err error) {
	for end := time.Now().Add(most); time.Now().Before(end); time.Sleep(time.Millisecond) {
		var answer *http.Response
		if answer, err = http.Get(address); err == nil {
			answer.Body.Close()
			if answer.StatusCode < 500 {
				return nil
			}
		}
	}
	return fmt.Errorf("%s does not answer: %w: %s", address, err, p.said)
}

func (p *process) stop() error {
	p.cmd.Process.Signal(syscall.SIGTERM)
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%w: %s", err, p.said)
	}
	return err
}

// ticks is how many parts a second of processor time has in /proc.
const ticks = 100

// cpu is the processor seconds of a process and its children so far.
func (p *process) cpu() float64 {
	children := map[int][]int{}
	spent := map[int]float64{}
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		_, rest, _ := bytes.Cut(raw, []byte(") ")) // past the name, which may have blanks
		fields := strings.Fields(string(rest))
		if len(fields) < 13 {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		parent, _ := strconv.Atoi(fields[1])
		user, _ := strconv.ParseFloat(fields[11], 64)
		system, _ := strconv.ParseFloat(fields[12], 64)
		children[parent] = append(children[parent], pid)
		spent[pid] = (user + system) / ticks
	}
	var sum func(pid int) float64
	sum = func(pid int) float64 {
		total := spent[pid]
		for _, c := range children[pid] {
			total += sum(c)
		}
		return total
	}
	return sum(p.cmd.Process.Pid)
}

// resident is the memory of a process, in MB, now or at most.
func (p *process) resident(key string) float64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, key+":"); ok {
			kB, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			return kB * 1024 / 1e6
		}
	}
	return 0
}

// start measures how long it takes until a server is ready.
func (b *bench) start(ctx context.Context) error {
	var wall, cpu []float64
	for range 5 * b.rounds {
		p, took, err := b.serve(ctx)
		if err != nil {
			return err
		}
		wall, cpu = append(wall, 1000*took.Seconds()), append(cpu, 1000*p.cpu())
		if err := p.stop(); err != nil {
			return err
		}
	}
	fmt.Printf("\nstart to ready, two models, %d times: %s ms (median, least to most), CPU %s ms\n", len(wall),
		spread(wall), spread(cpu))
	return nil
}
