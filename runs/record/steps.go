package record

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// StepsFolder holds what each process that worked on the run has done, a file for each, a line for each cell. It is
// what a view of a run at work reads; what a cell came to is in its status.json.
const StepsFolder = "progress"

// Step is one line: a process that began, or a cell that ended in it.
type Step struct {
	Host string `json:"host,omitempty"` // of a process that began
	PID  int    `json:"pid,omitempty"`
	Job  string `json:"job,omitempty"` // the scheduler's name for it

	Cell    string    `json:"cell,omitempty"`
	Status  string    `json:"status,omitempty"`
	Error   string    `json:"error,omitempty"`
	Seconds float64   `json:"seconds,omitempty"` // that the cell took; 0 of one that was found done
	Time    time.Time `json:"time"`              // by the clock of the process
}

// Steps is the file of one process, open for writing. It is safe for concurrent use; nil takes steps and keeps none.
type Steps struct {
	mu sync.Mutex
	f  *os.File
}

// OpenSteps opens the file of the process called name for appending.
func OpenSteps(dir, name string) (*Steps, error) {
	folder := filepath.Join(dir, StepsFolder)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("runs: %w", unwritable(err))
	}
	f, err := os.OpenFile(filepath.Join(folder, name+".jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("runs: %w", unwritable(err))
	}
	return &Steps{f: f}, nil
}

// Add appends a line and, but for cells that were found done, hands it to the disk, so that other machines see it.
func (s *Steps) Add(step Step) error {
	if s == nil {
		return nil
	}
	raw, err := json.Marshal(step)
	if err != nil {
		return fmt.Errorf("runs: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err = s.f.Write(append(raw, '\n')); err == nil && (step.Seconds > 0 || step.Cell == "") {
		err = s.f.Sync()
	}
	return unwritable(err)
}

// Close ends the file.
func (s *Steps) Close() error {
	if s == nil {
		return nil
	}
	return s.f.Close()
}

// maxStep is the longest line that is read.
const maxStep = 1 << 20

// ReadSteps calls f for every line of every process, by process. A line that is cut off, as of a process that was
// killed while it wrote, is passed over.
func ReadSteps(dir string, f func(process string, s Step)) error {
	entries, err := os.ReadDir(filepath.Join(dir, StepsFolder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("runs: %w", err)
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".jsonl")
		if !ok {
			continue
		}
		if err := readSteps(filepath.Join(dir, StepsFolder, e.Name()), func(s Step) { f(name, s) }); err != nil {
			return err
		}
	}
	return nil
}

func readSteps(path string, f func(Step)) error {
	file, err := OpenFile(path, maxFile)
	if err != nil {
		return fmt.Errorf("runs: %w", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxStep)
	for lines.Scan() {
		var s Step
		if json.Unmarshal(lines.Bytes(), &s) == nil {
			f(s)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("runs: %s: %w", path, err)
	}
	return nil
}
