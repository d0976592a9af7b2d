package corpus

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const flexfringe = "time,id:src,id:dst,symb:proto,symb:size,type:label,eval:note\n" +
	"1,a,b,tcp,1,ok,x\n2,a,c,udp,2,ok,x\n3,a,b, tcp ,1,bad,x\n4,a,b,udp,2,ok,x\n"

func TestFlexFringeCSV(t *testing.T) {
	whole := &Corpus{
		Alphabet: []string{"tcp__1", "udp__2"}, Types: []string{"ok", "bad"},
		Symbols: []int32{0, 0, 1, 1}, Ends: []int{3, 4}, Type: []int32{0, 0},
	}
	windows := &Corpus{
		Alphabet: []string{"tcp__1", "udp__2"}, Types: []string{"ok", "bad"},
		Symbols: []int32{0, 0, 0, 1}, Ends: []int{2, 4}, Type: []int32{1, 0},
	}
	for size, want := range map[int]*Corpus{0: whole, 2: windows} {
		var got Corpus
		if err := ReadFlexFringeCSV(strings.NewReader(flexfringe), "x.csv", size, 1, &got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, &got); d != "" {
			t.Errorf("windows of %d: %s", size, d)
		}
	}
	var bare Corpus
	if err := ReadFlexFringeCSV(strings.NewReader("\xef\xbb\xbfsymb\na\nb\n"), "x.csv", 0, 1, &bare); err != nil {
		t.Fatal(err)
	}
	if bare.Len() != 1 || bare.Types[0] != "0" || len(bare.Trace(0)) != 2 {
		t.Errorf("a symbol column alone gives %+v", bare)
	}
}

func TestFlexFringeCSVErrors(t *testing.T) {
	for _, c := range []struct {
		text         string
		size, stride int
		want         string
	}{
		{"", 0, 1, "x.csv: empty file"},
		{"id,type\na,b\n", 0, 1, `x.csv:1:1: no column is a symbol`},
		{"id,symb\na,b\na,\n", 0, 1, "x.csv:3:3: symbol without a name"},
		{"id,symb\na,b\na,b,c\n", 0, 1, "x.csv:3:1: wrong number of fields"},
		{"id,symb\na,\"b\n", 0, 1, "x.csv:2:"},
		{"id,symb\na,b\n", 3, 4, "windows of 3 rows moved on by 4"},
		{"id,symb\na,b\n", -1, 1, "windows of -1 rows"},
	} {
		err := ReadFlexFringeCSV(strings.NewReader(c.text), "x.csv", c.size, c.stride, &Corpus{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want %q", c.text, err, c.want)
		}
	}
}

// FuzzFlexFringeCSV: whatever the bytes, the traces are consistent or there is an error.
func FuzzFlexFringeCSV(f *testing.F) {
	f.Add(flexfringe, 0, 1)
	f.Add(flexfringe, 2, 2)
	f.Add("symb\n\"\"\n", 1, 1)
	f.Fuzz(func(t *testing.T, text string, size, stride int) {
		var c Corpus
		if err := ReadFlexFringeCSV(strings.NewReader(text), "x.csv", size, stride, &c); err != nil {
			return
		}
		if len(c.Type) != c.Len() || c.Len() > 0 && c.Ends[c.Len()-1] != len(c.Symbols) {
			t.Fatalf("%d labels, %d traces, %d symbols", len(c.Type), c.Len(), len(c.Symbols))
		}
		for i := range c.Len() {
			if size > 0 && len(c.Trace(i)) != size {
				t.Fatalf("window of %d", len(c.Trace(i)))
			}
			for _, a := range c.Trace(i) {
				if c.Alphabet[a] == "" {
					t.Fatal("symbol without a name")
				}
			}
		}
	})
}
