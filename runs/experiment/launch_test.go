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
