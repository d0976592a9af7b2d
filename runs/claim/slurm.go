package claim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// askTime is how long a scheduler may take to answer.
const askTime = 30 * time.Second

// AskScheduler asks the job's scheduler whether it is at work. Kubernetes is not asked: a process in a pod may not
// look at others unless somebody allowed it.
func AskScheduler(ctx context.Context, j Job) (State, error) {
	if j.Scheduler != "slurm" {
		return Unknown, nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	c := exec.CommandContext(ctx, "scontrol", "show", "job", "-o", j.ID)
	var out, errOut bytes.Buffer
	c.Stdout, c.Stderr = &out, &errOut
	err := c.Run()
	return slurmState(j, out.String(), errOut.String(), err)
}

// slurmWorking are the states of a job in which its processes may be at work (squeue(1), JOB STATE CODES).
var slurmWorking = []string{"RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING"}

// slurmWaiting are those in which a job has no process yet, or none any more before it is started again.
var slurmWaiting = []string{"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT",
	"RESV_DEL_HOLD"}

// slurmEnded are those of a job that has ended.
var slurmEnded = []string{"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY",
	"PREEMPTED", "REVOKED", "TIMEOUT"}

// slurmState reads what scontrol says of a job: one that it does not know any more has ended.
func slurmState(j Job, out, errOut string, err error) (State, error) {
	if err != nil {
		if strings.Contains(errOut, "Invalid job id") {
			return Gone, nil
		}
		return Unknown, errors.Join(fmt.Errorf("claim: scontrol: %s", strings.TrimSpace(errOut)), err)
	}
	fields := map[string]string{}
	for _, f := range strings.Fields(out) {
		if k, v, ok := strings.Cut(f, "="); ok && fields[k] == "" {
			fields[k] = v
		}
	}
	state := fields["JobState"]
	switch {
	case slices.Contains(slurmEnded, state), slices.Contains(slurmWaiting, state):
		return Gone, nil
	case !slices.Contains(slurmWorking, state):
		return Unknown, fmt.Errorf("claim: scontrol: job %s is in state %q", j.ID, state)
	}
	then, err1 := strconv.Atoi(j.Attempt)
	since, err2 := strconv.Atoi(fields["Restarts"])
	if err1 == nil && err2 == nil && since > then {
		return Gone, nil // another attempt is at work
	}
	return Alive, nil
}
