// Package buckettest is a store of objects for tests, in memory, that fails as stores and networks do.
package buckettest

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// Name is the bucket that a server has.
const Name = "runs"

// Server is a store that listens on this machine until the test ends.
type Server struct {
	URL   string
	store http.Handler

	mu       sync.Mutex
	random   *rand.Rand
	share    float64       // of requests that fail
	slow     time.Duration // at most, of one request in ten
	requests map[string]int
	failures map[string]int
	heedless bool
}

// Start starts a store and points the environment of this process, and of those that it starts, to it.
func Start(t testing.TB) *Server {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket(Name); err != nil {
		t.Fatal(err)
	}
	s := &Server{store: gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server(),
		requests: map[string]int{}, failures: map[string]int{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.URL = server.URL
	for name, value := range map[string]string{"AWS_ENDPOINT_URL_S3": s.URL, "AWS_REGION": "us-east-1",
		"AWS_ACCESS_KEY_ID": "somebody", "AWS_SECRET_ACCESS_KEY": "does not matter here", "AWS_SESSION_TOKEN": "",
		"PLUMBLINE_S3_PATH_STYLE": "yes", "NO_PROXY": "127.0.0.1"} {
		t.Setenv(name, value)
	}
	return s
}

// Fail makes a share of all requests fail from now on, by a seed, and one in ten slow.
func (s *Server) Fail(seed uint64, share float64, slow time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.random, s.share, s.slow = rand.New(rand.NewPCG(seed, 1)), share, slow
}

// Heedless makes the store pass over conditions, as older ones do.
func (s *Server) Heedless() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heedless = true
}

// Counts is how many requests came by method, and how many of which kind failed.
func (s *Server) Counts() (requests, failures map[string]int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests, failures = map[string]int{}, map[string]int{}
	for k, n := range s.requests {
		requests[k] = n
	}
	for k, n := range s.failures {
		failures[k] = n
	}
	return requests, failures
}

// How a request fails.
var kinds = []string{"refused", "answer lost", "cut", "cut after", "half sent", "half received", "damaged"}

// draw is how a request is to fail, "" for not at all, and how long it takes.
func (s *Server) draw(r *http.Request) (string, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[r.Method]++
	if s.heedless {
		r.Header.Del("If-None-Match")
	}
	if s.random == nil {
		return "", 0
	}
	wait := time.Duration(0)
	if s.slow > 0 && s.random.IntN(10) == 0 {
		wait = rand.N(s.slow)
	}
	if s.random.Float64() >= s.share {
		return "", wait
	}
	kind := kinds[s.random.IntN(len(kinds))]
	s.failures[kind]++
	return kind, wait
}

// ServeHTTP passes a request to the store, or fails it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	kind, wait := s.draw(r)
	time.Sleep(wait)
	switch kind {
	case "":
		s.store.ServeHTTP(w, r)
		return
	case "refused":
		http.Error(w, "out of order", http.StatusInternalServerError)
		return
	case "cut":
		panic(http.ErrAbortHandler)
	case "half sent": // the store sees half of what was sent
		raw, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(raw[:len(raw)/2]))
		s.store.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}
	answer := httptest.NewRecorder()
	s.store.ServeHTTP(answer, r)
	body := answer.Body.Bytes()
	switch {
	case kind == "answer lost":
		http.Error(w, "out of order", http.StatusInternalServerError)
		return
	case kind == "cut after":
		panic(http.ErrAbortHandler)
	case r.Method != http.MethodGet || len(body) == 0 || strings.Contains(r.URL.RawQuery, "list-type"):
		w.WriteHeader(http.StatusServiceUnavailable) // what can be received half or damaged are objects
		return
	case kind == "damaged":
		body = bytes.Clone(body)
		body[len(body)/2] ^= 0x20
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(answer.Code)
	if kind == "half received" {
		w.Write(body[:len(body)/2])
		panic(http.ErrAbortHandler)
	}
	w.Write(body)
}
