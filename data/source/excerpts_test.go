package source

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plumbline/data/datatest"
)

// excerpt is real rows of a data set that is too large to have, read with the config that ships.
type excerpt struct {
	config  string
	files   map[string]string // name in the config: file below excerpts, with lines to leave out before a colon
	header  map[string]string // header of files whose excerpt has none
	rows    int
	truth   string // of the first rows
	columns int
	values  map[string]string // column@row: text
}

// body is an excerpt without its first lines that begin with a text.
func body(t *testing.T, dir, file string) string {
	t.Helper()
	comment, name, ok := strings.Cut(file, ":")
	if !ok {
		comment, name = "", file
	}
	raw, err := os.ReadFile(filepath.Join(dir, "excerpts", name))
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	if comment != "" && strings.HasPrefix(text, comment) {
		_, text, _ = strings.Cut(text, "\n")
	}
	return text
}

func TestExcerpts(t *testing.T) {
	for _, e := range excerpts {
		t.Run(e.config, func(t *testing.T) {
			real := datatest.Dir(t, "excerpts")
			c := shippedConfig(t, "../../configs/data/"+e.config+".yaml")
			dir := t.TempDir()
			names := []string{}
			for name, file := range e.files {
				text := e.header[name] + body(t, real, file)
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
				if c.Label.Join == nil || c.Label.Join.Files[0] != name {
					names = append(names, name)
				}
			}
			c.Files = Files{Train: names}
			tb, rep, err := Read(context.Background(), c, Finder{[]string{dir}}, 2)
			if err != nil {
				t.Fatal(err)
			}
			if tb.Rows != e.rows || rep.Bad > 0 || len(tb.Columns) != e.columns {
				t.Errorf("%d rows of %d columns, %d not read; want %d of %d", tb.Rows, len(tb.Columns), rep.Bad, e.rows, e.columns)
			}
			if got := truths(tb); !strings.HasPrefix(got, e.truth) {
				t.Errorf("truth %s, want %s", got, e.truth)
			}
			check(t, tb, truths(tb), e.columns, e.values)
		})
	}
}

var excerpts = []excerpt{
	{
		config: "lanl-2015",
		files: map[string]string{
			"flows.txt":   "#:comp_multi_source_cybersec_events/03.txt",
			"redteam.txt": "#:comp_multi_source_cybersec_events/05.txt",
		},
		rows: 3, truth: "benign | benign | benign", columns: 9,
		values: map[string]string{"time@2": "1970-01-01T00:00:02Z", "destination@0": "C3420", "destination_port@2": "443"},
	},
	{
		config: "ugr16", files: map[string]string{"july.week5.csv": "ugr16/03.txt"},
		rows: 9, truth: "dos* | dos*", columns: 12,
		values: map[string]string{"te@0": "2016-07-28T13:14:17Z", "sa@0": "42.219.150.242", "byt@0": "200", "flg@1": ".A..S."},
	},
}
