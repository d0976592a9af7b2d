package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"plumbline/data/cache"
)

// defaultCacheMB bounds the cache where nobody says otherwise.
const defaultCacheMB = 4096

// cacheSettings is the flags that say where prepared data is kept.
type cacheSettings struct {
	dir string
	mb  int
}

func (a *app) cacheFlags(c *cobra.Command, s *cacheSettings) {
	c.Flags().StringVar(&s.dir, "cache", "",
		"folder that keeps prepared data, or off (then $PLUMBLINE_CACHE, then the user's cache folder)")
	c.Flags().IntVar(&s.mb, "cache-mb", 0,
		fmt.Sprintf("largest size of that folder in MB; 0: $PLUMBLINE_CACHE_MB, then %d", defaultCacheMB))
	c.MarkFlagDirname("cache")
}

// store is the cache that the settings name; nil for none.
func (s cacheSettings) store() (*cache.Store, error) {
	dir := s.dir
	if dir == "" {
		dir = os.Getenv("PLUMBLINE_CACHE")
	}
	if dir == "off" {
		return nil, nil
	}
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return nil, nil // an account without a home keeps nothing
		}
		dir = filepath.Join(base, "plumbline")
	}
	mb := s.mb
	if text := os.Getenv("PLUMBLINE_CACHE_MB"); mb == 0 && text != "" {
		var err error
		if mb, err = strconv.Atoi(text); err != nil {
			return nil, fmt.Errorf("$PLUMBLINE_CACHE_MB: %q is no number of megabytes", text)
		}
	}
	if mb < 0 || mb > 1<<30 {
		return nil, fmt.Errorf("a cache of %d MB: want 1 or more", mb)
	}
	if mb == 0 {
		mb = defaultCacheMB
	}
	return &cache.Store{Dir: dir, Limit: int64(mb) << 20}, nil
}

func (a *app) cacheCommand() *cobra.Command {
	var s cacheSettings
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
			store, err := s.open()
			if err != nil {
				return err
			}
			return a.listCache(store)
		},
	}
	a.cacheFlags(c, &s)
	var of cacheSettings
	clear := &cobra.Command{
		Use:     "clear [NAME]",
		Short:   "Remove kept data, of one data set or all",
		Example: "  plumbline cache clear\n  plumbline cache clear nsl-kdd",
		Args:    needs(0, 1, "at most one data set"),
		RunE: func(_ *cobra.Command, args []string) error {
			store, err := of.open()
			if err != nil {
				return err
			}
			n, bytes, err := store.Clear(append(args, "")[0])
			if err != nil {
				return failed(err)
			}
			fmt.Fprintf(a.out, "%d entries of %s removed from %s\n", n, megabytes(bytes), store.Dir)
			return nil
		},
	}
	a.cacheFlags(clear, &of)
	c.AddCommand(clear)
	return c
}

func (s cacheSettings) open() (*cache.Store, error) {
	store, err := s.store()
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
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	if len(list) > 0 {
		fmt.Fprintln(w, "DATA\tWHAT\tSIZE\tLAST USED")
	}
	for _, l := range list {
		total += l.Bytes
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", l.Name, l.Content, megabytes(l.Bytes), l.Used.Format(time.DateTime))
	}
	w.Flush()
	fmt.Fprintf(a.out, "%d entries, %s of at most %s, in %s\n", len(list), megabytes(total), megabytes(store.Limit),
		store.Dir)
	return nil
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/(1<<20)) }
