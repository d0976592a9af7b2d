package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"time"

	"plumbline/data/bucket"
	"plumbline/runs"
	"plumbline/runs/claim"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
	"plumbline/runs/status"
)

// ReadStatus looks at a run in a folder or in a bucket, of which no more is copied than tells how far the run is. Ask
// says what a scheduler knows of a job.
func ReadStatus(ctx context.Context, dir string, ask func(context.Context, claim.Job) (claim.State, error),
) (*status.Status, error) {
	from := status.Source{Dir: dir, Ask: ask}
	if !bucket.Is(dir) {
		return status.Read(ctx, from)
	}
	m, _, err := View(ctx, dir, "manifest.json", "results.csv", record.StepsFolder+"/")
	if err != nil {
		return nil, err
	}
	from.Dir, from.Claims = m.Path, m.Claims()
	from.Look = func(cell string) (*record.Status, error) { return m.Status(ctx, cell) }
	s, err := status.Read(ctx, from)
	if err == nil {
		s.Run = m.Address()
	}
	return s, errors.Join(err, m.Close())
}

// WaitForCells waits until every cell of a run in a folder or in a bucket has come to an end.
func WaitForCells(ctx context.Context, dir string, lo experiment.LoadOptions, wait time.Duration) error {
	every := min(30*time.Second, max(wait/100, 100*time.Millisecond))
	if !bucket.Is(dir) {
		return runs.WaitForCells(ctx, dir, lo, wait, every, nil)
	}
	m, _, err := View(ctx, dir, experimentFile)
	if err != nil {
		return err
	}
	err = runs.WaitForCells(ctx, m.Path, lo, wait, every, func(cell string) (bool, error) { return m.Ended(ctx, cell) })
	return errors.Join(err, m.Close())
}

// Ended says whether a cell has left a status.
func (m *Mirror) Ended(ctx context.Context, cell string) (bool, error) {
	return m.bucket.Has(ctx, cell+"/status.json")
}

// Status is what a cell came to; nil where it has left none.
func (m *Mirror) Status(ctx context.Context, cell string) (*record.Status, error) {
	raw, err := m.bucket.Read(ctx, cell+"/status.json", record.MaxJSON)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	st := &record.Status{}
	if json.Unmarshal(raw, st) != nil || st.Cell != cell {
		return nil, nil // it is damaged, as whoever takes the run up says
	}
	return st, nil
}
