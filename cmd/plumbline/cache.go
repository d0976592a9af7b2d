package main

import (
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"plumbline/cmd/command"
	"plumbline/data/cache"
)

func (a *app) cacheCommand() *cobra.Command {
	var s command.Cache
	c := &cobra.Command{
		Use:   "cache",
		Short: "List what prepared data is kept, or clear it",
		Long: `run keeps prepared matrices and traces under the hash of all that they are made from: the bytes of the data
files, the data config, split, preprocessing, traces and unit, and the program itself. The same data set is
then not read again. What was not used for the longest time goes first when the folder is full.

cache lists the entries; cache clear removes them, or those of one data set.`,
		Example: "  plumbline cache\n  plumbline cache clear kddcup99\n  plumbline run configs/experiments/quickstart.yaml " +
			"--cache off",
		Args: needs(0, 0, "no argument"),
		RunE: func(*cobra.Command, []string) error {
			store, err := openCache(s)
			if err != nil {
				return err
			}
			return a.listCache(store)
		},
	}
	a.CacheFlags(c, &s)
	var of command.Cache
	clear := &cobra.Command{
		Use:     "clear [NAME]",
		Short:   "Remove kept data, of one data set or all",
		Example: "  plumbline cache clear\n  plumbline cache clear nsl-kdd",
		Args:    needs(0, 1, "at most one data set"),
		RunE: func(_ *cobra.Command, args []string) error {
			store, err := openCache(of)
			if err != nil {
				return err
			}
			n, bytes, err := store.Clear(append(args, "")[0])
			if err != nil {
				return failed(err)
			}
			fmt.Fprintf(a.Out, "%d entries of %s removed from %s\n", n, megabytes(bytes), store.Dir)
			return nil
		},
	}
	a.CacheFlags(clear, &of)
	c.AddCommand(clear)
	return c
}

// openCache is the cache that the flags name, which must not be off.
func openCache(s command.Cache) (*cache.Store, error) {
	store, err := s.Store()
	if err == nil && store == nil {
		err = errors.New("cache: there is none: it is off")
	}
	return store, usage(err)
}

func (a *app) listCache(store *cache.Store) error {
	list, err := store.List()
	if err != nil {
		return failed(err)
	}
	total := int64(0)
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	if len(list) > 0 {
		fmt.Fprintln(w, "DATA\tWHAT\tSIZE\tLAST USED")
	}
	for _, l := range list {
		total += l.Bytes
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", l.Name, l.Content, megabytes(l.Bytes), l.Used.Format(time.DateTime))
	}
	w.Flush()
	fmt.Fprintf(a.Out, "%d entries, %s of at most %s, in %s\n", len(list), megabytes(total), megabytes(store.Limit),
		store.Dir)
	return nil
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/(1<<20)) }
