package experiment_test

import (
	"strings"
	"testing"

	"plumbline/configs"
	"plumbline/runs/experiment"
	"plumbline/runs/runstest"
)

// TestKubernetesNames: what Kubernetes would refuse is said of the file.
func TestKubernetesNames(t *testing.T) {
	for body, want := range map[string]string{
		"namespace: team-1":          "",
		"volume: claim.of.lab":       "",
		"mount: /mnt/runs/":          "",
		"namespace: Team 1":          `kubernetes.namespace: "Team 1" is no name`,
		"volume: claim_1":            "kubernetes.volume",
		"secret: -keys":              "kubernetes.secret",
		"queue: night.":              "kubernetes.queue",
		"service_account: ünter":     "kubernetes.service_account",
		"mount: runs":                "kubernetes.mount",
		"mount: /":                   "kubernetes.mount",
		"mount: /..":                 "kubernetes.mount",
		"namespace: \"a\\nb: evil\"": "kubernetes.namespace",
	} {
		text := "name: n\ndata: [synth]\nmodels: [znorm]\nlaunch: {kubernetes: {" + body + "}}\n"
		_, err := experiment.Load(runstest.Write(t, text), experiment.LoadOptions{Builtin: configs.Files})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
}

// TestLaunchPlaces: what is wrong with a setting of launch is said of its own place, whichever overrides came before.
func TestLaunchPlaces(t *testing.T) {
	file := runstest.Write(t, "name: n\ndata: [synth]\nmodels: [znorm]\nlaunch:\n  memory: plenty\n  slurm:\n"+
		"    options:\n      - --exclusive\n      - \"a\\nb\"\n")
	for want, overrides := range map[string][]string{
		file + `:5:11: launch.memory: "plenty" is not a size`:               nil,
		file + `:9:9: launch.slurm.options.1: "a\nb": want one line`:        nil,
		`command line: launch.time=soon: launch.time: "soon" is not a time`: {"launch.group=2", "launch.time=soon"},
		`command line: launch.signal=30h: launch.signal: 30h0m0s is longer`: {"launch.signal=30h", "launch.group=2"},
		`line: launch.kubernetes.mount=x: launch.kubernetes.mount: "x" is`: {"launch.cpus=1",
			"launch.kubernetes.mount=x"},
	} {
		_, err := experiment.Load(file, experiment.LoadOptions{Builtin: configs.Files, Overrides: overrides})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", overrides, err, want)
		}
	}
}
