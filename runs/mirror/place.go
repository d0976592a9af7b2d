package mirror

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"plumbline/data/bucket"
	"plumbline/runs/record"
)

// folderVariable names the folder of mirrors.
const folderVariable = "PLUMBLINE_MIRROR"

// base is the folder of the mirrors of one purpose.
func base(purpose string) (string, error) {
	root := os.Getenv(folderVariable)
	if root == "" {
		caches, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("mirror: no folder for copies of runs: set %s: %w", folderVariable, err)
		}
		root = filepath.Join(caches, "plumbline", "s3")
	}
	u, err := url.Parse(bucket.Endpoint())
	if err != nil {
		return "", fmt.Errorf("mirror: %w", err)
	}
	return filepath.Join(root, purpose, strings.ReplaceAll(u.Host, ":", "_")), nil
}

// local is where a place of the bucket is mirrored for a purpose.
func local(purpose, address string) (string, error) {
	at, err := base(purpose)
	if err != nil {
		return "", err
	}
	name, prefix, err := bucket.Split(address)
	return filepath.Join(at, name, filepath.FromSlash(prefix)), err
}

// Root is a place in a bucket below which run directories are begun.
type Root struct {
	Path   string // of the folder on this machine
	bucket *bucket.Bucket
}

// Begin is the place that new run directories go to.
func Begin(ctx context.Context, address string) (*Root, error) {
	b, err := bucket.Open(ctx, address)
	if err != nil {
		return nil, err
	}
	at, err := local("work", address)
	return &Root{at, b}, err
}

// Run is the mirror of a run directory that was just made below the root's folder. The first file that is sent is to
// be experiment.yaml; it is an error if somebody else has begun a run of that name.
func (r *Root) Run(dir string) (*Mirror, error) {
	m := of(r.bucket.In(filepath.Base(dir)), dir)
	m.fresh = true
	return m, m.lock()
}

// experimentFile is in every run directory.
const experimentFile = "experiment.yaml"

// find is the run directory that an address lies in, and what follows it.
func find(ctx context.Context, address string) (run *bucket.Bucket, at, rest string, err error) {
	name, prefix, err := bucket.Split(address)
	if err != nil {
		return nil, "", "", err
	}
	whole, err := bucket.Open(ctx, "s3://"+name)
	if err != nil {
		return nil, "", "", err
	}
	for at := prefix; ; at = path.Dir(at) {
		if at == "." || at == "" {
			return nil, "", "", fmt.Errorf("mirror: %s is not a run directory: it has no %s", address, experimentFile)
		}
		has, err := whole.Has(ctx, at+"/"+experimentFile)
		if err != nil {
			return nil, "", "", err
		}
		if has {
			return whole.In(at), "s3://" + name + "/" + at, strings.Trim(strings.TrimPrefix(prefix, at), "/"), nil
		}
	}
}

// apart are the folders of a run directory that are no use on another machine.
var apart = []string{"cache/", "claims/"}

// Work is the mirror of a run that this process carries on alone, with all that is there.
func Work(ctx context.Context, address string) (*Mirror, error) {
	b, at, _, err := find(ctx, address)
	if err != nil {
		return nil, err
	}
	dir, err := local("work", at)
	if err != nil {
		return nil, err
	}
	m := of(b, dir)
	if err := m.lock(); err != nil {
		return nil, err
	}
	return m.filled(ctx, apart)
}

// maxShares is how many processes of one machine share a run at most.
const maxShares = 10000

// Share is the mirror of a run of which this process carries out some cells: without the cells, which are fetched when
// they are asked for ([Mirror.Fetch]).
func Share(ctx context.Context, address string) (*Mirror, error) {
	b, at, _, err := find(ctx, address)
	if err != nil {
		return nil, err
	}
	for k := range maxShares {
		dir, err := local("share-"+strconv.Itoa(k), at)
		if err != nil {
			return nil, err
		}
		m := of(b, dir)
		err = m.lock()
		if errors.Is(err, ErrBusy) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := os.RemoveAll(filepath.Join(dir, "cells")); err != nil { // of an earlier process
			return nil, errors.Join(fmt.Errorf("mirror: %w", err), m.Close())
		}
		return m.filled(ctx, append([]string{"cells/", "logs/", record.StepsFolder + "/"}, apart...))
	}
	return nil, fmt.Errorf("mirror: %d processes of this machine are at work on %s", maxShares, address)
}

// View is the mirror of a run for reading, and what follows the run directory in the address, such as a cell. It waits
// for another process that reads the same run, and fetches what begins with one of the names, or all without any.
func View(ctx context.Context, address string, names ...string) (m *Mirror, rest string, err error) {
	b, at, rest, err := find(ctx, address)
	if err != nil {
		return nil, "", err
	}
	purpose := "view"
	if len(names) > 0 {
		purpose = "glance" // which does not wait for one that fetches all
	}
	dir, err := local(purpose, at)
	if err != nil {
		return nil, "", err
	}
	m = of(b, dir)
	for {
		err := m.lock()
		if err == nil {
			break
		}
		if !errors.Is(err, ErrBusy) {
			return nil, "", err
		}
		select {
		case <-ctx.Done():
			return nil, "", ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	if len(names) == 0 {
		m, err = m.filled(ctx, apart)
		return m, rest, err
	}
	for _, name := range names {
		if err := m.fetch(ctx, name, nil); err != nil {
			return nil, "", errors.Join(err, m.Close())
		}
	}
	return m, rest, nil
}

// filled fetches everything but some folders.
func (m *Mirror) filled(ctx context.Context, but []string) (*Mirror, error) {
	if err := m.fetch(ctx, "", but); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}
