package corpus

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadAbbadingo(t *testing.T) {
	for _, c := range []struct {
		name, text string
		dialect    AbbadingoDialect
		want       Corpus
		err        string
	}{
		{name: "plain, trailing blank, empty trace, CRLF", text: "3 2\r\n1 2 b a \r\n0 0\r\n1 1 a", want: Corpus{
			Alphabet: []string{"b", "a"}, Types: []string{"1", "0"}, Symbols: []int32{0, 1, 1},
			Ends: []int{2, 2, 3}, Type: []int32{0, 1, 0}}},
		{name: "pautomac", dialect: PAutomaC, text: "2 3\n2 0 2\n0\n", want: Corpus{
			Alphabet: []string{"0", "2"}, Types: []string{"1"}, Symbols: []int32{0, 1}, Ends: []int{2, 2}, Type: []int32{0, 0}}},
		{name: "attributes by number", text: "1 100:2\n1 2 0:6,52 0:17,-1.5\n", want: Corpus{
			Alphabet: []string{"0"}, Types: []string{"1"}, Symbols: []int32{0, 0},
			Ends: []int{2}, Type: []int32{0}, Attributes: []float64{6, 52, 17, -1.5}, Width: 2}},
		{name: "attributes by name, trace attributes and data ignored",
			text: "1 1:d/x,sf/y\nok 1:3.0 a:1.0,2.0/raw\n", want: Corpus{
				Alphabet: []string{"a"}, Types: []string{"ok"}, Symbols: []int32{0},
				Ends: []int{1}, Type: []int32{0}, Attributes: []float64{1, 2}, Width: 2, Names: []string{"x", "y"}}},
		{name: "empty", text: "", err: "f.dat: empty file"},
		{name: "header", text: "7\n", err: "f.dat:1:1: header has 1 words"},
		{name: "too few traces", text: "2 1\n1 1 a\n", err: "announces 2 traces, the file has 1"},
		{name: "too many symbols", text: "1 1\n1 1 a b\n", err: "f.dat:2:7: more than the announced 1"},
		{name: "too few symbols", text: "1 1\n1 3 a b\n", err: "f.dat:2:7: 2 symbols, the line announces 3"},
		{name: "bad length", text: "1 1\n1 x a\n", err: `f.dat:2:3: trace length "x"`},
		{name: "bad attribute", text: "1 1:1\n1 1 a:zz\n", err: `f.dat:2:5: attribute 1 of symbol "a" is "zz"`},
		{name: "missing attribute", text: "1 1:2\n1 1 a:1\n", err: `f.dat:2:5: symbol "a" has 1 attributes, the header announces 2`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got Corpus
			err := ReadAbbadingo(strings.NewReader(c.text), "f.dat", c.dialect, &got)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("error %v, want %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func FuzzReadAbbadingo(f *testing.F) {
	f.Add("2 2\n1 2 a b\n0 0\n", false)
	f.Add("1 100:2\n1 2 0:6,52 0:17,60\n", false)
	f.Add("1 3\n2 0 2\n", true)
	f.Fuzz(func(t *testing.T, text string, pautomac bool) {
		dialect := Abbadingo
		if pautomac {
			dialect = PAutomaC
		}
		var c Corpus
		if err := ReadAbbadingo(strings.NewReader(text), "f", dialect, &c); err != nil {
			return
		}
		if len(c.Type) != c.Len() || len(c.Attributes) != c.Width*len(c.Symbols) {
			t.Fatalf("inconsistent corpus %+v", c)
		}
		for i := range c.Len() {
			for _, s := range c.Trace(i) {
				if int(s) >= len(c.Alphabet) {
					t.Fatalf("symbol %d of %d", s, len(c.Alphabet))
				}
			}
		}
	})
}
