package bucket

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

// Bucket is a place in a bucket: the objects whose names begin with a prefix. Keys are what follows it, with slashes.
// It is safe for concurrent use.
type Bucket struct {
	// Patience is how long an attempt may take apart from its bytes, and Pause how long is waited after the first that
	// failed.
	Patience, Pause time.Duration
	// Attempts is how often anything is tried; the client tries each request several times by itself before.
	Attempts int

	client minio.Core
	name   string
	prefix string // empty, or with a slash at its end
}

// Object is one of a listing.
type Object struct {
	Key   string
	Bytes int64
	ETag  string // the MD5 of most objects, in hexadecimal digits
}

// In is a place below this one.
func (b *Bucket) In(prefix string) *Bucket {
	in := *b
	in.prefix += strings.Trim(prefix, "/") + "/"
	return &in
}

// Address is the address of an object, or of the place itself.
func (b *Bucket) Address(key string) string {
	return strings.TrimSuffix(scheme+b.name+"/"+b.prefix+key, "/")
}

// sumKey is the metadata that holds the SHA-256 of an object, in hexadecimal digits.
const sumKey = "Sha256"

func (b *Bucket) options(sum string) minio.PutObjectOptions {
	// the store checks the MD5; signing each chunk beside would be a form of its own that not all stores take
	return minio.PutObjectOptions{UserMetadata: map[string]string{sumKey: sum}, SendContentMd5: true,
		DisableContentSha256: true, ContentType: "application/octet-stream"}
}

// Put sends a file, over the object that may be there. A file that grows meanwhile is sent as long as it was.
func (b *Bucket) Put(ctx context.Context, key, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("bucket: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return fmt.Errorf("bucket: %w", err)
	}
	size := st.Size()
	h := sha256.New()
	if n, err := io.Copy(h, io.NewSectionReader(f, 0, size)); err != nil || n != size {
		return fmt.Errorf("bucket: %s: %d of %d bytes are read: %w", path, n, size, cmp.Or(err, io.ErrUnexpectedEOF))
	}
	sum := hex.EncodeToString(h.Sum(nil))
	return b.try(ctx, key, size, func(ctx context.Context) error {
		_, err := b.client.Client.PutObject(ctx, b.name, b.prefix+key, io.NewSectionReader(f, 0, size), size, b.options(sum))
		return err
	})
}

// makerKey is the metadata that tells who made an object that only one could make.
const makerKey = "Maker"

// Create makes an object that must not be there: of all who try, one succeeds, and the others get an error that wraps
// [fs.ErrExist]. Where an answer was lost, the object itself tells whether it is one's own.
func (b *Bucket) Create(ctx context.Context, key string, content []byte) error {
	sum := sha256.Sum256(content)
	options := b.options(hex.EncodeToString(sum[:]))
	maker := rand.Text()
	options.UserMetadata[makerKey] = maker
	options.SetMatchETagExcept("*")
	options.DisableMultipart = true
	err := b.try(ctx, key, int64(len(content)), func(ctx context.Context) error {
		_, err := b.client.Client.PutObject(ctx, b.name, b.prefix+key, bytes.NewReader(content), int64(len(content)), options)
		return err
	})
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, statErr := b.stat(ctx, key)
	if statErr == nil && info.UserMetadata[makerKey] == maker {
		return nil
	}
	return err
}

// errTooLarge says that an object is larger than somebody wanted to read.
var errTooLarge = errors.New("is larger than what is read")

// fetch writes an object of at most limit bytes to a writer that fresh makes for each attempt, and checks it.
func (b *Bucket) fetch(ctx context.Context, key string, limit int64, fresh func() (io.Writer, error)) error {
	return b.try(ctx, key, min(limit, longest), func(ctx context.Context) error {
		w, err := fresh()
		if err != nil {
			return err
		}
		body, info, _, err := b.client.GetObject(ctx, b.name, b.prefix+key, minio.GetObjectOptions{})
		if err != nil {
			return err
		}
		defer body.Close()
		if info.Size > limit {
			return fmt.Errorf("%w: %d bytes, at most %d", errTooLarge, info.Size, limit)
		}
		h := sha256.New()
		n, err := io.Copy(io.MultiWriter(w, h), body)
		if err != nil {
			return err
		}
		want, given := info.UserMetadata[sumKey]
		if n != info.Size || given && want != hex.EncodeToString(h.Sum(nil)) {
			return fmt.Errorf("%w: %d of %d bytes", errDamaged, n, info.Size)
		}
		return nil
	})
}

// Read is the content of an object of at most limit bytes; the error wraps [fs.ErrNotExist] where there is none.
func (b *Bucket) Read(ctx context.Context, key string, limit int64) ([]byte, error) {
	var out bytes.Buffer
	err := b.fetch(ctx, key, limit, func() (io.Writer, error) { out.Reset(); return &out, nil })
	return out.Bytes(), err
}

// Get fetches an object into a file, which appears whole or not at all, in a folder that is made. The error wraps
// [fs.ErrNotExist] where there is no object.
func (b *Bucket) Get(ctx context.Context, key, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("bucket: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*"+Part)
	if err != nil {
		return fmt.Errorf("bucket: %w", err)
	}
	defer os.Remove(f.Name()) // after the rename there is none
	defer f.Close()
	err = b.fetch(ctx, key, math.MaxInt64, func() (io.Writer, error) {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		return f, f.Truncate(0)
	})
	if err == nil {
		err = f.Close()
	}
	if err == nil {
		err = os.Chmod(f.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err
}

// Fetch is [Bucket.Get], and Send [Bucket.Put], for those who know of no context ([plumbline/data/cache.Far]).
func (b *Bucket) Fetch(key, path string) error { return b.Get(context.Background(), key, path) }

// Send is [Bucket.Put].
func (b *Bucket) Send(key, path string) error { return b.Put(context.Background(), key, path) }

// Part ends the names of files that are being fetched.
const Part = ".part"

// Same says whether a file holds what an object does, by the object's MD5 where its ETag is one, else by the SHA-256
// that was sent with it. A file that cannot be read does not.
func (b *Bucket) Same(ctx context.Context, o Object, path string) bool {
	st, err := os.Stat(path)
	if err != nil || st.Size() != o.Bytes || !st.Mode().IsRegular() {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	one, two := md5.New(), sha256.New()
	if _, err := io.Copy(io.MultiWriter(one, two), f); err != nil {
		return false
	}
	if hex.EncodeToString(one.Sum(nil)) == o.ETag {
		return true
	}
	info, err := b.stat(ctx, o.Key)
	return err == nil && info.UserMetadata[sumKey] == hex.EncodeToString(two.Sum(nil))
}

// longest is the largest object that is waited for as long as it takes.
const longest = 1 << 30

// longList is as many bytes as the longest listing takes as long as.
const longList = 600 * slowest

// List is the objects whose keys begin with a text, in the order of their keys.
func (b *Bucket) List(ctx context.Context, begin string) ([]Object, error) {
	var out []Object
	err := b.try(ctx, begin, longList, func(ctx context.Context) error {
		out = nil
		for o := range b.client.Client.ListObjectsIter(ctx, b.name, minio.ListObjectsOptions{Prefix: b.prefix + begin,
			Recursive: true}) {
			if o.Err != nil {
				return o.Err
			}
			if key := strings.TrimPrefix(o.Key, b.prefix); key != "" && !strings.HasSuffix(key, "/") {
				out = append(out, Object{key, o.Size, strings.Trim(o.ETag, `"`)})
			}
		}
		return ctx.Err()
	})
	return out, err
}

// Remove deletes an object; that there is none is no error.
func (b *Bucket) Remove(ctx context.Context, key string) error {
	err := b.try(ctx, key, 0, func(ctx context.Context) error {
		return b.client.RemoveObject(ctx, b.name, b.prefix+key, minio.RemoveObjectOptions{})
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Has says whether there is an object.
func (b *Bucket) Has(ctx context.Context, key string) (bool, error) {
	_, err := b.stat(ctx, key)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (b *Bucket) stat(ctx context.Context, key string) (info minio.ObjectInfo, err error) {
	err = b.try(ctx, key, 0, func(ctx context.Context) error {
		info, err = b.client.StatObject(ctx, b.name, b.prefix+key, minio.StatObjectOptions{})
		return err
	})
	return info, err
}
