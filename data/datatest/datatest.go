// Package datatest lends tests the folder of real data sets, which is not part of the project.
package datatest

import (
	"os"
	"path/filepath"
	"testing"
)

// Dir is $PLUMBLINE_DATA when it holds the named file or folder. Otherwise the test is skipped with the
// reason, or fails when PLUMBLINE_REQUIRE_DATA=1.
func Dir(tb testing.TB, needs string) string {
	tb.Helper()
	dir := os.Getenv("PLUMBLINE_DATA")
	missing := "$PLUMBLINE_DATA is not set"
	if dir != "" {
		if _, err := os.Stat(filepath.Join(dir, needs)); err == nil {
			return dir
		}
		missing = "$PLUMBLINE_DATA has no " + needs
	}
	if os.Getenv("PLUMBLINE_REQUIRE_DATA") == "1" {
		tb.Fatalf("real data is required (PLUMBLINE_REQUIRE_DATA=1): %s", missing)
	}
	tb.Skipf("needs real data: %s", missing)
	return ""
}
