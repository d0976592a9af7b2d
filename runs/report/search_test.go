package report

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plumbline/runs/page/pagetest"
)

// trialsFile is a search of one model, its best trial the third, with a name that would be markup.
const trialsFile = "data,label,trial,chosen,status,value,sd,error,models.m.rate,models.m.kind,models.m.layers\n" +
	"d,<b>m</b>,0,false,ok,0.5,,,,,\n" +
	"d,<b>m</b>,1,false,ok,0.6,,,0.001,a,2\n" +
	"d,<b>m</b>,2,true,ok,0.9,,,1,b,3\n" +
	"d,<b>m</b>,3,false,failed,,,no memory,10,,\n"

// TestSearch: the page says what was found and what it is better than; other directories are none of a search.
func TestSearch(t *testing.T) {
	dir := t.TempDir()
	var b bytes.Buffer
	if is, err := WriteSearch(&b, dir); is || err != nil {
		t.Errorf("an empty directory: %v, %v", is, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "trials.csv"), []byte(trialsFile), 0o644); err != nil {
		t.Fatal(err)
	}
	if is, err := WriteSearch(&b, dir); !is || err != nil {
		t.Fatal(is, err)
	}
	for _, want := range []string{"the best of 3 trials has the objective 0.900, where the file&#39;s own settings have " +
		"0.500: models.m.rate = 1, models.m.kind = b, models.m.layers = 3. 1 trial without an objective.", "&lt;b&gt;m"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(b.String(), "<b>m</b>") {
		t.Error("a name is markup")
	}
	file := filepath.Join(t.TempDir(), "search.html")
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	browser := pagetest.Start(t)
	for _, s := range pagetest.Screens {
		tab := browser.Open(t, file, s)
		tab.Run(`document.querySelector("details").open = true`)
		tab.Fits()
		tab.Quiet()
		tab.Picture("search-" + s.String())
	}
}
