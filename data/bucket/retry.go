package bucket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/minio/minio-go/v7"
)

const (
	attempts = 8
	// pause is the wait after the first attempt that failed; it doubles each time.
	pause    = 500 * time.Millisecond
	maxPause = 30 * time.Second
	// patience is how long an attempt may take, and slowest the bytes a second of a transfer that is let go on.
	patience = 2 * time.Minute
	slowest  = 100_000
)

// errDamaged says that an object arrived as another one than was sent.
var errDamaged = errors.New("the object arrived damaged")

// try does f until it succeeds, fails for good, or was tried often. The error names the object, and wraps
// [fs.ErrNotExist] or [fs.ErrExist] where the store says so.
func (b *Bucket) try(ctx context.Context, key string, size int64, f func(context.Context) error) error {
	wait := b.Pause
	for k := 1; ; k++ {
		limited, cancel := context.WithTimeout(ctx, b.Patience+time.Duration(size/slowest)*time.Second)
		err := f(limited)
		cancel()
		if err == nil {
			return nil
		}
		if k >= b.Attempts || ctx.Err() != nil || !passing(err) {
			if key == "" {
				return meaning(err)
			}
			return fmt.Errorf("bucket: %s: %w", b.Address(key), meaning(err))
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait/2 + rand.N(wait)): // not all at once, after all have failed at once
		}
		wait = min(2*wait, maxPause)
	}
}

// passing says whether an error may pass: of the network, of a server in trouble, and of a transfer that was cut off.
func passing(err error) bool {
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		return false // of this machine's disk
	}
	if errors.Is(err, errTooLarge) {
		return false
	}
	var answer minio.ErrorResponse
	if !errors.As(err, &answer) || answer.StatusCode == 0 {
		return true
	}
	if answer.Code == minio.NoSuchUpload { // its end was answered, and the answer lost: it is sent again
		return true
	}
	switch answer.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusConflict:
		return true // conflict: two conditional writes at once, of which neither has won yet
	}
	return answer.StatusCode >= 500
}

// meaning is an error with what it says of files.
func meaning(err error) error {
	var answer minio.ErrorResponse
	if !errors.As(err, &answer) {
		return err
	}
	switch {
	case answer.Code == minio.NoSuchKey,
		answer.StatusCode == http.StatusNotFound && answer.Code != minio.NoSuchBucket && answer.Code != minio.NoSuchUpload:
		return fmt.Errorf("%w (%w)", fs.ErrNotExist, err)
	case answer.StatusCode == http.StatusPreconditionFailed:
		return fmt.Errorf("%w (%w)", fs.ErrExist, err)
	}
	return err
}
