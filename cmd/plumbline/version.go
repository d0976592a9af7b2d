package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"plumbline/runs/record"
)

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print version, revision and platform",
		Long:    "version prints the program's version, the revision it was built from, the Go version and the platform.",
		Example: "  plumbline version",
		Args:    needs(0, 0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(a.Out, "plumbline %s\n", program(record.Build()))
			return failed(err)
		},
	}
}

// program is what is known of the program that a manifest names.
func program(m record.Manifest) string {
	revision := m.Revision
	if revision == "" {
		revision = "unknown revision"
	}
	if m.Modified {
		revision += " with changes"
	}
	return fmt.Sprintf("%s (%s), %s, %s/%s, %d × %s", m.Version, revision, m.Go, m.OS, m.Arch, m.CPUs, m.CPU)
}
