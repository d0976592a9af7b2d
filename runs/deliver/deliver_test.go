package deliver

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"plumbline/configs/settings"
	"plumbline/runs/alerts"
)

// found is the n-th alert.
func found(n int) *alerts.Alert {
	return &alerts.Alert{ID: fmt.Sprintf("%016x", n+1), Time: time.Unix(1_800_000_000+int64(n), 0).UTC(), Model: "m",
		Hash: "h", Score: 2, Threshold: 1, Unit: "flow", Source: "10.0.0.5", Cause: "c", Group: fmt.Sprintf("g%d", n%2),
		Record: map[string]string{"uid": strings.Repeat("x", 20)}}
}

func newStore(t testing.TB) *alerts.Store {
	t.Helper()
	s, err := alerts.Open(filepath.Join(t.TempDir(), "alerts.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func commit(t testing.TB, s *alerts.Store, from, to int) {
	t.Helper()
	var b alerts.Batch
	for n := from; n < to; n++ {
		b.Alerts = append(b.Alerts, found(n))
	}
	if err := s.Commit(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
}

// outlets are the sinks of some addresses, with short waits.
func outlets(t testing.TB, s *alerts.Store, to ...string) *Delivery {
	t.Helper()
	set := Default()
	for _, text := range to {
		target, err := ParseTarget(text)
		if err != nil {
			t.Fatal(err)
		}
		target.Timeout = alerts.Span(2 * time.Second)
		set.To = append(set.To, target)
	}
	d, err := New(t.Context(), s, set, io.Discard, func(text string) { t.Log(text) })
	if err != nil {
		t.Fatal(err)
	}
	d.first = time.Millisecond
	t.Cleanup(func() { d.Close() })
	return d
}

func drain(t testing.TB, d *Delivery) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := d.Drain(ctx); err != nil {
		t.Fatal(err)
	}
}

var idPattern = regexp.MustCompile(`"id":"([0-9a-f]{16})"`)

// numbers are those of the alerts in a text, in its order.
func numbers(text []byte) (out []int) {
	for _, m := range idPattern.FindAllSubmatch(text, -1) {
		n, _ := strconv.ParseInt(string(m[1]), 16, 64)
		out = append(out, int(n)-1)
	}
	return out
}

func upTo(n int) (out []int) {
	for i := range n {
		out = append(out, i)
	}
	return out
}

// TestFile: each alert is in the file once and in order, through a rotation, a restart, a write that was not noted
// before a kill, and half a line.
func TestFile(t *testing.T) {
	s := newStore(t)
	path := filepath.Join(t.TempDir(), "alerts.ndjson")
	d := outlets(t, s, "file:"+path)
	commit(t, s, 0, 200)
	drain(t, d)
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	commit(t, s, 200, 210)
	drain(t, d)
	d.Close()
	old, _ := os.ReadFile(path + ".1")
	now, _ := os.ReadFile(path)
	if got := numbers(append(old, now...)); !slices.Equal(got, upTo(210)) || len(numbers(now)) != 10 {
		t.Fatalf("%d of %d alerts in the new file", len(numbers(now)), len(got))
	}
	commit(t, s, 210, 220)
	var killed []byte // wrote five of them and half a line, and noted nothing
	for n := 210; n < 215; n++ {
		line, _ := found(n).Encode("plumbline")
		killed = append(append(killed, line...), '\n')
	}
	half, _ := found(215).Encode("plumbline")
	if err := os.WriteFile(path, slices.Concat(now, killed, half[:len(half)/2]), 0o640); err != nil {
		t.Fatal(err)
	}
	drain(t, outlets(t, s, "file:"+path))
	now, _ = os.ReadFile(path)
	if got := numbers(now); !slices.Equal(got, upTo(220)[200:]) || bytes.Count(now, []byte("\n")) != 20 {
		t.Errorf("%v", got)
	}
}

// TestFullDisk: what a full disk does not take is there when there is room again.
func TestFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no device that is always full")
	}
	s := newStore(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "alerts.ndjson")
	if err := os.Symlink("/dev/full", path); err != nil {
		t.Fatal(err)
	}
	d := outlets(t, s, "file:"+path)
	commit(t, s, 0, 5)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := d.Drain(ctx); err == nil || !strings.Contains(err.Error(), "not all alerts are sent") {
		t.Fatalf("a full disk: %v", err)
	}
	os.Remove(path)
	drain(t, d)
	raw, _ := os.ReadFile(path)
	if got := numbers(raw); !slices.Equal(got, upTo(5)) {
		t.Errorf("%v", got)
	}
}

// receiver is a webhook's other end, which notes what it took.
type receiver struct {
	*httptest.Server
	mu   sync.Mutex
	got  []int
	keys []string
	down atomic.Int32 // status that it answers with; 0: it takes requests
}

func newReceiver(t testing.TB) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if code := r.down.Load(); code != 0 {
			w.WriteHeader(int(code))
			return
		}
		body, _ := io.ReadAll(q.Body)
		if !json.Valid(body) || q.Header.Get("Content-Type") != "application/json" {
			t.Errorf("not JSON: %.100s", body)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, numbers(body)...)
		r.keys = append(r.keys, q.Header.Get("Idempotency-Key"))
	}))
	t.Cleanup(r.Close)
	return r
}

// taken is what it took so far.
func (r *receiver) taken() []int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// waitFor waits for a condition.
func waitFor(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: waited in vain", what)
		}
	}
}

// TestWebhook: a receiver that fails for a while, is away, or asks to wait gets each alert once and in order.
func TestWebhook(t *testing.T) {
	s, r := newStore(t), newReceiver(t)
	d := outlets(t, s, r.URL)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); d.Run(ctx) }()
	n := 0
	for _, code := range []int32{0, 500, 0, 429, 503, 404, 0} {
		r.down.Store(code)
		commit(t, s, n, n+10)
		n += 10
		time.Sleep(20 * time.Millisecond)
	}
	waitFor(t, "alerts", func() bool { return len(r.taken()) >= n })
	stop()
	<-done
	if got := r.taken(); !slices.Equal(got, upTo(n)) || r.keys[3] != found(3).ID {
		t.Errorf("%v", got)
	}
}

// TestWebhookMinute: a receiver that fails for a minute loses none of the alerts that come meanwhile, with the waits
// that the program has. It takes more than a minute: PLUMBLINE_LONG asks for it.
func TestWebhookMinute(t *testing.T) {
	if os.Getenv("PLUMBLINE_LONG") == "" {
		t.Skip("takes more than a minute: set PLUMBLINE_LONG")
	}
	s, r := newStore(t), newReceiver(t)
	d := outlets(t, s, r.URL)
	d.first = firstWait
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go d.Run(ctx)
	r.down.Store(http.StatusInternalServerError)
	for n := range 60 {
		commit(t, s, 10*n, 10*n+10)
		time.Sleep(time.Second)
	}
	r.down.Store(0)
	for end := time.Now().Add(2 * time.Minute); len(r.taken()) < 600 && time.Now().Before(end); {
		time.Sleep(100 * time.Millisecond)
	}
	if got := r.taken(); !slices.Equal(got, upTo(600)) {
		t.Errorf("%d alerts, want 600", len(got))
	}
}

// TestWebhookAway: nobody listens, the program is stopped, and begins again when somebody does.
func TestWebhookAway(t *testing.T) {
	s, r := newStore(t), newReceiver(t)
	address := r.Listener.Addr().String()
	r.Close()
	d := outlets(t, s, "http://"+address)
	commit(t, s, 0, 30)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if d.Drain(ctx) == nil {
		t.Fatal("nobody listens, and all is sent")
	}
	again := newReceiver(t)
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Skipf("the port was taken meanwhile: %v", err)
	}
	go http.Serve(l, again.Config.Handler)
	defer l.Close()
	drain(t, outlets(t, s, "http://"+address))
	if got := again.taken(); !slices.Equal(got, upTo(30)) {
		t.Errorf("%v", got)
	}
}

// TestRefusedAlert: an alert that a receiver calls wrong again and again holds up no others, nor takes those along that
// were sent with it; of several it says "I have it" of only one.
func TestRefusedAlert(t *testing.T) {
	s := newStore(t)
	var got []int
	tries := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		n := numbers(body)
		switch {
		case slices.Contains(n, 2):
			tries++
			http.Error(w, "too odd", http.StatusBadRequest)
			return
		case slices.Contains(n, 5):
			http.Error(w, "there", http.StatusConflict)
			return
		}
		got = append(got, n...)
	}))
	defer server.Close()
	set := Default()
	set.To = []Target{{To: server.URL, Batch: 2, Timeout: alerts.Span(time.Second)}}
	d, err := New(t.Context(), s, set, io.Discard, func(text string) { t.Log(text) })
	if err != nil {
		t.Fatal(err)
	}
	d.first = time.Millisecond
	commit(t, s, 0, 7)
	drain(t, d)
	if !slices.Equal(got, []int{0, 1, 3, 4, 6}) || tries != 1+mostRefused {
		t.Errorf("%v after %d tries", got, tries)
	}
}

// TestSyslog: messages are those of RFC 5424, over UDP, TCP with their length in front, and a socket.
func TestSyslog(t *testing.T) {
	form := regexp.MustCompile(`^<132>1 2027-01-15T08:00:\d\d\.000000Z \S+ plumbline \d+ alert - \{`)
	check := func(network string, texts [][]byte) {
		t.Helper()
		if got := numbers(bytes.Join(texts, nil)); !slices.Equal(got, upTo(3)) {
			t.Errorf("%s: %v", network, got)
		}
		for _, text := range texts {
			if !form.Match(text) {
				t.Errorf("%s: %.120s", network, text)
			}
		}
	}
	packets := func(network, address string) (string, func() [][]byte) {
		c, err := net.ListenPacket(network, address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c.LocalAddr().String(), func() (out [][]byte) {
			buf := make([]byte, 1<<16)
			for range 3 {
				c.SetReadDeadline(time.Now().Add(10 * time.Second))
				n, _, err := c.ReadFrom(buf)
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, bytes.Clone(buf[:n]))
			}
			return out
		}
	}
	address, read := packets("udp", "127.0.0.1:0")
	s := newStore(t)
	d := outlets(t, s, "syslog+udp://"+address)
	commit(t, s, 0, 3)
	drain(t, d)
	check("udp", read())

	socket, read := packets("unixgram", filepath.Join(t.TempDir(), "log"))
	s = newStore(t)
	d = outlets(t, s, "syslog+unix://"+socket)
	commit(t, s, 0, 3)
	drain(t, d)
	check("unix", read())

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan []byte, 10)
	go func() { // takes one message a connection, then closes it
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			in := bufio.NewReader(c)
			length, _ := in.ReadString(' ')
			n, _ := strconv.Atoi(strings.TrimSpace(length))
			text := make([]byte, n)
			if _, err := io.ReadFull(in, text); err != nil {
				t.Errorf("length %q: %v", length, err)
			}
			c.Close()
			got <- text
		}
	}()
	s = newStore(t)
	d = outlets(t, s, "syslog+tcp://"+l.Addr().String())
	var texts [][]byte
	for n := range 3 {
		commit(t, s, n, n+1)
		drain(t, d)
		texts = append(texts, <-got)
		time.Sleep(5 * time.Millisecond)
	}
	check("tcp", texts)

	long := found(0)
	long.Record["uid"] = strings.Repeat("x", 2*mostDatagram)
	text, err := newSyslog("udp", "", "plumbline", time.Second).message(*long)
	whole := bytes.Contains(text, []byte(long.ID)) && bytes.HasSuffix(text, []byte("}"))
	if err != nil || len(text) > mostDatagram || !whole {
		t.Errorf("%d bytes, %v", len(text), err)
	}
}

// TestKafka: records are in the topic by the broker of franz-go's own tests, the group as key.
func TestKafka(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "alerts"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	s := newStore(t)
	d := outlets(t, s, "kafka://"+strings.Join(cluster.ListenAddrs(), ",")+"/alerts")
	commit(t, s, 0, 300)
	drain(t, d)
	c, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumeTopics("alerts"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var text []byte
	for len(numbers(text)) < 300 && ctx.Err() == nil {
		c.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			text = append(text, r.Value...)
			if n := numbers(r.Value)[0]; string(r.Key) != found(n).Group || string(r.Headers[0].Value) != found(n).ID {
				t.Errorf("alert %d has the key %s", n, r.Key)
			}
		})
	}
	if got := numbers(text); !slices.Equal(got, upTo(300)) {
		t.Errorf("%d records", len(got))
	}
}

// child is the environment variable that makes the test binary a process that delivers: the store, then targets.
const child = "PLUMBLINE_TEST_DELIVER"

// TestChild is not a test: it is the process that TestKilled kills.
func TestChild(t *testing.T) {
	args := strings.Split(os.Getenv(child), "|")
	if len(args) < 2 {
		t.Skip("this is the process of another test")
	}
	s, err := alerts.Open(args[0])
	if err != nil {
		t.Fatal(err)
	}
	outlets(t, s, args[1:]...).Run(context.Background())
}

// TestKilled: a process that delivers, and is killed again and again, leaves each alert once in a file, and once or
// more at a webhook, in order.
func TestKilled(t *testing.T) {
	s, r := newStore(t), newReceiver(t)
	path := filepath.Join(t.TempDir(), "alerts.ndjson")
	outlets(t, s, "file:"+path, r.URL).Close() // they begin before the first alert
	const n = 1200
	for k := range 8 {
		c := exec.Command(os.Args[0], "-test.run=^TestChild$")
		c.Env = append(os.Environ(), child+"="+strings.Join([]string{s.Path(), "file:" + path, r.URL}, "|"))
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		for i := range 15 {
			commit(t, s, k*150+i*10, k*150+i*10+10)
			time.Sleep(2 * time.Millisecond)
		}
		time.Sleep(time.Duration(20*(k%4)) * time.Millisecond)
		c.Process.Kill()
		c.Wait()
	}
	drain(t, outlets(t, s, "file:"+path, r.URL))
	raw, _ := os.ReadFile(path)
	if got := numbers(raw); !slices.Equal(got, upTo(n)) {
		t.Errorf("%d alerts in the file, want %d", len(got), n)
	}
	var first []int // without those that were sent again
	seen := map[int]bool{}
	for _, v := range r.taken() {
		if !seen[v] {
			first = append(first, v)
		}
		seen[v] = true
	}
	if !slices.Equal(first, upTo(n)) {
		t.Errorf("%d alerts at the webhook, want %d", len(first), n)
	}
}

func TestSettings(t *testing.T) {
	t.Setenv("ALERT_TOKEN", "secret")
	read := func(text string) (Settings, error) {
		path := filepath.Join(t.TempDir(), "watch.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return ReadSettings(path)
	}
	s, err := read(`
to:
  - stdout
  - file:alerts.ndjson
  - {to: "https://soc.example/hook", headers: {Authorization: "Bearer ${ALERT_TOKEN}"}, batch: 50, timeout: 30s}
  - {to: "syslog+udp://127.0.0.1", layout: zeek-notice}
layout: ecs
limit: {alerts: 10, per: 30m}
ignore:
  - {src: 10.0.0.0/8, cause: duration, within: 20 %}
keep: 1000
`)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.To) != 4 || s.To[0].Batch != 1 || s.To[2].Batch != 50 || time.Duration(s.To[2].Timeout) != 30*time.Second ||
		s.Layout != "ecs" || s.Limit.Alerts != 10 || len(s.Ignore) != 1 || s.Keep != 1000 {
		t.Errorf("%+v", s)
	}
	sink, err := s.To[2].Open("ecs", nil)
	if err != nil || sink.(*webhook).headers.Get("Authorization") != "Bearer secret" {
		t.Errorf("%v, %+v", err, sink)
	}
	if sink, err := s.To[3].Open("ecs", nil); err != nil || sink.(*syslog).address != "127.0.0.1:514" ||
		sink.(*syslog).layout != "zeek-notice" {
		t.Errorf("%v, %+v", err, sink)
	}
	for text, want := range map[string]string{
		"to: [carrier-pigeon]":                               "syslog+udp://",
		"to: ['file:']":                                      "wants a path",
		"to: ['kafka://host:9092']":                          "TOPIC",
		"to: [{to: stdout, batch: 2}]":                       "are of webhooks",
		"to: [{to: 'syslog+tcp://h', timeout: 0s}]":          "want more than 0s",
		"{to: stdout, keep_groups: 0}":                       "at least 1",
		"to: [{to: 'http://h', headers: {X: '${NO_SUCH}'}}]": "the environment has no ${NO_SUCH}",
		"to: [{too: stdout}]":                                "unknown key",
		"to: ['http://']":                                    "names no host",
		"to: ['syslog+unix://']":                             "names no socket",
		"layout: xml":                                        "ecs",
		"limits: {}":                                         "limit",
	} {
		_, err := read(text)
		var ps settings.Problems
		if !errors.As(err, &ps) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	hidden := Target{To: "https://user:hunter2@soc.example/hook", Batch: 1}
	if name := hidden.Name(); strings.Contains(name, "hunter2") {
		t.Errorf("a password in %s", name)
	}
	two := Default()
	two.To = []Target{{To: "stdout", Batch: 1}, {To: "stdout", Batch: 1}}
	_, err = New(t.Context(), newStore(t), two, io.Discard, nil)
	if err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("a sink that is named twice: %v", err)
	}
}

// TestRedirected: a receiver that sends requests on to another address, as they are, gets the alerts there; one that
// answers with the address of a page, such as one to sign in, has not taken them, whatever the page says.
func TestRedirected(t *testing.T) {
	s := newStore(t)
	var status atomic.Int32
	var pages atomic.Int32
	var mu sync.Mutex
	var got []int
	mux := http.NewServeMux()
	mux.HandleFunc("/hook", func(w http.ResponseWriter, q *http.Request) {
		to := "/page"
		if status.Load() >= 307 {
			to = "/hooks"
		}
		http.Redirect(w, q, to, int(status.Load()))
	})
	mux.HandleFunc("/page", func(http.ResponseWriter, *http.Request) { pages.Add(1) })
	mux.HandleFunc("POST /hooks", func(_ http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		mu.Lock()
		defer mu.Unlock()
		got = append(got, numbers(body)...)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	d := outlets(t, s, server.URL+"/hook")
	commit(t, s, 0, 5)
	for _, code := range []int32{301, 302, 303} {
		status.Store(code)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if d.Drain(ctx) == nil {
			t.Errorf("%d: sent", code)
		}
		cancel()
	}
	if n := pages.Load(); n > 0 {
		t.Errorf("the page was asked for %d times", n)
	}
	for i, code := range []int32{307, 308} {
		status.Store(code)
		commit(t, s, 5*(i+1), 5*(i+2))
		drain(t, d)
	}
	if !slices.Equal(got, upTo(15)) {
		t.Errorf("%v", got)
	}
}

// TestTwoProcesses: of two deliveries with one store that send to the same file one does, so that each alert is there
// once; when that one ends the other goes on where it was. Standard output is of each.
func TestTwoProcesses(t *testing.T) {
	s := newStore(t)
	path := filepath.Join(t.TempDir(), "alerts.ndjson")
	var mu sync.Mutex
	owner := ""
	one, two := outlets(t, s, "file:"+path, "stdout"), outlets(t, s, "file:"+path)
	for name, d := range map[string]*Delivery{"one": one, "two": two} {
		d.Claim = func(sink string) (func(), bool, error) {
			mu.Lock()
			defer mu.Unlock()
			if sink != "file:"+path || owner != "" {
				return nil, true, errors.New("it is taken")
			}
			owner = name
			return func() { mu.Lock(); owner = ""; mu.Unlock() }, false, nil
		}
	}
	sent := func(want int) {
		t.Helper()
		raw, err := os.ReadFile(path)
		if err != nil || !slices.Equal(numbers(raw), upTo(want)) {
			t.Errorf("%v, %v, want %d", numbers(raw), err, want)
		}
	}
	commit(t, s, 0, 5)
	drain(t, one)
	commit(t, s, 5, 7)
	drain(t, two) // the other one has the file
	sent(5)
	drain(t, one)
	sent(7)
	commit(t, s, 7, 9)
	one.Close()
	drain(t, two)
	sent(9)
	drain(t, two)
	sent(9)
}
