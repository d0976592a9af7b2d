package submit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"plumbline/runs/record"
)

// object is a piece of a manifest.
type object = map[string]any

// container is the name of the container of each pod.
const container = "plumbline"

// grace is the seconds that a pod which is evicted has to leave checkpoints.
const grace = 120

// Kubernetes is the manifest of the submission, for kubectl apply -f -: an Indexed Job for each array, and a Job that
// collects when every cell has ended.
func (p *Plan) Kubernetes() ([]byte, error) {
	k := p.Launch.Kubernetes
	dir, err := p.mounted()
	if err != nil {
		return nil, err
	}
	var items []any
	for i := range p.Arrays {
		a := &p.Arrays[i]
		name := jobName(p.Name, a.Name, filepath.Base(p.dir), strconv.Itoa(p.Number))
		a.Job = name
		args := p.arguments(dir, "@"+dir+"/"+path.Join(filepath.ToSlash(p.folder()), a.tasksFile()))
		spec := object{
			"completionMode": "Indexed", "completions": len(a.Tasks), "backoffLimitPerIndex": k.Retries,
			"parallelism": len(a.Tasks), "maxFailedIndexes": len(a.Tasks),
			// one pod of an index at a time: the next is made when the last one has ended
			"podReplacementPolicy": "Failed",
			"podFailurePolicy": object{"rules": []any{
				object{"action": "Ignore", "onPodConditions": []any{object{"type": "DisruptionTarget", "status": "True"}}},
				object{"action": "FailJob", "onExitCodes": exitCodes(2)},   // the settings are wrong
				object{"action": "FailIndex", "onExitCodes": exitCodes(1)}, // a cell is not ok, and its status says why
			}},
			"template": p.pod(args, a.Memory, p.Launch.CPUs),
		}
		if t := p.Launch.Throttle; t > 0 {
			spec["parallelism"] = min(t, len(a.Tasks))
		}
		items = append(items, p.job(name, spec))
	}
	if p.search { // the last process of the array reads the test part
		return p.manifest(items)
	}
	wait := p.waiting()
	p.Collect = jobName(p.Name, "collect", filepath.Base(p.dir), strconv.Itoa(p.Number))
	items = append(items, p.job(p.Collect, object{
		"backoffLimit": k.Retries,
		"template":     p.pod([]string{"collect", dir, "--wait", wait}, collectBytes, 1),
	}))
	return p.manifest(items)
}

// manifest leaves the Jobs in the submission's folder.
func (p *Plan) manifest(items []any) ([]byte, error) {
	raw, err := json.MarshalIndent(object{"apiVersion": "v1", "kind": "List", "items": items}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("submit: %w", err)
	}
	raw = append(raw, '\n')
	err = p.leave("jobs.json", func(w io.Writer) error { _, err := w.Write(raw); return err })
	if err != nil {
		return nil, err
	}
	return raw, p.Save()
}

// collectBytes is the memory of the pod that collects: 100,000 cells take 2.3 GB.
const collectBytes = 4 << 30

// waiting is how long the collector waits: as long as all tasks take one after the other, twice, and a day.
func (p *Plan) waiting() string {
	total := 0.0
	for _, a := range p.Arrays {
		total += a.Seconds * float64(len(a.Tasks))
	}
	return fmt.Sprintf("%dh", 24+int(2*total/3600))
}

// mounted is the run directory as the pods see it; the error says what keeps them from it.
func (p *Plan) mounted() (string, error) {
	k := p.Launch.Kubernetes
	if k.Image == "" || k.Volume == "" && p.address == "" {
		return "", errors.New("submit: kubernetes: say launch.kubernetes.image, a container with the program, and " +
			"launch.kubernetes.volume, a PersistentVolumeClaim that holds the run directory, where that is in no bucket")
	}
	if p.address != "" {
		return p.address, nil
	}
	dir := filepath.ToSlash(p.dir)
	if k.Runs != "" {
		dir = path.Join(k.Mount, k.Runs, filepath.Base(p.dir))
	}
	if dir != k.Mount && !strings.HasPrefix(dir, strings.TrimSuffix(k.Mount, "/")+"/") {
		return "", fmt.Errorf("submit: kubernetes: the run directory %s is not below %s, where the volume is mounted: say "+
			"launch.kubernetes.runs, the folder of run directories within the volume", dir, k.Mount)
	}
	return dir, nil
}

func exitCodes(code int) object {
	return object{"containerName": container, "operator": "In", "values": []int{code}}
}

// job is a Job of the run. One that belongs to a queue is suspended until the queue lets it start.
func (p *Plan) job(name string, spec object) object {
	k := p.Launch.Kubernetes
	labels := object{"app.kubernetes.io/name": "plumbline", "app.kubernetes.io/instance": label(filepath.Base(p.dir))}
	meta := object{"name": name, "labels": labels}
	if k.Namespace != "" {
		meta["namespace"] = k.Namespace
	}
	if k.Queue != "" {
		labels["kueue.x-k8s.io/queue-name"] = k.Queue
		spec["suspend"] = true
	}
	return object{"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": spec}
}

// pod is what runs the program: as no root, on a root file system that cannot be written.
func (p *Plan) pod(args []string, memory int64, cpus int) object {
	k := p.Launch.Kubernetes
	field := func(name, path string) object {
		return object{"name": name, "valueFrom": object{"fieldRef": object{"fieldPath": path}}}
	}
	program := []string{"/plumbline"}
	if p.Launch.Program != "" {
		program = []string{p.Launch.Program}
	}
	mounts := []any{object{"name": "tmp", "mountPath": "/tmp"}}
	volumes := []any{object{"name": "tmp", "emptyDir": object{}}}
	if k.Volume != "" {
		mounts = append(mounts, object{"name": "runs", "mountPath": k.Mount})
		volumes = append(volumes, object{"name": "runs", "persistentVolumeClaim": object{"claimName": k.Volume}})
	}
	size := fmt.Sprintf("%dMi", (memory+1<<20-1)>>20)
	spec := object{
		"restartPolicy": "Never", "terminationGracePeriodSeconds": grace, "enableServiceLinks": false,
		"automountServiceAccountToken": k.ServiceAccount != "",
		"securityContext": object{"runAsNonRoot": true, "runAsUser": k.User, "runAsGroup": k.User, "fsGroup": k.User,
			"fsGroupChangePolicy": "OnRootMismatch", "seccompProfile": object{"type": "RuntimeDefault"}},
		"containers": []any{object{
			"name": container, "image": k.Image, "command": program, "args": args,
			"env": []any{
				// what claims on cells are made with
				field("PLUMBLINE_JOB", "metadata.labels['batch.kubernetes.io/controller-uid']"),
				field("PLUMBLINE_POD", "metadata.name"),
				field("PLUMBLINE_FAILURES", "metadata.annotations['batch.kubernetes.io/job-index-failure-count']"),
				field("PLUMBLINE_DISRUPTIONS", "metadata.annotations['batch.kubernetes.io/job-index-ignored-failure-count']"),
				object{"name": "HOME", "value": "/tmp"},
			},
			"resources": object{
				"requests": object{"cpu": strconv.Itoa(cpus), "memory": size}, "limits": object{"memory": size},
			},
			"securityContext": object{"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
				"capabilities": object{"drop": []string{"ALL"}}},
			"volumeMounts": mounts,
		}},
		"volumes": volumes,
	}
	if k.Secret != "" {
		from := []any{object{"secretRef": object{"name": k.Secret}}}
		spec["containers"].([]any)[0].(object)["envFrom"] = from
	}
	if k.ServiceAccount != "" {
		spec["serviceAccountName"] = k.ServiceAccount
	}
	if len(k.NodeSelector) > 0 {
		spec["nodeSelector"] = k.NodeSelector
	}
	return object{"metadata": object{"labels": object{"app.kubernetes.io/name": "plumbline",
		"app.kubernetes.io/instance": label(filepath.Base(p.dir))}}, "spec": spec}
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// maxName is the longest name of a Job: those of its pods have the index and five letters more, of 63 in all.
const maxName = 50

// jobName is a name that Kubernetes takes, and that another run or submission does not have: the end tells them apart.
func jobName(parts ...string) string {
	text := notInName.ReplaceAllString(strings.ToLower(strings.Join(parts[:2], "-")), "-")
	sum := record.SumOf([]byte(strings.Join(parts, "\x00"))).SHA256[:10]
	text = strings.Trim(text, "-")
	if len(text) > maxName-11 {
		text = strings.TrimRight(text[:maxName-11], "-")
	}
	if text == "" || text[0] >= '0' && text[0] <= '9' {
		text = strings.TrimRight("r-"+text, "-")
	}
	return text + "-" + sum
}

var notInLabel = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// label is a value that a label takes: at most 63 letters, digits, dashes, underscores and dots, between two letters or
// digits.
func label(text string) string {
	text = notInLabel.ReplaceAllString(text, "_")
	if len(text) > 63 {
		text = text[len(text)-63:]
	}
	return strings.Trim(text, "-_.")
}
