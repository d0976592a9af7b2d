#!/bin/bash
{{range .Options}}#SBATCH {{.}}
{{end}}# Cells of a run of plumbline, a line of {{.Array}}.tasks for each task.
set -u
{{range .Setup}}{{.}}
{{end}}limit=
{{.Command}} &
pid=$!
# before the time limit the cells at work leave checkpoints, and the task is queued again
trap 'limit=yes; kill -TERM "$pid" 2>/dev/null' USR2
trap 'kill -TERM "$pid" 2>/dev/null' TERM
while :; do # a signal ends wait, not the program
  wait "$pid"; code=$?
  kill -0 "$pid" 2>/dev/null || break
done
again() {
  echo "task $SLURM_ARRAY_TASK_ID is queued again: $1"
  scontrol requeue "$SLURM_JOB_ID" && exit 0
}
case "$code" in
75) [ -z "$limit" ] || again "it reached its time limit" ;;
137) # killed: for lack of memory if the control group says so, or if it happens again
  group="$(sed -n 's/^0:://p' /proc/self/cgroup 2>/dev/null)"
  killed="$(sed -n 's/^oom_kill //p' "/sys/fs/cgroup$group/memory.events" 2>/dev/null)"
  if [ "${killed:-0}" = 0 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 2 ]; then again "the program was killed"; fi
  echo "memory was short, or the program was killed again and again"
  : > {{quote .Folder}}/{{.Array}}-"$SLURM_ARRAY_TASK_ID".memory ;;
esac
exit "$code"
