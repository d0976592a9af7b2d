package foreign

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"plumbline/data"
	"plumbline/data/export"
	"plumbline/runs/prepare"
)

// Part is a part of a fold to be written: attack and class are where the set has them.
type Part struct {
	Name string // train, valid or test
	Set  *data.Set
	Sum  string // hash of its values
}

// manifestName is the file of a folder that says what else is in it.
const manifestName = "manifest.json"

// WriteFolder writes parts of a fold, as a model sees them, to a folder, which is made, and says in its manifest.json
// what they are. The format is one of [export.SetFormats], program the version of the program.
func WriteFolder(
	ctx context.Context, folder, format, program string, p *prepare.Prepared, fold string, parts []Part,
) (*export.SetManifest, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("foreign: %w", err)
	}
	m := &export.SetManifest{
		Program: program, Data: p.Set.Config.Name, Fold: fold, Format: format, Features: p.Pipe.Columns(),
		Sources: []export.SetFile{}, Parts: map[string]export.SetPart{},
	}
	for _, f := range p.Info.Files {
		m.Sources = append(m.Sources, export.SetFile{Name: f.Name, Bytes: f.Bytes, SHA256: f.SHA256})
	}
	for _, part := range parts {
		s := part.Set
		files, err := export.WriteSet(ctx, folder, part.Name, format, s)
		if err != nil {
			return nil, err
		}
		m.Parts[part.Name] = export.SetPart{
			Samples: s.N, Columns: s.D, Matrix: part.Sum, Labels: s.Attack != nil, Files: files,
		}
		if s.Attack != nil {
			m.Classes = s.Classes
		}
	}
	return m, writeJSON(filepath.Join(folder, manifestName), m)
}

func writeJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err == nil {
		err = os.WriteFile(path, append(text, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("foreign: %w", err)
	}
	return nil
}
