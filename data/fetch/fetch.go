// Package fetch downloads data files: it goes on with what an earlier attempt left, tries again when a
// connection breaks, and lets a file appear under its name only after its content has been verified.
//
// Where files are offered is in the data configs; reading them is package data.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
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
	Attempts int                             // in a row that bring nothing new; < 1: 5
	Stall    time.Duration                   // after which a server that sends nothing is given up on; 0: a minute
	Wait     func(attempt int) time.Duration // before the attempt that follows; nil: 1 s, 2 s, 4 s, …
	Progress func(done, total int64)         // of the bytes on the wire; total is −1 when the server does not say
}

// File brings one file into dir and is its path. A file that is there already and verifies is left alone
// (fresh is false). The content is verified by the SHA-256 of its uncompressed form; where the config has none, the one
// of the first fetch is written beside the file (NAME.sha256) and holds from then on. A cancelled context keeps what
// has been read for the next time. Links are not followed out of dir.
func (c *Client) File(ctx context.Context, d source.Download, dir string) (path string, fresh bool, err error) {
	path = filepath.Join(dir, d.File+compression(d.URL))
	if filepath.Base(d.File) != d.File || strings.HasPrefix(d.File, ".") {
		return "", false, fmt.Errorf("fetch: %q is not the plain name of a file", d.File)
	}
	for _, p := range []string{path, path + ".part", path + ".part.tag", path + ".sha256"} {
		if st, err := os.Lstat(p); err == nil && !st.Mode().IsRegular() {
			return "", false, fmt.Errorf("fetch: %s is no regular file: it is not written to", p)
		}
	}
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
	furthest, wrong := size(part), 0 // the most that any attempt had; whole files that were not the right one
	for k := 1; ; k++ {
		var again time.Duration
		if again, err = c.attempt(ctx, d, part); err == nil {
			if err = verify(part, d); err == nil {
				if err := keep(part, path, d); err != nil {
					return "", false, fmt.Errorf("fetch: %w", err)
				}
				return path, true, nil
			}
			os.Remove(part) // begin anew: parts of two versions may have met
			os.Remove(part + ".tag")
			furthest, wrong = 0, wrong+1
			k = max(k, wrong)
		}
		if n := size(part); n > furthest {
			furthest, k = n, wrong // it went on
		}
		if ctx.Err() != nil || k >= attempts || errors.Is(err, ErrServer) {
			return "", false, fmt.Errorf("fetch: %s: attempt %d of %d: %w", redacted(d.URL), k, attempts, err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(max(again, c.wait(k))):
		}
	}
}

func size(path string) int64 {
	if st, err := os.Stat(path); err == nil {
		return st.Size()
	}
	return 0
}

// keep gives a verified file its name, and notes its hash where the config has none.
func keep(part, path string, d source.Download) error {
	if d.SHA256 == "" {
		sum, _, err := input.Sum(part)
		if err == nil {
			err = os.WriteFile(path+".sha256", []byte(sum+"\n"), 0o644)
		}
		if err != nil {
			return err
		}
	}
	if err := os.Rename(part, path); err != nil {
		return err
	}
	os.Remove(part + ".tag")
	return nil
}

// redacted is an address without a password.
func redacted(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an address that cannot be read"
	}
	return u.Redacted()
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

// attempt asks for what the part file lacks and appends it. again is how long the server wants to be left alone.
func (c *Client) attempt(ctx context.Context, d source.Download, part string) (again time.Duration, err error) {
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	stall := c.Stall
	if stall <= 0 {
		stall = time.Minute
	}
	watch := time.AfterFunc(stall, func() { giveUp(fmt.Errorf("the server sent nothing for %v", stall)) })
	defer watch.Stop()
	defer func() {
		if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(cause, context.Canceled) {
			err = cause
		}
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.URL, nil)
	if err != nil {
		return 0, fmt.Errorf("%w: the address cannot be read", ErrServer)
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
		return 0, err
	}
	defer res.Body.Close()
	mode := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	switch {
	case res.StatusCode == http.StatusPartialContent && have > 0 && startsAt(res, have):
		mode = os.O_WRONLY | os.O_APPEND
	case res.StatusCode == http.StatusOK:
		have = 0
	case res.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		return 0, errors.Join(errors.New("the part on disk does not fit the file"), os.Remove(part))
	case res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests: // what is there is gone on with later
		return retryAfter(res), fmt.Errorf("status %s", res.Status)
	case res.StatusCode == http.StatusPartialContent:
		return 0, errors.Join(errors.New("the server sent another part than was asked for"), os.Remove(part))
	default:
		return 0, fmt.Errorf("%w: status %s", ErrServer, res.Status)
	}
	most := largest(d)
	if res.ContentLength >= 0 && most > 0 && have+res.ContentLength > most {
		return 0, fmt.Errorf("%w: %w: the server has %d bytes, the file %d",
			ErrServer, ErrContent, have+res.ContentLength, d.Bytes)
	}
	if mode&os.O_TRUNC != 0 {
		if err := os.WriteFile(part+".tag", []byte(validator(res)), 0o644); err != nil {
			return 0, err
		}
	}
	f, err := os.OpenFile(part, mode, 0o644)
	if err != nil {
		return 0, err
	}
	total := int64(-1)
	if res.ContentLength >= 0 {
		total = have + res.ContentLength
	}
	body := io.Reader(res.Body)
	if most > 0 {
		body = io.LimitReader(body, most-have+1)
	}
	n, err := io.Copy(&meter{f, c.Progress, have, total, func() { watch.Reset(stall) }}, body)
	switch {
	case err == nil && most > 0 && have+n > most:
		err = errors.Join(
			fmt.Errorf("%w: %w: the server sends more than the %d bytes of the file", ErrServer, ErrContent, d.Bytes),
			os.Remove(part))
	case err == nil && res.ContentLength >= 0 && n != res.ContentLength:
		err = io.ErrUnexpectedEOF
	}
	return 0, errors.Join(err, f.Close())
}

// largest is how many bytes a file of the declared size can have on the wire; 0: not known. Compression makes nothing
// much larger than it is.
func largest(d source.Download) int64 {
	if d.Bytes <= 0 {
		return 0
	}
	if compression(d.URL) == "" {
		return d.Bytes
	}
	return d.Bytes + d.Bytes/100 + 1<<16
}

// retryAfter is how many seconds the server asks for, two minutes at most.
func retryAfter(res *http.Response) time.Duration {
	seconds, err := strconv.Atoi(res.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(min(seconds, 120)) * time.Second
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
	alive       func() // something came
}

func (m *meter) Write(p []byte) (int, error) {
	n, err := m.w.Write(p)
	m.done += int64(n)
	m.alive()
	if m.progress != nil {
		m.progress(m.done, m.total)
	}
	return n, err
}

func verify(path string, d source.Download) error {
	sum, n, err := input.Sum(path)
	want := d.SHA256
	if want == "" {
		noted, _ := os.ReadFile(strings.TrimSuffix(path, ".part") + ".sha256")
		if want = strings.TrimSpace(string(noted)); want == "" {
			want = sum // of the first fetch
		}
	}
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrContent, err)
	case d.Bytes > 0 && n != d.Bytes:
		return fmt.Errorf("%w: %d bytes uncompressed, want %d", ErrContent, n, d.Bytes)
	case !strings.EqualFold(sum, want):
		return fmt.Errorf("%w: SHA-256 %s, want %s", ErrContent, sum, want)
	}
	return nil
}
