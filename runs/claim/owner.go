package claim

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Owner is a process that has claims.
type Owner struct {
	Host  string    `json:"host"`
	PID   int       `json:"pid"`
	Since time.Time `json:"since"` // of this process's clock, for people
	Token string    `json:"token"` // of this process alone
	// Machine, Boot and Namespace tell whether another process would see this one, and Began which process of its
	// number it is; empty where the system does not say.
	Machine   string `json:"machine,omitempty"`
	Boot      string `json:"boot,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Began     string `json:"began,omitempty"`
	Job       *Job   `json:"job,omitempty"`
}

// Job is the scheduler's name for what runs a process.
type Job struct {
	Scheduler string `json:"scheduler"`      // slurm or kubernetes
	ID        string `json:"id"`             // of the job
	Task      string `json:"task,omitempty"` // of an array, or an index
	// Attempt changes each time that the scheduler starts the task; where it is a number, a later one is larger.
	Attempt string `json:"attempt,omitempty"`
}

// replaced is what a process of this job knows of another one of the same task: it is gone if the scheduler has started
// this one after it. A later one is at work, and this process is one that the scheduler has given up.
func (j *Job) replaced(other *Job) State {
	if j == nil || j.Scheduler != other.Scheduler || j.ID != other.ID || j.Task != other.Task ||
		j.Attempt == other.Attempt {
		return Unknown
	}
	own, err1 := strconv.Atoi(j.Attempt)
	theirs, err2 := strconv.Atoi(other.Attempt)
	if err1 == nil && err2 == nil && theirs > own {
		return Alive
	}
	return Gone
}

// String names the job as the scheduler's programs do.
func (j Job) String() string {
	if j.Task == "" {
		return j.Scheduler + " " + j.ID
	}
	return fmt.Sprintf("%s %s task %s", j.Scheduler, j.ID, j.Task)
}

// String names the owner for people.
func (o Owner) String() string {
	if o.PID == 0 {
		return o.Host
	}
	text := fmt.Sprintf("process %d on %s", o.PID, o.Host)
	if o.Job != nil {
		text += " (" + o.Job.String() + ")"
	}
	return text
}

// Self is this process.
func Self() Owner {
	host, _ := os.Hostname()
	token := make([]byte, 8)
	rand.Read(token)
	return Owner{
		Host: host, PID: os.Getpid(), Since: now(), Token: hex.EncodeToString(token),
		Machine: firstLine("/etc/machine-id"), Boot: firstLine("/proc/sys/kernel/random/boot_id"),
		Namespace: namespace(), Began: began(os.Getpid()), Job: jobOf(os.Getenv),
	}
}

// jobOf is the job that the environment tells of, nil for none.
func jobOf(env func(string) string) *Job {
	switch {
	case env("SLURM_JOB_ID") != "":
		restarts := env("SLURM_RESTART_COUNT")
		if restarts == "" {
			restarts = "0"
		}
		return &Job{Scheduler: "slurm", ID: env("SLURM_JOB_ID"), Task: env("SLURM_ARRAY_TASK_ID"), Attempt: restarts}
	case env("PLUMBLINE_JOB") != "": // set by the manifest
		attempt := env("PLUMBLINE_POD")
		if failures, err := strconv.Atoi(env("PLUMBLINE_FAILURES")); err == nil { // of the index; of other pods it is empty
			ignored, _ := strconv.Atoi(env("PLUMBLINE_DISRUPTIONS"))
			attempt = strconv.Itoa(failures + ignored)
		}
		return &Job{Scheduler: "kubernetes", ID: env("PLUMBLINE_JOB"), Task: env("JOB_COMPLETION_INDEX"), Attempt: attempt}
	}
	return nil
}

func firstLine(path string) string {
	raw, _ := os.ReadFile(path) // not there on other systems
	line, _, _ := strings.Cut(string(raw), "\n")
	return strings.TrimSpace(line)
}

// namespace is the process namespace, "" where there are none.
func namespace() string {
	link, _ := os.Readlink("/proc/self/ns/pid")
	return link
}

// began tells the process apart from others of the same number: its start in ticks since boot (proc(5), field 22 of
// stat, which is counted after the name because that may hold blanks). "" where the system does not say.
func began(pid int) string {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	at := bytes.LastIndexByte(raw, ')')
	if at < 0 {
		return ""
	}
	fields := strings.Fields(string(raw[at+1:]))
	if len(fields) < 20 {
		return ""
	}
	return fields[19]
}

// knows is what this process can know of another owner: by itself on the same machine, else by the scheduler.
func (o Owner) knows(ctx context.Context, other *Owner, ask func(context.Context, Job) (State, error)) State {
	same := other.Host == o.Host && other.Machine == o.Machine && other.PID > 0
	switch {
	case same && other.Boot != "" && other.Boot == o.Boot && other.Namespace == o.Namespace:
		if other.Began == "" || o.Began == "" {
			break
		}
		if began(other.PID) == other.Began {
			return Alive
		}
		return Gone
	case same && other.Boot != "" && o.Boot != "" && other.Boot != o.Boot && o.Machine != "":
		return Gone // the machine was started anew
	case same && o.Boot == "" && other.Boot == "": // a system without /proc
		if exists(other.PID) {
			return Alive
		}
		return Gone
	}
	if other.Job == nil {
		return Unknown
	}
	if s := o.Job.replaced(other.Job); s != Unknown {
		return s
	}
	if ask == nil {
		return Unknown
	}
	s, err := ask(ctx, *other.Job)
	if err != nil {
		return Unknown
	}
	return s
}
