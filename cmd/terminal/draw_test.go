package terminal

import (
	"bytes"
	"math"
	"testing"
)

func TestBars(t *testing.T) {
	if got := Bars([]float64{0, 1, 2, 4, 8, math.NaN(), -3}); got != "▁▂▃▅█ ▁" {
		t.Error(got)
	}
	if got := Bars([]float64{0, 0}) + Bars(nil); got != "▁▁" {
		t.Error(got)
	}
	if got := Bars([]float64{math.Inf(1), 1}); got != "██" {
		t.Error(got)
	}
}

func TestStrip(t *testing.T) {
	nan := math.NaN()
	for want, got := range map[string]string{
		"  ──●── ": Strip(0.25, 0.58, 0.85, 0, 1, 8),
		"●       ": Strip(nan, -1, nan, 0, 1, 8),
		"        ": Strip(0, nan, 1, 0, 1, 8),
		"   ":      Strip(0, 1, 1, 1, 1, 3),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestDraws(t *testing.T) {
	for want, env := range map[bool][]map[string]string{
		true:  {{"LANG": "C.UTF-8"}, {"LC_ALL": "en_US.utf8", "LANG": "C"}, {"LC_CTYPE": "de_DE.UTF-8", "LANG": "C"}},
		false: {{}, {"LANG": "C"}, {"LC_ALL": "POSIX", "LANG": "C.UTF-8"}},
	} {
		for _, e := range env {
			if got := utf8Locale(func(name string) string { return e[name] }); got != want {
				t.Errorf("%v: %v", e, got)
			}
		}
	}
	if Draws(&bytes.Buffer{}) {
		t.Error("a buffer is a terminal")
	}
}
