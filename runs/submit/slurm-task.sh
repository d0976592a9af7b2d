#!/bin/bash
{{range .Options}}#SBATCH {{.}}
{{end}}# Cells of a run of plumbline, a line of {{.Array}}.tasks for each task.
set -u
limit= stop= pid=
# Before the time limit the cells at work leave checkpoints, and the task is queued again. Slurm may send its signal a
# minute early. What comes before the program is there is passed on when it is.
trap 'limit=yes; [ -z "$pid" ] || kill -TERM "$pid" 2>/dev/null' USR2
trap 'stop=yes; [ -z "$pid" ] || kill -TERM "$pid" 2>/dev/null' TERM
mark={{quote .Folder}}/{{.Array}}-"$SLURM_ARRAY_TASK_ID"
again() {
  echo "task $SLURM_ARRAY_TASK_ID is queued again: $1"
  for pause in 1 2 4 8 8 0; do # a controller that has much to do may not answer
    scontrol requeue "$SLURM_JOB_ID" && exit 0
    sleep "$pause"
  done
}
{{range .Setup}}{{.}}
{{end}}[ -z "$limit" ] || again "its time limit was near before it began"
[ -z "$stop" ] || exit 143
{{.Command}} &
pid=$!
[ -z "$limit$stop" ] || kill -TERM "$pid" 2>/dev/null
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
137) # killed: for lack of memory if the control group says so, or if it happens a third time
  group="$(sed -n 's/^0:://p' /proc/self/cgroup 2>/dev/null)"
  killed="$(sed -n 's/^oom_kill //p' "/sys/fs/cgroup$group/memory.events" 2>/dev/null)"
  echo "restart ${SLURM_RESTART_COUNT:-0}, killed by the control group: ${killed:-unknown}" >> "$mark.killed"
  if [ "${killed:-0}" = 0 ] && [ "$(wc -l < "$mark.killed")" -le 2 ]; then again "the program was killed"; fi
  echo "memory was short, or the program was killed again and again"
  : > "$mark.memory" ;;
esac
exit "$code"
