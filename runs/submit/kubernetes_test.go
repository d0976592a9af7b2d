package submit

import (
	"encoding/json"
	"strings"
	"testing"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	strict "sigs.k8s.io/json"

	"plumbline/runs/runstest"
)

// manifest decodes what kubectl would be given, by Kubernetes' own types (k8s.io/api v0.35.0), which know every field:
// a name, a place or a type that they do not have is an error.
func manifest(t *testing.T, raw []byte) []batch.Job {
	t.Helper()
	var list struct {
		APIVersion string            `json:"apiVersion"`
		Kind       string            `json:"kind"`
		Items      []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(raw, &list); err != nil || list.Kind != "List" || list.APIVersion != "v1" {
		t.Fatalf("%v of %+v", err, list)
	}
	var jobs []batch.Job
	for _, item := range list.Items {
		var j batch.Job
		wrong, err := strict.UnmarshalStrict(item, &j)
		if err != nil || len(wrong) > 0 {
			t.Fatalf("%v %v:\n%s", err, wrong, item)
		}
		jobs = append(jobs, j)
	}
	return jobs
}

func TestKubernetes(t *testing.T) {
	dir, e := begun(t, folds, "~launch.program",
		"+launch.kubernetes={image: registry.example/plumbline:1, volume: runs, runs: sweeps, queue: night, "+
			"namespace: science, node_selector: {disk: fast}}", "+launch.throttle=1")
	p := layOut(t, dir, e, Options{})
	raw, err := p.Kubernetes()
	if err != nil {
		t.Fatal(err)
	}
	jobs := manifest(t, raw)
	if len(jobs) != len(p.Arrays)+1 {
		t.Fatalf("%d jobs", len(jobs))
	}
	names := map[string]bool{}
	for i, j := range jobs {
		if names[j.Name] || len(j.Name) > maxName || j.Namespace != "science" || j.Kind != "Job" ||
			j.APIVersion != "batch/v1" || j.Labels["kueue.x-k8s.io/queue-name"] != "night" || !*j.Spec.Suspend {
			t.Errorf("job %+v", j.ObjectMeta)
		}
		names[j.Name] = true
		pod := j.Spec.Template.Spec
		c := pod.Containers[0]
		s, cs := pod.SecurityContext, c.SecurityContext
		if !*s.RunAsNonRoot || *s.RunAsUser == 0 || s.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault ||
			!*cs.ReadOnlyRootFilesystem || *cs.AllowPrivilegeEscalation || cs.Capabilities.Drop[0] != "ALL" ||
			*pod.AutomountServiceAccountToken || pod.RestartPolicy != core.RestartPolicyNever {
			t.Errorf("security of %s: %+v %+v", j.Name, s, cs)
		}
		if c.Image != "registry.example/plumbline:1" || c.Command[0] != "/plumbline" || pod.NodeSelector["disk"] != "fast" ||
			pod.Volumes[1].PersistentVolumeClaim.ClaimName != "runs" || c.VolumeMounts[1].MountPath != "/runs" {
			t.Errorf("pod of %s: %+v", j.Name, pod)
		}
		if !strings.HasPrefix(c.Args[2], "/runs/sweeps/") && !strings.HasPrefix(c.Args[1], "/runs/sweeps/") {
			t.Errorf("arguments of %s: %q", j.Name, c.Args)
		}
		if i == len(p.Arrays) {
			if c.Args[0] != "collect" || c.Args[2] != "--wait" {
				t.Errorf("the last job does not collect: %q", c.Args)
			}
			continue
		}
		a := p.Arrays[i]
		spec := j.Spec
		if *spec.CompletionMode != batch.IndexedCompletion || int(*spec.Completions) != len(a.Tasks) ||
			*spec.Parallelism != 1 || *spec.BackoffLimitPerIndex != 3 || *spec.PodReplacementPolicy != batch.Failed {
			t.Errorf("%s: %+v", j.Name, spec)
		}
		var actions []string
		for _, r := range spec.PodFailurePolicy.Rules {
			actions = append(actions, string(r.Action))
		}
		if got := strings.Join(actions, " "); got != "Ignore FailJob FailIndex" {
			t.Errorf("%s: %s", j.Name, got)
		}
		memory := c.Resources.Limits[core.ResourceMemory]
		if memory.Value() < a.Memory || memory.Value() > a.Memory+1<<20 || c.Resources.Requests.Cpu().Value() != 2 {
			t.Errorf("%s: %v of %d", j.Name, memory.Value(), a.Memory)
		}
	}
	// a field that Kubernetes does not know is found
	var j batch.Job
	wrong, err := strict.UnmarshalStrict([]byte(`{"spec": {"completionmode": "Indexed"}}`), &j)
	if err != nil || wrong == nil {
		t.Errorf("a wrong field: %v, %v", wrong, err)
	}
	for _, overrides := range [][]string{{}, {"+launch.kubernetes={image: a, volume: b}"}} {
		dir, e := begun(t, folds, overrides...)
		if _, err := layOut(t, dir, e, Options{}).Kubernetes(); err == nil {
			t.Errorf("%v is no error", overrides)
		}
	}
}

// TestSearch: as many tasks as may be at work, all of the same command, and no collector in Kubernetes, where the last
// process of the search reads the test part.
func TestSearch(t *testing.T) {
	dir, e := begun(t, folds, "~launch.program", "+launch.throttle=5", "launch.array_limit=100",
		"+launch.kubernetes={image: a, volume: b, runs: x}")
	p, err := Search(dir, e, Options{})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := p.Kubernetes()
	if err != nil {
		t.Fatal(err)
	}
	jobs := manifest(t, raw)
	if len(jobs) != 1 || *jobs[0].Spec.Completions != 5 || *jobs[0].Spec.Parallelism != 5 {
		t.Fatalf("%s", raw)
	}
	args := strings.Join(jobs[0].Spec.Template.Spec.Containers[0].Args, " ")
	if !strings.HasPrefix(args, "tune --resume /runs/x/") || !strings.Contains(args, " --share ") {
		t.Error(args)
	}
	if _, collect := p.Commands(); !strings.Contains(collect, " tune --resume "+dir) {
		t.Error(collect)
	}
	if _, err := Search(dir, runstest.Load(t, strings.Replace(folds, "many folds", "f", 1)), Options{}); err == nil {
		t.Error("a search without a number of processes is handed out")
	}
}

func TestNames(t *testing.T) {
	for _, parts := range [][]string{{"Größe 1", "x"}, {"1", "2"}, {"", ""}, {strings.Repeat("ab-", 40), "x"}} {
		name := jobName(append(parts, "run", "1")...)
		if len(name) > maxName || notInName.MatchString(strings.ReplaceAll(name, "-", "")) || name[0] < 'a' ||
			strings.HasSuffix(name, "-") {
			t.Errorf("%q: %q", parts, name)
		}
		if l := label(parts[0]); len(l) > 63 || notInLabel.MatchString(l) || strings.Trim(l, "-_.") != l {
			t.Errorf("%q: %q", parts, l)
		}
	}
	if jobName("a", "b", "run", "1") == jobName("a", "b", "run", "2") {
		t.Error("two submissions have one name")
	}
}
