package main

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"plumbline/data/fetch"
)

func (a *app) fetchCommand() *cobra.Command {
	var to string
	c := &cobra.Command{
		Use:   "fetch NAME",
		Short: "Download a data set's files and verify them",
		Long: `fetch downloads the files of a data set whose publisher offers them without a form, goes on where an earlier
attempt broke off, and verifies size and SHA-256 before a file appears under its name. Licence and citation
are printed: they bind whoever uses the data.`,
		Example: "  plumbline data fetch kddcup99 --to ~/datasets",
		Args:    needs(1, 1, "a data set"),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return a.Library().Names("data"), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			cfg, _, err := a.DataSet(args[0])
			if err != nil {
				return usage(err)
			}
			if len(cfg.Fetch) == 0 {
				return usage(fmt.Errorf("%s cannot be fetched: get its files from %s and put them into %s", cfg.Name, cfg.URL,
					filepath.Join(to, cfg.Folder)))
			}
			fmt.Fprintf(a.Out, "licence:  %s\ncitation: %s\n", cfg.Licence, cfg.Citation)
			ctx, stop := a.interruptible(c.Context())
			defer stop()
			for _, f := range cfg.Fetch {
				cl := &fetch.Client{Progress: a.fetchProgress(f.File)}
				path, fresh, err := cl.File(ctx, f, filepath.Join(to, cfg.Folder))
				if err != nil {
					return failed(err)
				}
				what := "verified, was there"
				if fresh {
					what = "fetched and verified"
				}
				fmt.Fprintf(a.Out, "%s: %s\n", path, what)
			}
			return nil
		},
	}
	c.Flags().StringVar(&to, "to", filepath.Join("data", "raw"), "folder of data files; the data set gets its own in it")
	c.MarkFlagDirname("to")
	return c
}

// fetchProgress prints a line about every two seconds.
func (a *app) fetchProgress(name string) func(done, total int64) {
	next := time.Now().Add(2 * time.Second)
	return func(done, total int64) {
		if a.Quiet || time.Now().Before(next) {
			return
		}
		next = time.Now().Add(2 * time.Second)
		if total > 0 {
			fmt.Fprintf(a.Err, "%s: %.1f of %.1f MB (%d %%)\n", name, float64(done)/1e6, float64(total)/1e6, 100*done/total)
		} else {
			fmt.Fprintf(a.Err, "%s: %.1f MB\n", name, float64(done)/1e6)
		}
	}
}
