package fetch

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"plumbline/data/source"
)

// TestFetchGoesOn: attempts that bring something do not count, and a busy server costs nothing of what is there.
func TestFetchGoesOn(t *testing.T) {
	s := &server{breaks: []int{50_000, 50_000, 50_000, 50_000}, status: []int{0, 503, 0, 429, 0}}
	d := source.Download{URL: start(t, s) + "/flows.csv", File: "flows.csv", SHA256: sum(content)}
	cl := client()
	cl.Attempts = 2
	if _, fresh, err := cl.File(context.Background(), d, t.TempDir()); err != nil || !fresh {
		t.Fatal(fresh, err)
	}
	want := []string{
		"", "bytes=50000-", "bytes=50000-", "bytes=100000-", "bytes=100000-", "bytes=150000-", "bytes=200000-",
	}
	if !slices.Equal(s.ranges, want) {
		t.Errorf("requests %q, want %q", s.ranges, want)
	}
}

// TestFetchStalls: a server that sends nothing more is given up on.
func TestFetchStalls(t *testing.T) {
	done := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.Write([]byte("some"))
		w.(http.Flusher).Flush()
		<-done
	}))
	defer srv.Close()
	defer close(done)
	cl := client()
	cl.Attempts, cl.Stall = 1, 30*time.Millisecond
	d := source.Download{URL: srv.URL + "/flows.csv", File: "flows.csv", SHA256: sum(content)}
	cl.Attempts = 2
	began := time.Now()
	_, _, err := cl.File(context.Background(), d, t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "sent nothing for 30ms") || time.Since(began) > 10*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}

// TestFetchStopsAtSize: no more than the declared size is written, whatever the server says or sends.
func TestFetchStopsAtSize(t *testing.T) {
	for _, told := range []bool{true, false} {
		sent := 0
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if told {
				w.Header().Set("Content-Length", "260000")
			}
			for range 20_000 {
				n, err := w.Write([]byte("1,tcp,normal\n"))
				if sent += n; err != nil {
					return
				}
			}
		}))
		dir := t.TempDir()
		d := source.Download{URL: srv.URL + "/flows.csv", File: "flows.csv", Bytes: 1000, SHA256: sum(content[:1000])}
		_, _, err := client().File(context.Background(), d, dir)
		if !errors.Is(err, ErrContent) || !errors.Is(err, ErrServer) {
			t.Errorf("%v", err)
		}
		if st, err := os.Stat(filepath.Join(dir, "flows.csv.part")); err == nil && st.Size() > 1001 {
			t.Errorf("%d bytes were written", st.Size())
		}
		srv.Close()
	}
}

// TestFetchUnknownHash: the hash of the first fetch is noted, and holds.
func TestFetchUnknownHash(t *testing.T) {
	s := &server{}
	dir := t.TempDir()
	d := source.Download{URL: start(t, s) + "/flows.csv", File: "flows.csv"}
	path, fresh, err := client().File(context.Background(), d, dir)
	if err != nil || !fresh {
		t.Fatal(fresh, err)
	}
	noted, err := os.ReadFile(path + ".sha256")
	if err != nil || strings.TrimSpace(string(noted)) != sum(content) {
		t.Errorf("%s, %v", noted, err)
	}
	if _, fresh, err := client().File(context.Background(), d, dir); fresh || err != nil {
		t.Errorf("fetched again: %v, %v", fresh, err)
	}
	if err := os.WriteFile(path, content[:100], 0o644); err != nil {
		t.Fatal(err)
	}
	s.content = content[:200]
	cl := client()
	cl.Attempts = 1
	if _, _, err := cl.File(context.Background(), d, dir); !errors.Is(err, ErrContent) {
		t.Errorf("another content than at first: %v", err)
	}
}

// TestFetchStaysInside: neither a name nor a link leads out of the folder, and no password is printed.
func TestFetchStaysInside(t *testing.T) {
	outside, dir := filepath.Join(t.TempDir(), "victim"), t.TempDir()
	if err := os.WriteFile(outside, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	url := start(t, &server{})
	for _, name := range []string{"flows.csv", "flows.csv.part", "flows.csv.part.tag", "flows.csv.sha256"} {
		link := filepath.Join(dir, name)
		if err := os.Symlink(outside, link); err != nil {
			t.Skip(err)
		}
		d := source.Download{URL: url + "/flows.csv", File: "flows.csv"}
		_, _, err := client().File(context.Background(), d, dir)
		if err == nil || !strings.Contains(err.Error(), "no regular file") {
			t.Errorf("%s: %v", name, err)
		}
		os.Remove(link)
	}
	if raw, err := os.ReadFile(outside); err != nil || string(raw) != "mine" {
		t.Errorf("%q, %v", raw, err)
	}
	if _, _, err := client().File(context.Background(), source.Download{URL: url, File: "../x"}, dir); err == nil {
		t.Error("a name led out of the folder")
	}
	secret := strings.Replace(start(t, &server{status: []int{404}}), "http://", "http://me:geheim@", 1)
	_, _, err := client().File(context.Background(), source.Download{URL: secret + "/x", File: "x"}, dir)
	if err == nil || strings.Contains(err.Error(), "geheim") || !strings.Contains(err.Error(), "me:xxxxx@") {
		t.Errorf("%v", err)
	}
}
