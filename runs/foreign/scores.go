package foreign

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"plumbline/data"
	"plumbline/data/export"
	"plumbline/models"
	"plumbline/runs/record"
)

// Scores are scores that a method elsewhere gave the rows of a data set, from a CSV file with the columns row and
// score: row is the number of a row of the data set's table, from 0, as "data export --prepared" writes it, and a
// higher score is more anomalous. Every test row needs one, and the held-out rows do where a threshold is to be fitted.
type Scores struct {
	// file of the scores, compressed or not; {data}, {label}, {seed} and {fold} stand for those of the cell. A relative
	// name is looked for beside the experiment file, then where data files are
	File string `yaml:"file"`
	// manifest.json of the exported data that the scores were made from, named like file: its hash of the test part must
	// be that of the cell. Empty: only row numbers are checked, and the comparison says so
	Manifest string `yaml:"manifest"`

	name string
}

const scores = "scores"

func init() {
	for _, labels := range []models.Labels{models.NoLabels, models.AllLabels} {
		name, doc := scores, "Scores that a method elsewhere gave the rows, from a CSV file of row and score."
		if labels.Any() {
			name, doc = scores+"_labels", "The same of a method that learnt from labels."
		}
		models.Register(models.Info{
			Name: name, Doc: doc, Paper: "none: the method is elsewhere",
			Needs:    models.Needs{Input: data.Vectors, Labels: labels},
			Seeded:   func(s models.Spec) bool { return strings.Contains(s.(*Scores).File, "{seed}") },
			Defaults: func() models.Spec { return &Scores{name: name} },
		})
	}
}

// New checks the names.
func (c *Scores) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(c.name, c); err != nil {
		return nil, err
	}
	if c.File == "" {
		return nil, fmt.Errorf("%s: %w: params.file must name the file of scores", c.name, models.ErrSpec)
	}
	for _, text := range []string{c.File, c.Manifest} {
		if name, bad := unknownPlaceholder(text); bad {
			return nil, fmt.Errorf("%s: %w: {%s} in %q stands for nothing; known: {%s}", c.name, models.ErrSpec, name, text,
				strings.Join(placeholders, "}, {"))
		}
	}
	return &scoresDetector{cell{model: c.name, env: env}, *c}, nil
}

type scoresDetector struct {
	cell
	spec Scores
}

// Fit reads the file and checks it against the cell's data.
func (d *scoresDetector) Fit(_ context.Context, _ *data.Set) error {
	d.table, d.warnings = nil, nil
	if d.at == nil {
		return fmt.Errorf("%s: %w", d.model, errNoCell)
	}
	t, err := d.read()
	if err != nil {
		return fmt.Errorf("%s: %w", d.model, err)
	}
	d.table = t
	return nil
}

func (d *scoresDetector) read() (*table, error) {
	name := d.fill(d.spec.File)
	path, err := d.at.Find(name)
	if err != nil {
		return nil, err
	}
	from := origin{}
	if d.spec.Manifest == "" {
		d.warnings = append(d.warnings, "scores from a file of which only the row numbers are checked, not that they were "+
			"made from these rows (params.manifest)")
	} else {
		file, err := d.checkManifest()
		if err != nil {
			return nil, err
		}
		from.Files = append(from.Files, file)
	}
	t, err := readTable(path, path, d.at.Prepared.Info.Rows)
	if err != nil {
		return nil, err
	}
	if err := t.agrees(d.at.Prepared.Test); err != nil {
		return nil, err
	}
	from.Files = append(from.Files, originFile{name, t.bytes, t.sum})
	return t, d.at.Files.WriteJSON("origin.json", from)
}

// checkManifest checks the manifest of the exported data against the cell's.
func (d *scoresDetector) checkManifest() (originFile, error) {
	name := d.fill(d.spec.Manifest)
	path, err := d.at.Find(name)
	if err != nil {
		return originFile{}, err
	}
	raw, err := record.ReadFile(path, record.MaxJSON)
	if err != nil {
		return originFile{}, err
	}
	var m export.SetManifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return originFile{}, fmt.Errorf("%s: %w", path, err)
	}
	test, ok := m.Parts["test"]
	switch {
	case !ok:
		return originFile{}, fmt.Errorf("%s: it has no test part, of which every row needs a score", path)
	case m.Data != d.at.Data || m.Fold != d.at.Fold:
		return originFile{}, fmt.Errorf("%s: it is of data set %q, fold %q; the cell is of %q, fold %q", path,
			m.Data, m.Fold, d.at.Data, d.at.Fold)
	case test.Matrix != d.at.Sets.TestSum:
		return originFile{}, fmt.Errorf("%s: its test part has sha256 %.12s…, the cell's has %.12s…: the scores are of "+
			"other values", path, test.Matrix, d.at.Sets.TestSum)
	}
	sum := record.SumOf(raw)
	return originFile{filepath.Base(name), sum.Bytes, sum.SHA256}, nil
}
