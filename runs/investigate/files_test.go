package investigate_test

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"plumbline/configs"
	"plumbline/data"
	"plumbline/data/export"
	"plumbline/data/pseudonym"
	"plumbline/data/source"
	"plumbline/runs"
	"plumbline/runs/bundle"
	"plumbline/runs/experiment"
	"plumbline/runs/investigate"
	"plumbline/runs/runstest"
)

// TestFiles: the alarms of a file are those of its scores, sorted by the causes that a cell's have; with a key no
// address of the file is shown.
func TestFiles(t *testing.T) {
	e := runstest.Load(t, "name: files\ndata: [{data: synth, options: {hosts: 6, hours: 12, rate: 3}}]\n"+
		"models: [znorm, sequent]\nthreshold: {rule: fpr, value: 0.05}\nbootstrap: 0\naudit: off\n")
	out, err := runs.Run(context.Background(), e, runs.Options{Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	table, _, err := source.Read(context.Background(), e.Sets[0].Config, e.Finder, 1)
	if err != nil {
		t.Fatal(err)
	}
	table.Attack, table.Class, table.Classes = nil, nil, nil
	path := filepath.Join(t.TempDir(), "flows.csv")
	if _, err := export.Export(context.Background(), table, path, nil); err != nil {
		t.Fatal(err)
	}
	for _, r := range out.Results {
		b, err := bundle.Load(filepath.Join(out.Dir, r.Cell))
		if err != nil {
			t.Fatal(err)
		}
		in, err := b.Input(context.Background(), []string{path}, bundle.InputOptions{
			Library: experiment.NewLibrary("", configs.Files)})
		if err != nil {
			t.Fatal(err)
		}
		inv, err := investigate.Files(context.Background(), b, in, investigate.FileOptions{})
		if err != nil {
			t.Fatal(err)
		}
		scored, err := b.Score(context.Background(), table)
		if err != nil {
			t.Fatal(err)
		}
		want := 0
		for _, v := range scored.Raw {
			if v > scored.Limit {
				want++
			}
		}
		if inv.Alarms != want || want == 0 || r.Label == "znorm" && len(inv.Groups) < 2 || !inv.Reasons ||
			inv.Samples != scored.Samples.N {
			t.Errorf("%s: %d alarms of %d in %d groups, want %d", r.Label, inv.Alarms, inv.Samples, len(inv.Groups), want)
		}
		for k := 1; k < len(inv.Groups); k++ {
			if inv.Groups[k].Alarms > inv.Groups[k-1].Alarms {
				t.Errorf("%s: group %d is larger than the one before", r.Label, k+1)
			}
		}
		if f := inv.Groups[0].Flows[0]; !strings.HasPrefix(f.Where, path+":") {
			t.Errorf("%s: the first flow is at %s", r.Label, f.Where)
		}
		m, err := pseudonym.New(make([]byte, pseudonym.KeySize))
		if err != nil {
			t.Fatal(err)
		}
		hidden, err := investigate.Files(context.Background(), b, in, investigate.FileOptions{Pseudonyms: m})
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if err := hidden.WriteCSV(&text); err != nil || hidden.Alarms != want {
			t.Fatal(err, hidden.Alarms)
		}
		for i := range table.Columns {
			c := &table.Columns[i]
			for _, l := range c.Levels {
				if c.Type == data.Address && strings.Contains(text.String(), ","+l+",") {
					t.Fatalf("%s: the address %s is shown", r.Label, l)
				}
			}
		}
	}
}
