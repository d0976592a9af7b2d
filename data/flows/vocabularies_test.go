package flows

import (
	"bytes"
	"context"
	"os"
	"testing"

	"plumbline/data/packets"
	"plumbline/data/rows"
	"plumbline/data/synth/capture"
)

// everyVocabulary is all of them, with the settings that change what they keep.
func everyVocabulary() map[string]Vocabulary {
	all := map[string]Vocabulary{
		"argus every 5 s":  &Argus{Interval: 5, States: "words"},
		"netflow merged":   &NetFlow{Layout: "nfdump", Merged: true, Active: 10, Idle: 5},
		"netflow nf-v2":    &NetFlow{Layout: "nf-v2"},
		"cic as published": &CIC{AsPublished: true},
	}
	for _, name := range Names() {
		info, err := Lookup(name)
		if err != nil {
			panic(err)
		}
		all[name] = info.New()
	}
	return all
}

// FuzzVocabularies: no capture makes any vocabulary panic, or write a record with too many values or too few.
func FuzzVocabularies(f *testing.F) {
	s := capture.Default()
	s.Minutes, s.Clients, s.Rate, s.AttackFrom, s.Snaplen = 0.02, 2, 20, 0, 128
	var b bytes.Buffer
	if _, err := s.Write(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes()[:min(b.Len(), 2000)])
	if raw, err := os.ReadFile(os.Getenv("PLUMBLINE_DATA") + "/pcap/test12-icmp-portscan.pcap"); err == nil {
		f.Add(raw)
	}
	all := everyVocabulary()
	for _, v := range all {
		if err := v.Check(); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		if len(file) > 4096 {
			return
		}
		for name, v := range all {
			specs := v.Columns()
			r := packets.NewReader([]packets.File{inMemory(file)})
			_, err := Build(context.Background(), r, v, Settings{MaxOpen: 100}, specs, make([]bool, len(specs)), 1,
				func(c *rows.Chunk, _ int) error {
					for i := range c.Columns {
						col := &c.Columns[i]
						if n := len(col.Num) + len(col.Nanos) + len(col.Code); n != len(c.Lines) {
							t.Fatalf("%s: %d values of %s for %d records", name, n, specs[i].Name, len(c.Lines))
						}
					}
					return nil
				})
			if err != nil {
				return // it is no capture
			}
		}
	})
}
