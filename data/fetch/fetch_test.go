package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"plumbline/data/source"
)

var content = bytes.Repeat([]byte("1,tcp,normal\n"), 20_000)

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// server serves content, and misbehaves as a test asks: it breaks the connection after some bytes of the
// first answers, ignores ranges, changes the file in between, or gives a status.
type server struct {
	mu       sync.Mutex
	content  []byte
	tag      string
	breaks   []int // bytes after which the answer in turn breaks off
	noRanges bool
	status   []int // of the answers in turn; 0: none
	ranges   []string
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ranges = append(s.ranges, r.Header.Get("Range"))
	if len(s.status) > 0 {
		code := s.status[0]
		s.status = s.status[1:]
		if code != 0 {
			w.WriteHeader(code)
			return
		}
	}
	body, from := s.content, 0
	if h := r.Header.Get("Range"); h != "" && !s.noRanges && r.Header.Get("If-Range") == s.tag {
		fmt.Sscanf(h, "bytes=%d-", &from)
	}
	w.Header().Set("ETag", s.tag)
	w.Header().Set("Content-Length", fmt.Sprint(len(body)-from))
	if from > 0 {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(body)-1, len(body)))
		w.WriteHeader(http.StatusPartialContent)
	}
	body = body[from:]
	if len(s.breaks) > 0 {
		n := s.breaks[0]
		s.breaks = s.breaks[1:]
		w.Write(body[:n])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	w.Write(body)
}

func start(t *testing.T, s *server) string {
	t.Helper()
	if s.content == nil {
		s.content = content
	}
	if s.tag == "" {
		s.tag = `"v1"`
	}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return srv.URL
}

func client() *Client {
	return &Client{Wait: func(int) time.Duration { return time.Millisecond }}
}

func TestFetch(t *testing.T) {
	for _, c := range []struct {
		name     string
		server   *server
		requests int
		second   string // Range header of the second request
	}{
		{"at once", &server{}, 1, ""},
		{"connection drops twice", &server{breaks: []int{100_000, 50_000}}, 3, "bytes=100000-"},
		{"no ranges", &server{breaks: []int{100_000}, noRanges: true}, 2, "bytes=100000-"},
		{"busy at first", &server{status: []int{503, 429}}, 3, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := c.server
			url := start(t, s) + "/flows.csv"
			d := source.Download{URL: url, File: "flows.csv", Bytes: int64(len(content)), SHA256: sum(content)}
			dir := t.TempDir()
			var last int64
			cl := client()
			cl.Progress = func(done, total int64) {
				if total != int64(len(content)) || done < 0 {
					t.Errorf("progress %d of %d", done, total)
				}
				last = done
			}
			path, fresh, err := cl.File(context.Background(), d, dir)
			if err != nil || !fresh {
				t.Fatal(path, fresh, err)
			}
			got, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(got, content) || last != int64(len(content)) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			if len(s.ranges) != c.requests || c.second != "" && s.ranges[1] != c.second {
				t.Errorf("requests %q", s.ranges)
			}
			if left, _ := filepath.Glob(dir + "/*.part*"); left != nil {
				t.Errorf("left behind: %v", left)
			}
			if _, fresh, err := cl.File(context.Background(), d, dir); fresh || err != nil || len(s.ranges) != c.requests {
				t.Errorf("a file that is there is fetched again: %v, %v", fresh, err)
			}
		})
	}
}

func TestFetchCompressed(t *testing.T) {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	w.Write(content)
	w.Close()
	url := start(t, &server{content: z.Bytes()}) + "/flows.csv.gz"
	d := source.Download{URL: url, File: "flows.csv", Bytes: int64(len(content)), SHA256: sum(content)}
	path, _, err := client().File(context.Background(), d, t.TempDir())
	if err != nil || filepath.Base(path) != "flows.csv.gz" {
		t.Fatal(path, err)
	}
}

func TestFetchErrors(t *testing.T) {
	wrong := bytes.ToUpper(content)
	for _, c := range []struct {
		name     string
		server   *server
		bytes    int64
		want     error
		text     string
		requests int
	}{
		{"wrong bytes", &server{content: wrong}, 0, ErrContent, "SHA-256", 3},
		{"wrong size", &server{content: content[:1000]}, int64(len(content)), ErrContent, "1000 bytes", 3},
		{"not found", &server{status: []int{404}}, 0, ErrServer, "404", 1},
		{"always broken", &server{breaks: []int{0, 0, 0}}, 0, nil, "attempt 3 of 3", 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := c.server
			d := source.Download{URL: start(t, s), File: "flows.csv", Bytes: c.bytes, SHA256: sum(content)}
			cl, dir := client(), t.TempDir()
			cl.Attempts = 3
			_, _, err := cl.File(context.Background(), d, dir)
			if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) ||
				!strings.Contains(err.Error(), d.URL) {
				t.Errorf("error %v", err)
			}
			if len(s.ranges) != c.requests {
				t.Errorf("%d requests: %q", len(s.ranges), s.ranges)
			}
			if _, err := os.Stat(filepath.Join(dir, "flows.csv")); err == nil {
				t.Error("a file that does not verify stands under its name")
			}
		})
	}
}

// TestFileChangesInBetween: the part of the old version is thrown away.
func TestFileChangesInBetween(t *testing.T) {
	s := &server{breaks: []int{100_000}}
	d := source.Download{URL: start(t, s), File: "flows.csv", SHA256: sum(bytes.ToUpper(content))}
	cl := client()
	cl.Wait = func(int) time.Duration {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.content, s.tag = bytes.ToUpper(content), `"v2"`
		return time.Millisecond
	}
	if _, _, err := cl.File(context.Background(), d, t.TempDir()); err != nil {
		t.Fatal(err)
	}
}

// TestCancelAndGoOn: what was read before the cancellation is not read again.
func TestCancelAndGoOn(t *testing.T) {
	s := &server{}
	d := source.Download{URL: start(t, s), File: "flows.csv", SHA256: sum(content)}
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	s.breaks = []int{150_000}
	cl := client()
	cl.Wait = func(int) time.Duration { cancel(); return time.Minute }
	if _, _, err := cl.File(ctx, d, dir); err == nil {
		t.Fatal("not cancelled")
	}
	if _, _, err := client().File(context.Background(), d, dir); err != nil {
		t.Fatal(err)
	}
	if last := s.ranges[len(s.ranges)-1]; last != "bytes=150000-" {
		t.Errorf("requests %q", s.ranges)
	}
}

// TestNoEnd: a server whose connection always breaks, sometimes a little later, and one that sends the wrong file in
// two halves, over and over, are given up on.
func TestNoEnd(t *testing.T) {
	for name, script := range map[string][]byte{
		"breaks off": bytes.Repeat([]byte{0, 0, 1, 1, 20, 1, 0, 0, 1, 1, 5, 1}, 200),
		"wrong file": bytes.Repeat([]byte{0, 0, 0, 1, 50, 0, 1, 0, 0, 3, 9, 0}, 200),
	} {
		s := &scripted{script: script, content: content[:100]}
		client := &Client{HTTP: &http.Client{Transport: s}, Wait: func(int) time.Duration { return 0 }}
		d := source.Download{URL: "http://server.invalid/flows.csv", File: "flows.csv", SHA256: sum(content[:100])}
		_, _, err := client.File(context.Background(), d, t.TempDir())
		if err == nil || s.asked > 30 {
			t.Errorf("%s: %d requests, %v", name, s.asked, err)
		}
	}
}
