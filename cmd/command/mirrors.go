package command

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"plumbline/data/bucket"
	"plumbline/runs/mirror"
)

// mirrors are the copies of run directories that live in buckets, by their folders on this machine.
type mirrors struct {
	root *mirror.Root // new ones go there; nil: nowhere
	runs map[string]*mirror.Mirror
}

func (m *mirrors) add(one *mirror.Mirror) {
	if m.runs == nil {
		m.runs = map[string]*mirror.Mirror{}
	}
	m.runs[one.Path] = one
}

// View is the copy of a run directory, or of what lies in one, where the path is the address of one in a bucket; else
// the path itself.
func (a *App) View(ctx context.Context, path string) (string, error) {
	if !bucket.Is(path) {
		return path, nil
	}
	if at := a.Local(path); at != path {
		return at, nil
	}
	m, rest, err := mirror.View(ctx, path)
	if err != nil {
		return "", Usage(err)
	}
	a.mirrors.add(m)
	return filepath.Join(m.Path, filepath.FromSlash(rest)), nil
}

// Views replaces the addresses among the arguments by copies.
func (a *App) Views(ctx context.Context, args []string) (err error) {
	for i := range args {
		if args[i], err = a.View(ctx, args[i]); err != nil {
			return err
		}
	}
	return nil
}

// Below is the folder that new run directories are made in, whose copies are sent to a bucket where the path is the
// address of one.
func (a *App) Below(ctx context.Context, path string) (string, error) {
	if !bucket.Is(path) {
		return path, nil
	}
	root, err := mirror.Begin(ctx, path)
	if err != nil {
		return "", Usage(err)
	}
	a.mirrors.root = root
	return root.Path, nil
}

// Work is the copy of a run directory that this process carries on, alone or a share of it.
func (a *App) Work(ctx context.Context, path string, share bool) (string, error) {
	if !bucket.Is(path) {
		return path, nil
	}
	take := mirror.Work
	if share {
		take = mirror.Share
	}
	m, err := take(ctx, path)
	if err != nil {
		return "", Usage(err)
	}
	a.mirrors.add(m)
	return m.Path, nil
}

// Mirror is the mirror of a run directory, nil where it is no copy. That of a new one is made.
func (a *App) Mirror(dir string) (*mirror.Mirror, error) {
	if m := a.mirrors.runs[dir]; m != nil || a.mirrors.root == nil || filepath.Dir(dir) != a.mirrors.root.Path {
		return m, nil
	}
	m, err := a.mirrors.root.Run(dir)
	if err != nil {
		return nil, err
	}
	a.mirrors.add(m)
	return m, nil
}

// Shown is what a path is called: its address, where it lies in a copy.
func (a *App) Shown(path string) string {
	for dir, m := range a.mirrors.runs {
		if rest, ok := strings.CutPrefix(path, dir); ok && (rest == "" || rest[0] == filepath.Separator) {
			return m.Address() + filepath.ToSlash(rest)
		}
	}
	return path
}

// Local is where the copies that the process has hold what lies at an address; else the path itself.
func (a *App) Local(path string) string {
	for dir, m := range a.mirrors.runs {
		if rest, ok := strings.CutPrefix(path, m.Address()); ok && (rest == "" || rest[0] == '/') {
			return filepath.Join(dir, filepath.FromSlash(rest))
		}
	}
	return path
}

// Keep sends a file that was added to a run directory on, where that is a copy.
func (a *App) Keep(dir, name string) error {
	if m := a.mirrors.runs[dir]; m != nil {
		return m.Send(name)
	}
	return nil
}

// Close sends what is left to be sent and gives the copies back.
func (a *App) Close() error {
	var errs []error
	for _, m := range a.mirrors.runs {
		errs = append(errs, m.Close())
	}
	return Failed(errors.Join(errs...))
}
