package submit

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"io"
	"math"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
)

//go:embed slurm-task.sh
var slurmTask string

//go:embed slurm-collect.sh
var slurmCollect string

var slurmScripts = map[string]*template.Template{
	"task": parse("task", slurmTask), "collect": parse("collect", slurmCollect),
}

func parse(name, text string) *template.Template {
	return template.Must(template.New(name).Funcs(template.FuncMap{"quote": quote}).Parse(text))
}

// slurmView is what the scripts are filled with.
type slurmView struct {
	Options []string // lines of sbatch
	Setup   []string
	Command string
	Collect string // the command that collects
	Again   string // the one that hands out what lacked memory
	Folder  string // of the submission
	Array   string
	Jobs    string // of the arrays
	Dir     string
}

// sbatch lines that every job of the run has.
func (p *Plan) slurmOptions() (out []string) {
	s := p.Launch.Slurm
	for _, o := range [][2]string{{"partition", s.Partition}, {"account", s.Account}, {"qos", s.QOS}} {
		if o[1] != "" {
			out = append(out, "--"+o[0]+"="+o[1])
		}
	}
	return append(out, s.Options...)
}

// slurmPath is a path in an option of sbatch, in which % stands for something.
func slurmPath(path string) string { return `"` + strings.ReplaceAll(path, "%", "%%") + `"` }

// slurmPossible says what keeps a run from being handed to Slurm.
func (p *Plan) slurmPossible() error {
	if p.address != "" {
		return fmt.Errorf("submit: slurm: %s: the jobs of a cluster are handed out for a run directory in a folder that its "+
			"nodes share; for a run in a bucket, print writes the commands", p.address)
	}
	if _, err := exec.LookPath("sbatch"); err != nil {
		return fmt.Errorf("submit: slurm: %w: jobs are handed in where Slurm's programs are", err)
	}
	return nil
}

// Slurm writes the scripts of the submission and hands them to sbatch: an array for each fold of each data set, and a
// job that collects when all have ended, however they did.
func (p *Plan) Slurm(ctx context.Context) error {
	if err := p.slurmPossible(); err != nil {
		return err
	}
	_, _, signal, err := p.Launch.Times()
	if err != nil {
		return fmt.Errorf("submit: launch: %w", err)
	}
	logs := filepath.Join(p.dir, "logs")
	folder := filepath.Join(p.dir, p.folder())
	for i := range p.Arrays {
		a := &p.Arrays[i]
		tasks := fmt.Sprintf("1-%d", len(a.Tasks))
		if p.Launch.Throttle > 0 {
			tasks += "%" + strconv.Itoa(p.Launch.Throttle)
		}
		v := slurmView{Setup: p.Launch.Slurm.Setup, Folder: folder, Array: a.Name, Dir: p.dir,
			Command: p.command(p.arguments(p.dir, "@"+filepath.Join(folder, a.tasksFile())))}
		v.Options = append([]string{
			"--job-name=" + strings.ReplaceAll(p.Name+"-"+a.Name, " ", "_"), "--array=" + tasks,
			"--output=" + slurmPath(logs) + "/slurm-%A_%a.out", "--open-mode=append", "--requeue",
			fmt.Sprintf("--signal=B:USR2@%.0f", math.Ceil(signal.Seconds())),
			fmt.Sprintf("--time=%d", int(math.Ceil(a.Seconds/60))), fmt.Sprintf("--mem=%dM", (a.Memory+1<<20-1)>>20),
			"--nodes=1", "--ntasks=1", fmt.Sprintf("--cpus-per-task=%d", p.Launch.CPUs),
		}, p.slurmOptions()...)
		if a.Job, err = p.sbatch(ctx, a.Name+".sh", "task", v); err != nil {
			return err
		}
		if err := p.Save(); err != nil { // who is handed out is known, whatever comes next
			return err
		}
	}
	var jobs []string
	for _, a := range p.Arrays {
		jobs = append(jobs, a.Job)
	}
	v := slurmView{Setup: p.Launch.Slurm.Setup, Folder: folder, Dir: p.dir, Command: "", Jobs: strings.Join(jobs, " "),
		Collect: p.command(p.collector(p.dir)),
		Again:   p.command([]string{"run", "--resume", p.dir, "--launcher", "slurm", "--again", strconv.Itoa(p.Number)})}
	v.Options = append([]string{
		"--job-name=" + strings.ReplaceAll(p.Name+"-collect", " ", "_"), "--output=" + slurmPath(logs) + "/slurm-%j.out",
		"--dependency=afterany:" + strings.Join(jobs, ":"), "--time=60", "--mem=4096M", "--requeue",
	}, p.slurmOptions()...)
	if p.Collect, err = p.sbatch(ctx, "collect.sh", "collect", v); err != nil {
		return err
	}
	return p.Save()
}

// sbatch leaves a script in the submission's folder and hands it out; the result is the job's number.
func (p *Plan) sbatch(ctx context.Context, name, kind string, v slurmView) (string, error) {
	err := p.leave(name, func(w io.Writer) error { return slurmScripts[kind].Execute(w, v) })
	if err != nil {
		return "", err
	}
	if err := p.leave("../../logs/.keep", func(io.Writer) error { return nil }); err != nil {
		return "", err
	}
	c := exec.CommandContext(ctx, "sbatch", "--parsable", filepath.Join(p.dir, p.folder(), name))
	c.Dir = p.dir
	var out, errOut bytes.Buffer
	c.Stdout, c.Stderr = &out, &errOut
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("submit: sbatch %s: %s: %w", name, strings.TrimSpace(errOut.String()), err)
	}
	job, _, _ := strings.Cut(strings.TrimSpace(out.String()), ";") // then the cluster's name
	if _, err := strconv.Atoi(job); err != nil {
		return "", fmt.Errorf("submit: sbatch said %q, want the number of a job", out.String())
	}
	return job, nil
}
