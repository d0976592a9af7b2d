package command

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOutputIsWhole: a file that cannot be finished is not there, and one that was there before is as it was; links
// lead to what they name, and modes stay.
func TestOutputIsWhole(t *testing.T) {
	dir := t.TempDir()
	write := func(text string, fail error) func(io.Writer) error {
		return func(w io.Writer) error {
			if _, err := io.WriteString(w, text); err != nil {
				return err
			}
			return fail
		}
	}
	holds := func(name, want string) {
		t.Helper()
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if want == "" && !errors.Is(err, os.ErrNotExist) || want != "" && string(raw) != want {
			t.Errorf("%s holds %q (%v), want %q", name, raw, err, want)
		}
	}
	only := func(want int) {
		t.Helper()
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != want {
			t.Errorf("%d entries, %v: %v", len(entries), err, entries)
		}
	}
	a := &App{}
	broken := errors.New("broken")
	if err := a.Output(filepath.Join(dir, "new"), nil, write("half", broken)); !errors.Is(err, broken) {
		t.Error(err)
	}
	holds("new", "")
	err := a.Output(filepath.Join(dir, "new"), nil, func(w io.Writer) error {
		_, err := w.(*os.File).Read(make([]byte, 1)) // it is open for writing alone
		return err
	})
	if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "new")) {
		t.Errorf("%v does not name the file", err)
	}
	old := filepath.Join(dir, "old")
	if err := os.WriteFile(old, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("old", filepath.Join(dir, "link")); err != nil {
		t.Skip("no symbolic links here")
	}
	for _, name := range []string{"old", "link"} {
		if err := a.Output(filepath.Join(dir, name), nil, write("half", broken)); !errors.Is(err, broken) {
			t.Error(err)
		}
		holds("old", "before")
	}
	only(2)
	if err := a.Output(filepath.Join(dir, "link"), nil, write("after", nil)); err != nil {
		t.Error(err)
	}
	holds("old", "after")
	st, err := os.Lstat(old)
	link, err2 := os.Lstat(filepath.Join(dir, "link"))
	if err != nil || err2 != nil || st.Mode() != 0o600 || link.Mode()&os.ModeSymlink == 0 {
		t.Errorf("%v %v, %v %v", st, err, link, err2)
	}
	if err := a.Output(filepath.Join(dir, "deep", "new"), nil, write("text", nil)); err != nil {
		t.Error(err)
	}
	holds("deep/new", "text")
	if err := a.Output(os.DevNull, nil, write("text", nil)); err != nil {
		t.Error(err)
	}
	only(3)
}
