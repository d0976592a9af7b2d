package runs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"plumbline/runs/record"
)

// checkpoints are files of a cell that has not come to its end. They are gone when it has; one that ran out of time
// keeps them.
type checkpoints struct {
	dir *record.Directory
	at  string // the cell's folder for them, within the run's
}

const checkpointFolder = "checkpoints"

// maxCheckpoint is the largest checkpoint that is read.
const maxCheckpoint = 1 << 36

func (j *job) checkpoints() checkpoints {
	return checkpoints{j.dir, j.cell.Path() + "/" + checkpointFolder}
}

func (c checkpoints) folder() string { return filepath.Join(c.dir.Path, filepath.FromSlash(c.at)) }

func (c checkpoints) Load(name string) ([]byte, error) {
	raw, err := record.ReadFile(filepath.Join(c.folder(), filepath.Base(name)), maxCheckpoint)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return raw, err
}

func (c checkpoints) Save(name string, state []byte) error {
	return c.dir.Write(c.at+"/"+filepath.Base(name), func(w io.Writer) error {
		_, err := w.Write(state)
		return err
	})
}

// remove deletes them all.
func (c checkpoints) remove() error {
	err := c.dir.Remove(c.at)
	os.Remove(c.folder())
	return err
}
