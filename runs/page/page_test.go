package page

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// TestWrite: the body shows the view, scripts get the data, and texts of either do nothing.
func TestWrite(t *testing.T) {
	const hostile = `</script><script>alert(1)</script><b onclick="x">"'&` + "\u202e\u2066\x1b\x7f\u009b\U000e0041"
	p := New(`<h1>{{.Name}}</h1><p title="{{.Name}}"></p>`, ".own{}", "/* own */")
	for _, served := range []bool{false, true} {
		var b strings.Builder
		err := p.Write(&b, Head{Title: hostile, Served: served}, map[string]string{"Name": hostile},
			map[string]any{"name": hostile})
		if err != nil {
			t.Fatal(err)
		}
		text := b.String()
		if n := strings.Count(text, "<script"); n != 2 {
			t.Errorf("%d scripts, want the data and the page's", n)
		}
		if strings.Contains(text, "<b ") || strings.Contains(text, "alert(1)</script>") {
			t.Errorf("a text became markup: %s", text)
		}
		if i := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' && r != ' ' }); i >= 0 {
			t.Errorf("%q is in the page", text[i:i+4])
		}
		for _, want := range []string{".own{}", "/* own */", "default-src 'none'", "function unpack"} {
			if !strings.Contains(text, want) {
				t.Errorf("the page lacks %s", want)
			}
		}
		if got := strings.Contains(text, "connect-src 'self'"); got != served {
			t.Errorf("served %v, may ask %v", served, got)
		}
		_, raw, _ := strings.Cut(text, `id="data">`)
		raw, _, _ = strings.Cut(raw, "</script>")
		var data map[string]string
		if err := json.Unmarshal([]byte(raw), &data); err != nil || data["name"] != hostile {
			t.Errorf("scripts get %q, %v", data, err)
		}
	}
	if err := p.Write(&strings.Builder{}, Head{}, nil, math.NaN()); err == nil {
		t.Error("data that JSON cannot hold is no error")
	}
	if err := p.Write(&strings.Builder{}, Head{}, func() {}, 1); err == nil {
		t.Error("a view without what the body shows is no error")
	}
}

// TestPack: little-endian, whatever the machine.
func TestPack(t *testing.T) {
	for _, c := range []struct {
		got  Packed
		kind string
		want []byte
	}{
		{Pack([]uint8{1, 255}), "u8", []byte{1, 255}},
		{Pack([]uint16{258}), "u16", []byte{2, 1}},
		{Pack([]uint32{1 << 31}), "u32", []byte{0, 0, 0, 128}},
		{Pack([]int32{-2}), "i32", []byte{254, 255, 255, 255}},
		{Pack([]float32{1}), "f32", []byte{0, 0, 128, 63}},
		{Pack([]float32(nil)), "f32", nil},
	} {
		raw, err := base64.StdEncoding.DecodeString(c.got.Bytes)
		if err != nil || c.got.Kind != c.kind || !slices.Equal(raw, c.want) {
			t.Errorf("%+v, want %s %v", c.got, c.kind, c.want)
		}
	}
}

// TestTableOf: columns of numbers are packed, those with any other text are not.
func TestTableOf(t *testing.T) {
	got := TableOf([][]string{{"x", "class", "y", "share"}, {"0.5", "scan", "", "1"}, {"2", "7", "3", ""}})
	if x := got.Columns[0].(Packed); x != Pack([]float32{0.5, 2}) {
		t.Error(x)
	}
	if c := got.Columns[1].([]string); !slices.Equal(c, []string{"scan", "7"}) {
		t.Error(c)
	}
	if v := got.Columns[3].(Packed); v != Shares([]float32{1, float32(math.NaN())}) || v.Kind != "share" {
		t.Error(v)
	}
	if y := got.Columns[2].(Packed); y != Pack([]float32{float32(math.NaN()), 3}) {
		t.Error(y)
	}
}
