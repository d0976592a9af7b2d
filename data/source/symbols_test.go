package source

import (
	"slices"
	"strings"
	"testing"
)

// FuzzStrings: whatever the text, an error or a table that holds together.
func FuzzStrings(f *testing.F) {
	f.Add("State,kind\naB*,Normal\n\"x\",Botnet\n")
	f.Add("kind,State,kind\n\"a\nb\",,\n")
	f.Fuzz(func(t *testing.T, text string) {
		tb, _, err := readText(
			t,
			"\nname: own\nformat: strings\nfiles: {train: [flows.csv]}\nlabel: {column: class, benign: [Normal]}\n"+
				"options: {text: State, class: kind}\n",
			text,
			1,
		)
		if err != nil {
			return
		}
		for i := range tb.Columns {
			if c := &tb.Columns[i]; c.Len() != tb.Rows {
				t.Fatalf("column %s has %d values for %d rows", c.Name, c.Len(), tb.Rows)
			}
		}
		if len(tb.Attack) != tb.Rows || tb.Rows == 0 {
			t.Fatalf("%d outcomes for %d rows", len(tb.Attack), tb.Rows)
		}
	})
}

func TestWordTables(t *testing.T) {
	tb, _, err := readText(t, `
name: own
format: abbadingo
files: {train: [flows.csv]}
label: {column: class, benign: ["1"]}
options: {attributes: 2}
`, "3 2:2\n1 2 a:1,2 b:3,4.5\n1 0\n0 1 a:5,6\n", 2)
	if err != nil {
		t.Fatal(err)
	}
	trace, _ := tb.Column("trace")
	symbol, _ := tb.Column("symbol")
	a1, _ := tb.Column("a1")
	if tb.Rows != 3 || trace.Level(2) != "flows.csv:4" || symbol.Level(1) != "b" ||
		!slices.Equal(a1.Num, []float64{2, 4.5, 6}) ||
		!slices.Equal(tb.Attack, []bool{false, false, true}) ||
		tb.Where(2) != "flows.csv:4" {
		t.Errorf("%+v", tb)
	}
	const letters = "\nname: own\nformat: strings\nfiles: {train: [flows.csv]}\n" +
		"label: {column: class, benign: [Normal]}\noptions: {text: State, class: kind}\n"
	tb, _, err = readText(t, letters, "\ufeffState,kind\naB*,Normal\n\"x\",Botnet\n", 2)
	if err != nil {
		t.Fatal(err)
	}
	symbol, _ = tb.Column("symbol")
	if tb.Rows != 4 || symbol.Level(1) != "B" || !slices.Equal(tb.Attack, []bool{false, false, false, true}) {
		t.Errorf("%+v", tb)
	}
	for text, want := range map[string]string{"": "empty", "State,class\na,b\n": `want columns "State" and "kind"`, "State,kind\na\n": "wrong number of fields", "State,kind\n": "no data rows"} {
		if _, _, err := readText(t, letters, text, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
