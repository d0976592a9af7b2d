package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMore: figures of several models say whose each is.
func TestMore(t *testing.T) {
	classes := []string{"scan"}
	rec := written(t, 90, []cell{{"d", "ae", "first", 1, 2, classes}, {"d", "ae", "second", 1, 1, classes}})
	for _, r := range rec.Results {
		file := filepath.Join(rec.Dir, r.Cell, "coordinates.csv")
		text := "method,row,kind,class,x,y\nlatent,0,benign,,1,2\nlatent,3,attack,scan,3,1\n"
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	page := pageOf(t, rec)
	for _, want := range []string{"first", "second"} {
		if !strings.Contains(page, "<figcaption>Codes of test rows: d-"+want+"</figcaption>") {
			t.Errorf("no figure says that its codes are those of %s", want)
		}
	}
}
