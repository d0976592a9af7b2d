package bucket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"plumbline/data/bucket/buckettest"
)

func init() { minio.DefaultRetryUnit = time.Millisecond } // of the client's own attempts

// open is a place of a store whose client does not wait long.
func open(t *testing.T, address string) *Bucket {
	t.Helper()
	b, err := Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	b.Pause = time.Millisecond
	return b
}

func TestAddresses(t *testing.T) {
	for address, want := range map[string][2]string{
		"s3://a":        {"a", ""},
		"s3://a/":       {"a", ""},
		"s3://a/b/c":    {"a", "b/c"},
		"s3://a/b c/d/": {"a", "b c/d"},
	} {
		if name, prefix, err := Split(address); err != nil || name != want[0] || prefix != want[1] || !Is(address) {
			t.Errorf("%s: %q %q, %v", address, name, prefix, err)
		}
	}
	for _, address := range []string{"", "runs", "s3:/a", "s3://", "s3:///b", "s3://a/../b", "s3://a/b//c", "s3://a/./b"} {
		if _, _, err := Split(address); err == nil {
			t.Errorf("%q is an address", address)
		}
	}
}

// TestObjects: files come back as they were sent, of whatever size, and the prefix of a place is its own.
func TestObjects(t *testing.T) {
	s := buckettest.Start(t)
	b := open(t, "s3://runs/sweeps")
	ctx, dir := t.Context(), t.TempDir()
	s.Fail(1, 0.2, 0)
	for _, n := range []int{0, 1, 1000, 17 << 20} { // the last in two parts
		raw := bytes.Repeat([]byte("0123456789abcdef"), n/16+1)[:n]
		key := fmt.Sprintf("one/n%d", n)
		at, back := filepath.Join(dir, "out"), filepath.Join(dir, "in", "back")
		if err := os.WriteFile(at, raw, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := b.Put(ctx, key, at); err != nil {
			t.Fatal(err)
		}
		if err := b.Get(ctx, key, back); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(back)
		if err != nil || !bytes.Equal(got, raw) {
			t.Errorf("%d bytes come back as %d, %v", n, len(got), err)
		}
		if has, err := b.Has(ctx, key); err != nil || !has {
			t.Errorf("%d bytes are not there, %v", n, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "in", "*.part")); left != nil {
		t.Errorf("%v are left", left)
	}
	all, err := b.List(ctx, "one/")
	if err != nil || len(all) != 4 || all[0].Key != "one/n0" || all[2].Bytes != 1000 || len(all[2].ETag) != 32 {
		t.Errorf("%+v, %v", all, err)
	}
	for _, o := range all {
		at := filepath.Join(dir, "same")
		if err := b.Get(ctx, o.Key, at); err != nil {
			t.Fatal(err)
		}
		if !b.Same(ctx, o, at) {
			t.Errorf("%s is another one (%s)", o.Key, o.ETag)
		}
		if o.Bytes == 0 {
			continue
		}
		raw, err := os.ReadFile(at)
		if err != nil {
			t.Fatal(err)
		}
		raw[len(raw)/2] ^= 1
		if err := os.WriteFile(at, raw, 0o644); err != nil {
			t.Fatal(err)
		}
		if b.Same(ctx, o, at) || b.Same(ctx, o, at+"x") {
			t.Errorf("%s is the same with another byte, or where there is no file", o.Key)
		}
	}
	if other, err := open(t, "s3://runs/other").List(ctx, ""); err != nil || len(other) != 0 {
		t.Errorf("another place has %v, %v", other, err)
	}
	if in, err := b.In("one").List(ctx, "n1"); err != nil || len(in) != 3 || in[0].Key != "n1" {
		t.Errorf("below: %v, %v", in, err)
	}
	for range 2 {
		if err := b.Remove(ctx, "one/n1"); err != nil {
			t.Error(err)
		}
	}
	if _, err := b.Read(ctx, "one/n1", 10); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a removed object: %v", err)
	}
	if has, err := b.Has(ctx, "one/n1"); err != nil || has {
		t.Errorf("a removed object is there, %v", err)
	}
	if _, err := b.Read(ctx, "one/n1000", 999); !errors.Is(err, errTooLarge) {
		t.Errorf("an object that is too large: %v", err)
	}
	if err := b.Put(ctx, "x", filepath.Join(dir, "nothing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

// TestCreate: of many who make the same object, exactly one does, however many answers are lost.
func TestCreate(t *testing.T) {
	s := buckettest.Start(t)
	b := open(t, "s3://runs/claims")
	s.Fail(2, 0.3, 2*time.Millisecond)
	for round := range 30 {
		var won atomic.Int32
		var winner atomic.Value
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				content := fmt.Sprintf("%d of round %d", i, round)
				err := b.Create(context.Background(), fmt.Sprint(round), []byte(content))
				switch {
				case err == nil:
					won.Add(1)
					winner.Store(content)
				case !errors.Is(err, fs.ErrExist):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		got, err := b.Read(t.Context(), fmt.Sprint(round), 100)
		if err != nil || won.Load() != 1 || string(got) != winner.Load() {
			t.Fatalf("round %d: %d won, last %v; the object is %q, %v", round, won.Load(), winner.Load(), got, err)
		}
	}
	_, failures := s.Counts()
	if failures["answer lost"] < 5 || failures["half sent"] < 5 || failures["damaged"] == 0 {
		t.Errorf("failures: %v", failures)
	}
}

// TestErrors: what is wrong for good is told at once, and by name.
func TestErrors(t *testing.T) {
	s := buckettest.Start(t)
	ctx := t.Context()
	if _, err := Open(ctx, "s3://nowhere/x"); err == nil || !strings.Contains(err.Error(), "nowhere at http://127") ||
		!strings.Contains(err.Error(), "no such bucket") {
		t.Errorf("a bucket that is not there: %v", err)
	}
	b := open(t, "s3://runs")
	b.Attempts = 3
	s.Fail(3, 1, 0)
	before, _ := s.Counts()
	b.Patience = 50 * time.Millisecond // the client's own attempts take longer
	err := b.Put(ctx, "a/b", "bucket_test.go")
	if after, _ := s.Counts(); err == nil || !strings.Contains(err.Error(), "s3://runs/a/b") ||
		after["PUT"]-before["PUT"] < 3 {
		t.Errorf("a store that is out of order: %v", err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if err := b.Remove(cancelled, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for name, value := range map[string]string{"PLUMBLINE_S3_PATH_STYLE": "perhaps", "AWS_ENDPOINT_URL_S3": "localhost"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			if _, err := Open(ctx, "s3://runs"); err == nil || !strings.Contains(err.Error(), value) {
				t.Errorf("%s=%s: %v", name, value, err)
			}
		})
	}
	t.Setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
	began := time.Now()
	if _, err := Open(ctx, "s3://runs"); err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") ||
		time.Since(began) > 30*time.Second {
		t.Errorf("nobody listens: %v after %v", err, time.Since(began))
	}
}
