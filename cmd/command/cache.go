package command

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"plumbline/data/bucket"
	"plumbline/data/cache"
)

// defaultCacheMB bounds the cache where nobody says otherwise.
const defaultCacheMB = 4096

// Cache is the flags that say where prepared data is kept.
type Cache struct {
	dir string
	mb  int
}

func (a *App) CacheFlags(c *cobra.Command, s *Cache) {
	c.Flags().StringVar(&s.dir, "cache", "",
		"folder that keeps prepared data, s3://BUCKET/PREFIX to share it too, or off (then $PLUMBLINE_CACHE, then the "+
			"user's cache folder)")
	c.Flags().IntVar(&s.mb, "cache-mb", 0,
		fmt.Sprintf("largest size of that folder in MB; 0: $PLUMBLINE_CACHE_MB, then %d", defaultCacheMB))
	c.MarkFlagDirname("cache")
}

// Store is the cache that the settings name; nil for none.
func (s Cache) Store() (*cache.Store, error) {
	dir := s.dir
	if dir == "" {
		dir = os.Getenv("PLUMBLINE_CACHE")
	}
	if dir == "off" {
		return nil, nil
	}
	var far cache.Far
	if bucket.Is(dir) {
		b, err := bucket.Open(context.Background(), dir)
		if err != nil {
			return nil, err
		}
		far, dir = b, os.Getenv("PLUMBLINE_CACHE")
		if bucket.Is(dir) || dir == "off" {
			dir = ""
		}
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
	return &cache.Store{Dir: dir, Limit: int64(mb) << 20, Far: far}, nil
}
