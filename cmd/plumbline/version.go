package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"plumbline/runs"
)

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print version, revision and platform",
		Long:    "version prints the program's version, the revision it was built from, the Go version and the platform.",
		Example: "  plumbline version",
		Args:    needs(0, 0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			b := runs.Build()
			revision := b.Revision
			if revision == "" {
				revision = "unknown revision"
			}
			if b.Modified {
				revision += " with changes"
			}
			_, err := fmt.Fprintf(a.out, "plumbline %s (%s), %s, %s/%s, %d × %s\n", b.Version, revision, b.Go, b.OS, b.Arch, b.CPUs, b.CPU)
			return failed(err)
		},
	}
}
