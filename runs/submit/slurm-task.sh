#!/bin/bash
{{range .Options}}#SBATCH {{.}}
{{end}}# Cells of a run of plumbline, a line of {{.Array}}.tasks for each task.
set -u
limit= pid=
# Before the time limit the cells at work leave checkpoints, and the task is queued again. Slurm may send its signal a
# minute early, which can be before anything runs.
trap 'limit=yes; [ -z "$pid" ] || kill -TERM "$pid" 2>/dev/null' USR2
trap '[ -z "$pid" ] || kill -TERM "$pid" 2>/dev/null' TERM
again() {
  echo "task $SLURM_ARRAY_TASK_ID is queued again: $1"
  scontrol requeue "$SLURM_JOB_ID" && exit 0
}
{{range .Setup}}{{.}}
{{end}}[ -z "$limit" ] || again "its time limit was near before it began"
{{.Command}} &
pid=$!
[ -z "$limit" ] || kill -TERM "$pid" 2>/dev/null
while :; do # a signal ends wait, not the program
  wait "$pid"; code=$?
  kill -0 "$pid" 2>/dev/null || break
done
wait "$pid"; code=$? # what wait said before can be the number of the signal; bash may have lost the code, which is -1 then
case "$code" in
0 | 1) exit "$code" ;; # all of its cells have ended
esac
# a task that had nothing left to do ends at once
[ -z "$limit" ] || again "it reached its time limit"
case "$code" in
137) # killed: for lack of memory if the control group says so, or if it happens again
  group="$(sed -n 's/^0:://p' /proc/self/cgroup 2>/dev/null)"
  killed="$(sed -n 's/^oom_kill //p' "/sys/fs/cgroup$group/memory.events" 2>/dev/null)"
  if [ "${killed:-0}" = 0 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 2 ]; then again "the program was killed"; fi
  echo "memory was short, or the program was killed again and again"
  : > {{quote .Folder}}/{{.Array}}-"$SLURM_ARRAY_TASK_ID".memory ;;
esac
exit "$code"
