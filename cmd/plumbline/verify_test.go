package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// TestVerify: a run and its repetition are equal; one with another seed is not, and verify says where.
func TestVerify(t *testing.T) {
	one, root := runDir(t)
	run := func(args ...string) string {
		t.Helper()
		code, out, errOut := plumb(t, append([]string{"run", "--quiet", "--out", root}, args...)...)
		if code != exitOK {
			t.Fatal(errOut)
		}
		lines := strings.Split(strings.TrimSpace(out), "\n")
		return lines[len(lines)-1]
	}
	again := run(one+"/experiment.yaml", "workers=1")
	code, out, errOut := plumb(t, "verify", one, again)
	if code != exitOK || !strings.Contains(out, "equal: 4 cells, scores of 4") {
		t.Errorf("a repetition: exit %d: %s%s", code, out, errOut)
	}
	code, out, errOut = plumb(t, "verify", one)
	if code != exitOK || !strings.Contains(out, "4 byte-equal, 0 tolerance-equal, 0 different") {
		t.Errorf("carried out again: exit %d: %s%s", code, out, errOut)
	}
	other := run(one+"/experiment.yaml", "models.2.trees=21")
	code, out, _ = plumb(t, "verify", one, other, "--all")
	if code != exitFailed || !strings.Contains(out, "cells/synth/iforest/s1: auroc: ") ||
		!strings.Contains(out, "cells/synth/iforest/s2: scores (") || strings.Contains(out, "znorm") {
		t.Errorf("other settings: exit %d: %s", code, out)
	}
	reseeded := run(one+"/experiment.yaml", "seeds=[1,3]")
	code, out, _ = plumb(t, "verify", one, reseeded, "--all")
	if code != exitFailed || !strings.Contains(out, "cells/synth/iforest/s2: cell: is there, is not there") ||
		!strings.Contains(out, "cells/synth/iforest/s3: cell: is not there, is there") ||
		!strings.Contains(out, "different: 3 cells, scores of 3: 3 byte-equal") {
		t.Errorf("another seed: exit %d: %s", code, out)
	}
	var v struct {
		Cells       int
		Differences []struct{ Cell, What, One, Two string }
	}
	code, out, _ = plumb(t, "verify", one, other, "--json")
	if err := json.Unmarshal([]byte(out), &v); err != nil || code != exitFailed || v.Cells != 4 ||
		len(v.Differences) < 2 || !strings.HasPrefix(v.Differences[0].Cell, "cells/synth/iforest/") {
		t.Errorf("exit %d, %v: %s", code, err, out)
	}
	if code, _, errOut := plumb(t, "verify", one, t.TempDir()); code != exitUsage ||
		!strings.Contains(errOut, "has no results.csv") {
		t.Errorf("no run: exit %d: %s", code, errOut)
	}
}

// TestVerifyReference: models of the quickstart give here what they gave where they were measured, with the same seeds
// and with others; other settings are not held to it.
func TestVerifyReference(t *testing.T) {
	root := t.TempDir()
	for name, c := range map[string]struct {
		overrides []string
		want      string
	}{
		"same":     {[]string{"models=[znorm,pca]"}, "4 within the band, 0 outside, 0 not comparable"},
		"seeds":    {[]string{"models=[iforest]", "seeds=[11,12]"}, "2 within the band, 0 outside, 0 not comparable"},
		"settings": {[]string{"models=[iforest]", "+models.0.trees=3", "seeds=[1]"}, "not comparable: other settings"},
	} {
		out := filepath.Join(root, name)
		args := append([]string{"run", "quickstart", "controls=off", "bootstrap=0", "--out", out, "--quiet"}, c.overrides...)
		if code, _, errOut := plumb(t, args...); code != 0 {
			t.Fatal(errOut)
		}
		dirs, _ := filepath.Glob(filepath.Join(out, "*"))
		code, text, errOut := plumb(t, "verify", dirs[0], "--reference")
		if code != 0 || !strings.Contains(text, c.want) {
			t.Errorf("%s: exit %d, want %q:\n%s%s", name, code, c.want, text, errOut)
		}
	}
}
