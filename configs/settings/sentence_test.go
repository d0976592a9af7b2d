package settings

import "testing"

func TestFirstSentence(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "",
		"One.":                                 "One",
		"Hosts as in V. Serentellos 2020. Two": "Hosts as in V. Serentellos 2020",
		"Flows of e.g. a bot. Next":            "Flows of e.g. a bot",
		"Sizes of Cao and others (see p. 3). It runs\n on two  lines.": "Sizes of Cao and others (see p. 3)",
		"V. Serentellos": "V. Serentellos",
		"É. Durand. Ö":   "É. Durand",
	} {
		if got := FirstSentence(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
