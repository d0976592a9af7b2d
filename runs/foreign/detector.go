package foreign

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"plumbline/data"
	"plumbline/models"
	"plumbline/runs/prepare"
	"plumbline/runs/record"
)

// Place is the cell that a detector is in.
type Place struct {
	Data, Label, Fold string
	Seed              uint64         // of the cell; the model's own may be another
	Folder            string         // of the cell on disk; a program works in a folder of it
	Files             *record.Folder // of the cell
	Prepared          *prepare.Prepared
	Sets              *prepare.Sets // what a model of its kind sees
	Train             bool          // training rows are scored too
	Find              func(name string) (string, error)
	Program           string // version of the program
}

// Detector is a detector from elsewhere. Enter comes before Fit; a detector that is in no cell cannot be fitted.
type Detector interface {
	models.Detector
	Enter(Place)
	// Warnings is what is doubtful about the scores, after Fit.
	Warnings() []string
}

// errNoCell is what a detector says that is in no cell.
var errNoCell = errors.New("it can only be used in a cell of a run")

// cell is what the detectors of this package have in common.
type cell struct {
	model    string
	env      models.Env
	at       *Place
	table    *table
	warnings []string
}

func (c *cell) Enter(p Place)      { c.at = &p }
func (c *cell) Warnings() []string { return c.warnings }

// Score looks the rows of a set up.
func (c *cell) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	if c.table == nil {
		return nil, fmt.Errorf("%s: %w", c.model, models.ErrNotFitted)
	}
	if s == nil {
		return nil, fmt.Errorf("%s: %w: no set", c.model, models.ErrInput)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: score: %w", c.model, err)
	}
	out, err := c.table.of(s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.model, err)
	}
	return out, nil
}

// Save refuses: what was learned is elsewhere.
func (c *cell) Save(io.Writer) error {
	return fmt.Errorf("%s: what was learned is elsewhere and cannot be saved", c.model)
}

// Load refuses.
func (c *cell) Load(io.Reader) error {
	return fmt.Errorf("%s: %w: what was learned is elsewhere", c.model, models.ErrState)
}

// fill puts what names stand for into a text. Where the split has no folds, {fold} goes with the dash or underscore in
// front of it.
func (c *cell) fill(text string) string {
	if c.at.Fold == "" {
		text = strings.NewReplacer("-{fold}", "", "_{fold}", "").Replace(text)
	}
	return strings.NewReplacer("{data}", c.at.Data, "{label}", c.at.Label, "{fold}", c.at.Fold,
		"{seed}", strconv.FormatUint(c.at.Seed, 10), "{model_seed}", strconv.FormatUint(c.env.Seed, 10)).Replace(text)
}

// placeholders are the names that fill knows.
var placeholders = []string{"data", "label", "fold", "seed"}

// unknownPlaceholder is the first name in braces that stands for nothing. Braces around anything but a word are text.
func unknownPlaceholder(text string, more ...string) (string, bool) {
	for rest := text; ; {
		_, after, ok := strings.Cut(rest, "{")
		if !ok {
			return "", false
		}
		name, tail, ok := strings.Cut(after, "}")
		if !ok {
			return "", false
		}
		if isName(name) && !slices.Contains(more, name) && !slices.Contains(placeholders, name) {
			return name, true
		}
		rest = tail
	}
}

// isName says whether a text can stand in braces.
func isName(text string) bool {
	return text != "" && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz_") == ""
}

// origin is origin.json of a cell: where its scores come from.
type origin struct {
	Run   []string     `json:"run,omitempty"`
	Files []originFile `json:"files"`
}

// originFile is a file from elsewhere, by the hash of its uncompressed content.
type originFile struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"` // on disk
	SHA256 string `json:"sha256"`
}
