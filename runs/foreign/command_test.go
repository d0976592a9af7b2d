package foreign

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"plumbline/models"
	"plumbline/runs/record"
)

// TestSettingsOfAProgram: a name that could not stand in an argument, or stands for something of the cell, is refused,
// as is one in an argument that nothing gives.
func TestSettingsOfAProgram(t *testing.T) {
	for _, c := range []struct {
		name, arg, want string
	}{
		{"trees", "--trees={trees}", ""},
		{"trees", "{tree}", "{tree} in \"{tree}\" stands for nothing; known: {folder}"},
		{"seed", "x", `settings: "seed": want a name`},
		{"folder", "x", `settings: "folder": want a name`},
		{"", "x", `settings: "": want a name`},
		{"max depth", "x", `settings: "max depth": want a name`},
	} {
		s := &Command{name: command, Format: "npy", Run: []string{"a", c.arg}, Settings: map[string]string{c.name: "1"}}
		_, err := s.New(models.Env{})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q, %s: %v", c.name, c.arg, err)
		}
	}
}

// TestArgumentsOfAProgram: each value stands as it is, whatever it holds.
func TestArgumentsOfAProgram(t *testing.T) {
	d := &commandDetector{spec: Command{Run: []string{"{one}", "{two} {folder}", "{seed}"},
		Settings: map[string]string{"one": "{two}", "two": "{one}{data}"}}}
	d.at = &Place{Seed: 7, Data: "x", Find: func(string) (string, error) { return "", fs.ErrNotExist }}
	dir, err := record.MakeDirectory(t.TempDir(), "x", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	d.at.Files = dir.Folder("cell")
	list, err := d.arguments("/at")
	if err != nil || !slices.Equal(list, []string{"{two}", "{one}{data} /at", "7"}) {
		t.Errorf("%q, %v", list, err)
	}
}
