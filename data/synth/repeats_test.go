package synth

import (
	"encoding/binary"
	"hash/fnv"
	"testing"

	"plumbline/data/source"
	"plumbline/data/source/sourcetest"
	"plumbline/data/split"
)

// TestRepeatsOfSimulatedFlows: on the flows of the quickstart no two of 1,000 repeats test on the same rows.
func TestRepeatsOfSimulatedFlows(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("1,000 splits of 17,000 rows, twice")
	}
	table, _, err := source.Read(t.Context(), sourcetest.Config(t, synthConfig), source.Finder{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []split.SplitSpec{
		{Kind: "repeated", Folds: 1000, Test: 0.3, Validation: 0.2, Attacks: "split", Within: "all", Seed: 1},
		{Kind: "kfold", Folds: 5, Repeats: 200, Validation: 0.2, Attacks: "split", Within: "all", Seed: 1},
	} {
		names := s.FoldNames()
		if len(names) != 1000 {
			t.Fatalf("%s has %d folds", s.Kind, len(names))
		}
		seen := map[uint64]string{}
		for k, name := range names {
			sp, err := s.Fold(table, k)
			if err != nil {
				t.Fatal(err)
			}
			h := fnv.New64a()
			var raw []byte
			for _, r := range sp.Test {
				raw = binary.LittleEndian.AppendUint32(raw, uint32(r))
			}
			h.Write(raw)
			if other, twice := seen[h.Sum64()]; twice {
				t.Fatalf("%s: %s and %s test on the same rows", s.Kind, other, name)
			}
			seen[h.Sum64()] = name
		}
	}
}
