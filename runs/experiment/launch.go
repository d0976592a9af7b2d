package experiment

import (
	"errors"
	"fmt"
	"math"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"plumbline/configs/settings"
)

// Launch is how the cells of a run are handed to a scheduler. What they come to does not depend on it.
type Launch struct {
	// tasks at work at the same time; 0: as many as the scheduler lets
	Throttle int `yaml:"throttle" jsonschema:"minimum=0,maximum=1000000"`
	// tasks of an array or Job at most; more are several (Slurm's MaxArraySize is 1001 unless the site says otherwise)
	ArrayLimit int `yaml:"array_limit" jsonschema:"minimum=1,maximum=100000"`
	// cells of a task; 0: as many as take about task_time, by what cells of the run have taken, else by an estimate
	Group int `yaml:"group" jsonschema:"minimum=0,maximum=1000000"`
	// how long a task is to take, such as 30m; cells are grouped by it
	TaskTime string `yaml:"task_time"`
	// longest time of a task, such as 2h; empty: three times the estimate, at least 10 minutes. A task that reaches it is
	// interrupted before, leaves checkpoints and is queued again
	Time string `yaml:"time"`
	// memory of a task, such as 8GB; empty: estimated from rows, columns and model
	Memory string `yaml:"memory"`
	// processors of a task
	CPUs int `yaml:"cpus" jsonschema:"minimum=1,maximum=1024"`
	// cells side by side in a task; they share its processors and memory
	Workers int `yaml:"workers" jsonschema:"minimum=1,maximum=1024"`
	// how long before its time limit a task is interrupted, such as 90s
	Signal string `yaml:"signal"`
	// how often what was killed for lack of memory is tried again, with twice the memory each time
	MoreMemory int `yaml:"more_memory" jsonschema:"minimum=0,maximum=8"`
	// the program on the machines that do the work; empty: where it is on this one, and plumbline in a container
	Program string `yaml:"program"`
	// folders of data files there; empty: those of this machine
	Data []string `yaml:"data"`
	// folder of prepared data that tasks share, or off; empty: cache in the run directory
	Cache string `yaml:"cache"`
	// Slurm alone
	Slurm LaunchSlurm `yaml:"slurm"`
	// Kubernetes alone
	Kubernetes LaunchKubernetes `yaml:"kubernetes"`
}

// LaunchSlurm is what Slurm alone is told.
type LaunchSlurm struct {
	// partition of the jobs; empty: the site's default
	Partition string `yaml:"partition"`
	// account that pays; empty: the user's default
	Account string `yaml:"account"`
	// quality of service; empty: the default
	QOS string `yaml:"qos"`
	// more lines for sbatch, such as --constraint=avx512
	Options []string `yaml:"options"`
	// lines of shell before the program is started, such as module load
	Setup []string `yaml:"setup"`
}

// LaunchKubernetes is what Kubernetes alone is told.
type LaunchKubernetes struct {
	// container image with the program
	Image string `yaml:"image"`
	// namespace of the Jobs; empty: that of whoever applies them
	Namespace string `yaml:"namespace"`
	// PersistentVolumeClaim, readable and writable by many nodes, that holds the run directory; of a run in a bucket it
	// may be left out, or hold the data files
	Volume string `yaml:"volume"`
	// Secret whose keys become environment variables of the pods, as AWS_ACCESS_KEY_ID of a run in a bucket; empty: none
	Secret string `yaml:"secret"`
	// where the volume is mounted in the container; the run directory lies below
	Mount string `yaml:"mount"`
	// the folder of run directories within the volume, where this machine does not see the volume at the same path;
	// empty: the run directory has the same path here and there
	Runs string `yaml:"runs"`
	// Kueue's LocalQueue; empty: no queue
	Queue string `yaml:"queue"`
	// user and group that the container runs as; not root
	User int64 `yaml:"user" jsonschema:"minimum=1,maximum=2147483647"`
	// ServiceAccount of the pods; empty: the namespace's default, without its token
	ServiceAccount string `yaml:"service_account"`
	// labels of the nodes that may do the work
	NodeSelector map[string]string `yaml:"node_selector"`
	// how often an index is tried again after its pod died
	Retries int `yaml:"retries" jsonschema:"minimum=0,maximum=100"`
}

// DefaultLaunch is what a file that says nothing gets.
func DefaultLaunch() Launch {
	return Launch{ArrayLimit: 1000, TaskTime: "30m", CPUs: 2, Workers: 1, Signal: "90s", MoreMemory: 1,
		Kubernetes: LaunchKubernetes{Mount: "/runs", User: 65532, Retries: 3}}
}

// early is how much sooner than asked for a scheduler may interrupt (sbatch(1), --signal).
const early = time.Minute

// maxSignal is the longest time before its limit that a task can be interrupted at (sbatch(1), --signal).
const maxSignal = 65535 * time.Second

// launchError is what is wrong with one setting of the section.
type launchError struct {
	key string
	error
}

func (e *launchError) Error() string { return "launch." + e.key + ": " + e.error.Error() }

// Times are the settings that are times: how long a task is to take, its limit (0: to be estimated), and how long
// before that it is interrupted.
func (l *Launch) Times() (task, limit, signal time.Duration, err error) {
	for _, one := range []struct {
		key, text string
		to        *time.Duration
	}{{"task_time", l.TaskTime, &task}, {"time", l.Time, &limit}, {"signal", l.Signal, &signal}} {
		if one.text == "" && one.key == "time" {
			continue
		}
		d, err := time.ParseDuration(one.text)
		if err != nil || d <= 0 {
			return 0, 0, 0, &launchError{one.key, fmt.Errorf("%q is not a time such as 90s or 2h", one.text)}
		}
		*one.to = d
	}
	if signal > maxSignal {
		return 0, 0, 0, &launchError{"signal", fmt.Errorf("%v is longer than sbatch takes, %v", signal, maxSignal)}
	}
	if limit > 0 && limit < signal+early {
		return 0, 0, 0, &launchError{"time", fmt.Errorf("%v is not a minute longer than signal %v, which may come a minute "+
			"early: tasks would be interrupted as they begin", limit, signal)}
	}
	return task, limit, signal, nil
}

// Bytes is the memory of a task, 0: to be estimated.
func (l *Launch) Bytes() (int64, error) {
	if l.Memory == "" {
		return 0, nil
	}
	n, err := ParseSize(l.Memory)
	if err == nil && n < 1e6 {
		err = fmt.Errorf("%q is less than a megabyte", l.Memory)
	}
	if err != nil {
		return 0, &launchError{"memory", err}
	}
	return n, nil
}

var sizes = []struct {
	name  string
	bytes float64
}{{"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"tb", 1e12}, {"b", 1}}

// ParseSize reads a number of bytes with a unit, such as 8GB, or without.
func ParseSize(text string) (int64, error) {
	number, unit := strings.ToLower(strings.TrimSpace(text)), 1.0
	for _, u := range sizes {
		if cut, ok := strings.CutSuffix(number, u.name); ok {
			number, unit = strings.TrimSpace(cut), u.bytes
			break
		}
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || !(v >= 0 && v*unit < math.MaxInt64/2) {
		return 0, fmt.Errorf("%q is not a size such as 8GB or 500MB", text)
	}
	return int64(v * unit), nil
}

// UnmarshalSettings takes a map over the defaults, and checks what schemas cannot.
func (l *Launch) UnmarshalSettings(d settings.Node) settings.Problems {
	type plain Launch
	p := plain(DefaultLaunch())
	ps := d.Decode(&p)
	*l = Launch(p)
	if len(ps) > 0 {
		return ps
	}
	_, _, _, times := l.Times()
	_, bytes := l.Bytes()
	for _, err := range []error{times, bytes} {
		if one := (*launchError)(nil); errors.As(err, &one) {
			ps = append(ps, d.At(one.key).Problem("%v", one.error))
		}
	}
	oneLine := func(at settings.Node, text string) {
		if strings.ContainsAny(text, "\n\r") {
			ps = append(ps, at.Problem("%q: want one line", text))
		}
	}
	oneLine(d.At("slurm.partition"), l.Slurm.Partition)
	oneLine(d.At("slurm.account"), l.Slurm.Account)
	oneLine(d.At("slurm.qos"), l.Slurm.QOS)
	for i, option := range d.At("slurm.options").Items() {
		if i < len(l.Slurm.Options) {
			oneLine(option, l.Slurm.Options[i])
		}
	}
	return append(ps, l.Kubernetes.check(d)...)
}

// objectName is a name that Kubernetes takes for an object (a DNS subdomain of RFC 1123).
var objectName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)

// check says which settings Kubernetes would refuse when the run directory has been made.
func (k *LaunchKubernetes) check(d settings.Node) (ps settings.Problems) {
	for _, one := range [][2]string{{"namespace", k.Namespace}, {"volume", k.Volume}, {"secret", k.Secret},
		{"queue", k.Queue}, {"service_account", k.ServiceAccount}} {
		if one[1] != "" && (!objectName.MatchString(one[1]) || len(one[1]) > 253) {
			ps = append(ps, d.At("kubernetes."+one[0]).Problem("%q is no name that Kubernetes takes: small letters, "+
				"digits, dashes and dots, between two letters or digits", one[1]))
		}
	}
	if !strings.HasPrefix(k.Mount, "/") || path.Clean(k.Mount) == "/" {
		ps = append(ps, d.At("kubernetes.mount").Problem("%q is no folder by its path from the root", k.Mount))
	}
	return ps
}

// Forms is a map.
func (*Launch) Forms() []settings.Form {
	type plain Launch
	return []settings.Form{{Keys: plain{}}}
}
