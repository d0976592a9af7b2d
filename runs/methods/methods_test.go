package methods

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/configs/settings"
	"plumbline/models"
	_ "plumbline/models/all"
)

// TestTakeApart: authors, title and the rest of citations of either form.
func TestTakeApart(t *testing.T) {
	for text, want := range map[string]reference{
		"M. Tavallaee, E. Bagheri. A detailed analysis of the KDD CUP 99 data set. IEEE CISDA 2009.": {
			authors: []string{"M. Tavallaee", "E. Bagheri"}, title: "A detailed analysis of the KDD CUP 99 data set",
			where: "IEEE CISDA 2009", year: "2009"},
		"Stony Brook. ODDS library. 2016": {authors: []string{"{Stony Brook}"}, title: "ODDS library", where: "2016",
			year: "2016"},
		"Liu, Ting and Zhou, Isolation forest, ICDM 2008": {authors: []string{"Liu", "Ting", "Zhou"},
			title: "Isolation forest", where: "ICDM 2008", year: "2008"},
		"Pevný, Loda: lightweight on-line detector of anomalies, Machine Learning 102, 2016": {authors: []string{"Pevný"},
			title: "Loda: lightweight on-line detector of anomalies", where: "Machine Learning 102, 2016", year: "2016"},
		"after L. Ruff, K.-R. Müller, A. van den Hengel, Title, ICLR 2020; as in S. Winiecki's comparison of 2025": {
			authors: []string{"L. Ruff", "K.-R. Müller", "A. van den Hengel"}, title: "Title", where: "ICLR 2020", year: "2020",
			note: "as in S. Winiecki's comparison of 2025"},
	} {
		if diff := cmp.Diff(want, takeApart(text), cmp.AllowUnexported(reference{})); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

// TestEveryReference: of each model and each shipped data set, authors and a title are found, and no word is lost.
func TestEveryReference(t *testing.T) {
	texts := map[string]string{}
	for _, name := range models.Names() {
		info, err := models.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = info.Paper
	}
	files, err := filepath.Glob("../../configs/data/*.yaml")
	if err != nil || len(files) < 40 {
		t.Fatal(len(files), err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := settings.Parse(file, raw)
		if err != nil {
			t.Fatal(err)
		}
		if d, ok := doc.Get("citation"); ok {
			texts[filepath.Base(file)], _ = d.Scalar()
		}
	}
	words := func(s string) []string {
		out := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" ,.;{}\n", r) })
		out = slices.DeleteFunc(out, func(w string) bool { return w == "and" })
		slices.Sort(out)
		return out
	}
	// bodies that are named without a title
	bodies := []string{"ctu-argus.yaml", "stratosphere-008.yaml"}
	for name, text := range texts {
		var refs references
		key := refs.add("x", name, text, "")
		if strings.HasPrefix(text, "none") {
			if key != "" {
				t.Errorf("%s: %q has the key %s", name, text, key)
			}
			continue
		}
		r := refs.list[0]
		if r.title == "" || len(r.authors) == 0 && !slices.Contains(bodies, name) {
			t.Errorf("%s: %q: %+v", name, text, r)
		}
		for _, lead := range []string{"after ", "symbolic baseline of ", "baseline of "} {
			text = strings.TrimPrefix(text, lead)
		}
		got := words(strings.Join(append(r.authors, r.title, r.where, r.note), " "))
		if diff := cmp.Diff(words(text), got); diff != "" {
			t.Errorf("%s: words of %q: %s", name, text, diff)
		}
		var b strings.Builder
		if refs.bibtex(&b); strings.Contains(b.String(), "[U+") {
			t.Errorf("%s: a letter that LaTeX would not show: %s", name, b.String())
		}
	}
}

// TestDiffering: settings that differ, nested ones by their paths.
func TestDiffering(t *testing.T) {
	mine := map[string]any{"a": 1, "b": map[string]any{"c": 0.5, "d": []any{1, 2}}, "e": "x"}
	other := map[string]any{"a": 1, "b": map[string]any{"c": 0.25, "d": []any{1, 3}}, "e": "x"}
	if diff := cmp.Diff([]string{"b.c 0.5", "b.d [1, 2]"}, differing("", mine, other)); diff != "" {
		t.Error(diff)
	}
}
