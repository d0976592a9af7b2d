package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plumbline/data/source"
)

// scripted answers requests as a text of bytes says, without a network: each answer takes its status, headers and body
// from the next bytes, and when there are none left the server is honest.
type scripted struct {
	script  []byte
	content []byte
	asked   int
}

func (s *scripted) next() byte {
	if len(s.script) == 0 {
		return 0
	}
	b := s.script[0]
	s.script = s.script[1:]
	return b
}

// maxAnswers is after how many answers a client that still asks is one that never ends.
const maxAnswers = 400

var errEndless = errors.New("the client never ends")

func (s *scripted) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.asked++; s.asked > maxAnswers {
		return nil, errEndless
	}
	from := 0
	fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
	from = min(from, len(s.content))
	honest := len(s.script) == 0
	status := []int{200, 206, 416, 200, 206, 500, 404, 206, 429, 204, 301}[int(s.next())%11]
	if honest {
		if status = 200; from > 0 {
			status = 206
		}
	}
	body := s.content
	if status == 206 {
		body = s.content[from:]
	}
	h := http.Header{}
	h.Set("ETag", `"v1"`)
	h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(s.content)-1, len(s.content)))
	length := int64(len(body))
	var broken error
	if !honest {
		switch s.next() % 10 { // where the part is said to begin
		case 1:
			h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", s.next(), s.next(), s.next()))
		case 2:
			h.Set("Content-Range", "bytes -1-18446744073709551616/*")
		case 3:
			h.Del("Content-Range")
		case 4:
			h.Set("Content-Range", string([]byte{s.next(), s.next(), '-', s.next()}))
		}
		switch s.next() % 8 { // which version it is
		case 1:
			h.Del("ETag")
		case 2:
			h.Set("ETag", fmt.Sprintf(`"v%d"`, s.next()))
		case 3:
			h.Set("ETag", `W/"v1"`)
		}
		switch s.next() % 8 { // what is sent
		case 1:
			body = body[:min(int(s.next()), len(body))]
			broken = io.ErrUnexpectedEOF
		case 2:
			body = bytes.Repeat([]byte{s.next()}, int(s.next()))
		case 3:
			body = append(bytes.Clone(body), s.next())
		}
		switch s.next() % 6 { // how much is announced
		case 1:
			length = -1
		case 2:
			length = int64(s.next())
		case 3:
			length = 1 << 62
		default:
			length = int64(len(body))
		}
	}
	return &http.Response{
		Status: http.StatusText(status), StatusCode: status, Header: h, ContentLength: length, Request: r,
		Body: io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{broken})),
	}, nil
}

// failing is the end of a body, or what breaks it off.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

// FuzzRanges: whatever ranges, lengths, versions and statuses a server answers with, the client ends, keeps no more
// than the file has, and gives it its name only when it is the right one.
func FuzzRanges(f *testing.F) {
	content := []byte(strings.Repeat("1,tcp,normal\n", 12))
	f.Add([]byte{}, true)
	f.Add([]byte{0, 0, 0, 1, 100, 0, 1, 0, 0, 0, 0}, true)
	f.Add([]byte{0, 0, 0, 1, 20, 1, 0, 0, 0, 1, 5, 1, 0, 0, 0, 1, 20, 1, 0, 0, 0, 1, 5, 1}, false)
	f.Add([]byte{0, 0, 0, 1, 50, 0, 1, 1, 3, 9, 9, 0, 0, 0, 2, 0, 0, 0, 0}, true)
	dir := f.TempDir()
	path := filepath.Join(dir, "flows.csv")
	f.Fuzz(func(t *testing.T, script []byte, known bool) {
		if len(script) > 300 {
			return
		}
		for _, p := range []string{path, path + ".part", path + ".part.tag", path + ".sha256"} {
			if err := os.Remove(p); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
		}
		s := &scripted{script: script, content: content}
		client := &Client{HTTP: &http.Client{Transport: s}, Stall: time.Hour, Wait: func(int) time.Duration { return 0 }}
		d := source.Download{URL: "http://server.invalid/flows.csv", File: "flows.csv"}
		if known {
			d.SHA256, d.Bytes = sum(content), int64(len(content))
		}
		_, fresh, err := client.File(context.Background(), d, dir)
		if errors.Is(err, errEndless) || s.asked > maxAnswers {
			t.Fatalf("%d requests: %v", s.asked, err)
		}
		got, missing := os.ReadFile(path)
		switch {
		case (err == nil) != (missing == nil):
			t.Errorf("error %v, file: %v", err, missing)
		case err == nil && (!fresh || known && !bytes.Equal(got, content)):
			t.Errorf("fresh %v: %q", fresh, got)
		case err != nil && !strings.Contains(err.Error(), "server.invalid/flows.csv"):
			t.Errorf("the error does not name the file: %v", err)
		}
		if st, err := os.Stat(path + ".part"); err == nil && known && st.Size() > int64(len(content)) {
			t.Errorf("%d bytes are kept of a file of %d", st.Size(), len(content))
		}
	})
}
