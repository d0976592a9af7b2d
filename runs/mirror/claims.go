package mirror

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"plumbline/data/bucket"
	"plumbline/runs/claim"
)

// maxClaim is the largest claim that is read.
const maxClaim = 1 << 16

// claims are objects that are made on the condition that there is none.
type claims struct {
	bucket *bucket.Bucket
	able   func() error // whether the store heeds conditions
}

// Claims is where the claims on the run's cells are kept.
func (m *Mirror) Claims() claim.Files {
	b := m.bucket.In("claims")
	return &claims{b, sync.OnceValue(func() error { return able(b) })}
}

// able makes an object twice: a store that lets both have it would give a cell to two processes.
func able(b *bucket.Bucket) error {
	ctx := context.Background()
	name := "probe-" + claim.Self().Token // no claim: it has no generation
	if err := b.Create(ctx, name, []byte("one")); err != nil {
		return err
	}
	err := b.Create(ctx, name, []byte("two"))
	if removed := b.Remove(ctx, name); removed != nil {
		return removed
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return errors.Join(fmt.Errorf("%s: the store does not heed If-None-Match when it takes an object, so that no cell "+
		"can be claimed in it", b.Address("")), err)
}

// Create makes a claim.
func (c *claims) Create(name string, content []byte) error {
	if err := c.able(); err != nil {
		return err
	}
	return c.bucket.Create(context.Background(), name, content)
}

// List is the names of the claims.
func (c *claims) List() ([]string, error) {
	objects, err := c.bucket.List(context.Background(), "")
	names := make([]string, len(objects))
	for i, o := range objects {
		names[i] = o.Key
	}
	return names, err
}

// Read is the content of a claim.
func (c *claims) Read(name string) ([]byte, error) {
	return c.bucket.Read(context.Background(), name, maxClaim)
}

// Remove deletes a claim.
func (c *claims) Remove(name string) error { return c.bucket.Remove(context.Background(), name) }
