#!/bin/bash
{{range .Options}}#SBATCH {{.}}
{{end}}# Sums a run of plumbline up when its tasks have ended.
set -u
{{range .Setup}}{{.}}
{{end}}{{.Collect}}
code=$?
# what the scheduler itself ended for lack of memory
for job in {{.Jobs}}; do
  scontrol show job -o "$job" 2>/dev/null | grep 'JobState=OUT_OF_MEMORY' |
    sed -n 's/.*ArrayTaskId=\([0-9]*\) .*/\1/p' | while read -r task; do
      name="$(sed -n "s/^  *\"name\": \"\(.*\)\",$/\1/p; /\"job\": \"$job\"/q" {{quote .Folder}}/plan.json | tail -1)"
      : > {{quote .Folder}}/"$name-$task.memory"
    done
done
if ls {{quote .Folder}}/*.memory >/dev/null 2>&1; then
  {{.Again}} && exit 0
fi
exit "$code"
