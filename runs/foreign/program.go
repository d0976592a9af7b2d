package foreign

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"
	"unicode"
)

// program is a program at work.
type program struct {
	argv   []string
	folder string   // that it works in; PLUMBLINE_FOLDER of its environment, by which its processes are known
	env    []string // besides that of this process
	memory int64    // bytes that its processes may have resident together; 0: any
	output output
}

// errMemory says that a program took more memory than it may have.
var errMemory = errors.New("killed: more memory than it may have")

// look is how often the memory of a program is looked at.
const look = 100 * time.Millisecond

// run carries the program out and returns when none of its processes is left. A cancelled context kills them all, and
// its error is returned.
func (p *program) run(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	// a child that is to die with its parent dies with the thread that began it
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command(p.argv[0], p.argv[1:]...)
	cmd.Dir = p.folder
	cmd.Env = append(os.Environ(), p.env...)
	cmd.Stdout, cmd.Stderr = &p.output, &p.output
	cmd.WaitDelay = 2 * time.Second // for children that keep its output open
	own(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("it cannot be started: %w", err)
	}
	ended := make(chan struct{})
	var why error
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(look)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				return
			case <-ctx.Done():
				why = ctx.Err()
			case <-tick.C:
				if n := p.resident(cmd.Process.Pid); p.memory > 0 && n > p.memory {
					why = fmt.Errorf("%w (%d MB, may have %d)", errMemory, n>>20, p.memory>>20)
				}
			}
			if why != nil {
				p.kill(cmd.Process)
				return
			}
		}
	})
	err := cmd.Wait()
	close(ended)
	wg.Wait()
	p.kill(cmd.Process) // what it left running
	if why != nil {
		return why
	}
	if errors.Is(err, exec.ErrWaitDelay) { // it ended well, and a child kept its output open
		err = nil
	}
	return err
}

// keepEnds is how many bytes of a program's output are kept from its beginning, and as many from its end.
const keepEnds = 1 << 18

// output is what a program printed, without the middle where that is long. It is safe for concurrent use.
type output struct {
	mu         sync.Mutex
	head, tail []byte
	left       int64 // bytes between the two
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := len(p)
	k := min(len(p), keepEnds-len(o.head))
	o.head = append(o.head, p[:k]...)
	o.tail = append(o.tail, p[k:]...)
	if over := len(o.tail) - keepEnds; over > keepEnds {
		o.tail = append(o.tail[:0], o.tail[over:]...)
		o.left += int64(over)
	}
	return n, nil
}

func (o *output) writeTo(w io.Writer) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, err := w.Write(o.head); err != nil {
		return err
	}
	if o.left > 0 {
		if _, err := fmt.Fprintf(w, "\n… %d bytes are left out …\n", o.left); err != nil {
			return err
		}
	}
	_, err := w.Write(o.tail)
	return err
}

// last is the last line that is not empty, without what would steer a terminal.
func (o *output) last() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	text := strings.TrimSpace(string(append(o.head[:len(o.head):len(o.head)], o.tail...)))
	if i := strings.LastIndexByte(text, '\n'); i >= 0 {
		text = text[i+1:]
	}
	clean := []rune(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, text))
	if len(clean) > 300 {
		clean = append(clean[:300], '…')
	}
	return string(clean)
}
