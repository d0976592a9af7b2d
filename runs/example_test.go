package runs_test

import (
	"context"
	"fmt"
	"os"

	"plumbline/configs"
	_ "plumbline/data/synth"
	_ "plumbline/models/classic"
	"plumbline/runs"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
)

// An experiment is loaded by its file or its name, changed as on the command line, and carried out into a run
// directory, which is then read back.
func Example() {
	root, err := os.MkdirTemp("", "runs")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(root)
	e, err := experiment.Load("quickstart", experiment.LoadOptions{
		Builtin:   configs.Files,
		Overrides: []string{"data.synth.options.hosts=6", "models=[znorm, random]", "seeds=[1, 2]", "controls=off"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	out, err := runs.Run(context.Background(), e, runs.Options{Root: root})
	if err != nil {
		fmt.Println(err)
		return
	}
	rec, err := record.Open(out.Dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range rec.Results {
		fmt.Println(r.Label, r.Seed, r.Status, r.Metric("auroc") > 0.6)
	}
	// Output:
	// znorm 1 ok true
	// random 1 ok false
	// random 2 ok false
}
