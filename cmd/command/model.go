package command

import (
	"context"
	"errors"
	"fmt"

	"plumbline/data/pseudonym"
	"plumbline/runs/bundle"
	"plumbline/runs/visible"
)

// ModelInput opens what a command line names as a model, and finds out how files are read for it: as a data config that
// as names, or without one as the model's training data, by the header, or as inferred, which is said on stderr.
// What hides addresses hides them in errors too; nil: nothing does.
func (a *App) ModelInput(ctx context.Context, model string, files []string, as string, labels bool,
	hide *pseudonym.Mapper) (*bundle.Bundle, *bundle.Input, error) {
	b, err := bundle.Load(model)
	if err != nil {
		return nil, nil, Usage(err)
	}
	in, err := b.Input(ctx, files, bundle.InputOptions{As: as, Labels: labels, Library: a.Library(), Dirs: a.DataDirs})
	switch {
	case errors.Is(err, context.Canceled):
		return nil, nil, Failed(err)
	case err != nil:
		return nil, nil, Usage(hide.Error(err, b.Named))
	}
	if !a.Quiet && in.Way != "as the training data" {
		fmt.Fprintf(a.Err, "%s: read %s\n", visible.Text(files[0]), visible.Text(in.Way))
	}
	return b, in, nil
}
