package runs

import (
	"os"
	"testing"

	"plumbline/runs/record"
)

func TestCheckpoints(t *testing.T) {
	c := checkpoints{record.NewDirectory(t.TempDir()), "data/ae/s1/checkpoints"}
	if raw, err := c.Load("network"); raw != nil || err != nil {
		t.Errorf("nothing was saved, loaded %q, %v", raw, err)
	}
	for _, state := range []string{"one", "two"} {
		if err := c.Save("network", []byte(state)); err != nil {
			t.Fatal(err)
		}
	}
	if raw, err := c.Load("network"); string(raw) != "two" || err != nil {
		t.Errorf("loaded %q, %v, want what was saved last", raw, err)
	}
	if raw, err := c.Load("other"); raw != nil || err != nil {
		t.Errorf("under another name %q, %v", raw, err)
	}
	if err := c.remove(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(c.folder()); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
}
