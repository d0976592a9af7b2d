// Package fetch downloads data files: it goes on with what an earlier attempt left, tries again when a
// connection breaks, and lets a file appear under its name only after its content has been verified.
//
// Where files are to be had is in the data configs; reading them is package data.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"plumbline/data/input"
	"plumbline/data/source"
)

// Errors. Test for them with errors.Is.
var (
	ErrContent = errors.New("not the file that was expected") // size or SHA-256 differ
	ErrServer  = errors.New("the server refused")             // a status that trying again will not change
)

// Client downloads files. The zero Client works.
type Client struct {
	HTTP     *http.Client                    // nil: http.DefaultClient
	Attempts int                             // for one file; < 1: 5
	Wait     func(attempt int) time.Duration // before the attempt that follows; nil: 1 s, 2 s, 4 s, …
	Progress func(done, total int64)         // of the bytes on the wire; total is −1 when the server does not say
}

// File brings one file into dir and is its path. A file that is there already and verifies is left alone
// (fresh is false). The content is verified by the SHA-256 of its uncompressed form. A cancelled context
// keeps what has been read for the next time.
func (c *Client) File(ctx context.Context, d source.Download, dir string) (path string, fresh bool, err error) {
	path = filepath.Join(dir, d.File+compression(d.URL))
	if _, err := os.Stat(path); err == nil {
		if err := verify(path, d); err == nil {
			return path, false, nil
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", false, fmt.Errorf("fetch: %w", err)
	}
	part := path + ".part"
	attempts := c.Attempts
	if attempts < 1 {
		attempts = 5
	}
	for k := 1; ; k++ {
		if err = c.attempt(ctx, d.URL, part); err == nil {
			if err = verify(part, d); err == nil {
				if err := os.Rename(part, path); err != nil {
					return "", false, fmt.Errorf("fetch: %w", err)
				}
				os.Remove(part + ".tag")
				return path, true, nil
			}
			os.Remove(part) // begin anew: parts of two versions may have met
			os.Remove(part + ".tag")
		}
		if ctx.Err() != nil || k == attempts || errors.Is(err, ErrServer) {
			return "", false, fmt.Errorf("fetch: %s: attempt %d of %d: %w", d.URL, k, attempts, err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(c.wait(k)):
		}
	}
}

func compression(url string) string {
	for _, ext := range []string{".gz", ".zst"} {
		if strings.HasSuffix(url, ext) {
			return ext
		}
	}
	return ""
}

func (c *Client) wait(k int) time.Duration {
	if c.Wait != nil {
		return c.Wait(k)
	}
	return time.Second << min(k-1, 5)
}

// attempt asks for what the part file lacks and appends it.
func (c *Client) attempt(ctx context.Context, url, part string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	have := int64(0)
	tag, _ := os.ReadFile(part + ".tag")
	if st, err := os.Stat(part); err == nil && len(tag) > 0 {
		have = st.Size()
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
		req.Header.Set("If-Range", string(tag)) // the whole file again if it has changed
	}
	req.Header.Set("Accept-Encoding", "identity")
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	mode := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	switch {
	case res.StatusCode == http.StatusPartialContent && have > 0 && startsAt(res, have):
		mode = os.O_WRONLY | os.O_APPEND
	case res.StatusCode == http.StatusOK:
		have = 0
	case res.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		return errors.Join(errors.New("the part on disk does not fit the file"), os.Remove(part))
	case res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusPartialContent:
		os.Remove(part)
		return fmt.Errorf("status %s", res.Status)
	default:
		return fmt.Errorf("%w: status %s", ErrServer, res.Status)
	}
	if mode&os.O_TRUNC != 0 {
		if err := os.WriteFile(part+".tag", []byte(validator(res)), 0o644); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(part, mode, 0o644)
	if err != nil {
		return err
	}
	total := int64(-1)
	if res.ContentLength >= 0 {
		total = have + res.ContentLength
	}
	n, err := io.Copy(&meter{f, c.Progress, have, total}, res.Body)
	if err == nil && res.ContentLength >= 0 && n != res.ContentLength {
		err = io.ErrUnexpectedEOF
	}
	return errors.Join(err, f.Close())
}

// validator is what tells one version of a file from another: a strong entity tag, or the date.
func validator(res *http.Response) string {
	if tag := res.Header.Get("ETag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		return tag
	}
	return res.Header.Get("Last-Modified")
}

// startsAt says whether a partial answer begins where it was asked to.
func startsAt(res *http.Response, at int64) bool {
	text, ok := strings.CutPrefix(res.Header.Get("Content-Range"), "bytes ")
	from, _, ok2 := strings.Cut(text, "-")
	n, err := strconv.ParseInt(from, 10, 64)
	return ok && ok2 && err == nil && n == at
}

// meter counts what is written.
type meter struct {
	w           io.Writer
	progress    func(done, total int64)
	done, total int64
}

func (m *meter) Write(p []byte) (int, error) {
	n, err := m.w.Write(p)
	m.done += int64(n)
	if m.progress != nil {
		m.progress(m.done, m.total)
	}
	return n, err
}

func verify(path string, d source.Download) error {
	sum, n, err := input.Sum(path)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrContent, err)
	case d.Bytes > 0 && n != d.Bytes:
		return fmt.Errorf("%w: %d bytes uncompressed, want %d", ErrContent, n, d.Bytes)
	case !strings.EqualFold(sum, d.SHA256):
		return fmt.Errorf("%w: SHA-256 %s, want %s", ErrContent, sum, d.SHA256)
	}
	return nil
}
