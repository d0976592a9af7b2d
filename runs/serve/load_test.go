package serve_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"plumbline/runs/serve"
)

// loadTime is how long the mixed load lasts: PLUMBLINE_LOAD, such as 60s, makes it longer.
func loadTime(t testing.TB) time.Duration {
	if text := os.Getenv("PLUMBLINE_LOAD"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	return 2 * time.Second
}

// told says whether a status tells a client that the server is busy, or that a second was too short: for its body to
// come, or for its answer.
func told(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusRequestTimeout ||
		status == http.StatusServiceUnavailable
}

// TestMixedLoad: good, malformed, huge and slow requests at the same time. Every good one has its scores or is told
// that the server is busy, every bad one an error of its own, and the memory stays within bounds.
func TestMixedLoad(t *testing.T) {
	tr := train(t, "flow")
	address, s, _ := started(t, tr, func(o *serve.Options) {
		o.Body, o.Memory, o.BatchBody, o.Queue, o.Timeout = 1<<20, 4<<20, 4<<20, 4, time.Second
		o.Reload = 20 * time.Millisecond
	}, "iforest", "sequent", "ae")
	labels := []string{"iforest", "sequent", "ae"}
	bodies := map[string][]byte{}
	for _, l := range labels {
		bodies[l] = encode(t, map[string]any{"model": l, "records": tr.records(40)})
	}
	text := tr.csv(t, tr.table.Rows)
	end := bytes.LastIndexByte(text[:len(text)-1], '\n')
	cut := text[:end+(len(text)-end)/2] // the last row lacks cells
	first := map[string][]float64{}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: 2 * time.Minute}
	defer client.CloseIdleConnections()
	var sent atomic.Int64
	send := func(at, kind string, body io.Reader) (int, []byte, error) {
		begun := time.Now()
		answer, err := client.Post("http://"+address+at, kind, body)
		if err != nil && time.Since(begun) > 2*time.Second { // so busy that the time to write an answer was over, too
			return http.StatusServiceUnavailable, nil, nil
		}
		if err != nil {
			return 0, nil, err
		}
		defer answer.Body.Close()
		raw, err := io.ReadAll(answer.Body)
		if n := sent.Add(1); err == nil && (n < 100 || n%16 == 0) { // all would take more time than the answers
			as := &http.Request{Method: "POST", URL: answer.Request.URL, Header: http.Header{}}
			checked(t, as, nil, answer.StatusCode, answer.Header, raw)
		}
		return answer.StatusCode, raw, err
	}
	for _, l := range labels { // of the first 40 records alone: windows of traces are cut from them
		status, raw, err := send("/v1/predict", jsonKind, bytes.NewReader(bodies[l]))
		if err != nil {
			t.Fatal(err)
		}
		first[l] = scoresOf(decode[serve.Answer](t, status, raw))
	}
	for _, l := range []string{"iforest", "ae"} {
		if !slices.Equal(first[l], tr.scores[l][:40]) {
			t.Errorf("%s: other scores than the run gave", l)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), loadTime(t))
	defer cancel()
	var counts [600]atomic.Int64
	var left atomic.Int64 // clients that went before they had their answer
	var highest atomic.Uint64
	fault := func(format string, args ...any) { t.Errorf(format, args...); cancel() }
	kinds := []func(r *rand.Rand){
		func(r *rand.Rand) {
			l := labels[r.IntN(len(labels))]
			status, raw, err := send("/v1/predict", jsonKind, bytes.NewReader(bodies[l]))
			if err != nil {
				fault("%v", err)
				return
			}
			counts[status].Add(1)
			if told(status) {
				return
			}
			if got := scoresOf(decode[serve.Answer](t, status, raw)); !slices.Equal(got, first[l]) {
				fault("%s: other scores under load", l)
			}
		},
		func(r *rand.Rand) { // one byte is another
			raw := bytes.Clone(bodies["iforest"])
			at := r.IntN(len(raw))
			raw[at] = byte(r.Uint32())
			status, answer, err := send("/v1/predict", jsonKind, bytes.NewReader(raw))
			if err != nil || status >= 500 && !told(status) {
				fault("byte %d is %d: status %d, %s, %v", at, raw[at], status, answer, err)
			}
			counts[status].Add(1)
		},
		func(r *rand.Rand) { // more than is taken, of a stated length or not
			huge := io.Reader(bytes.NewReader(bytes.Repeat([]byte(" "), 2<<20)))
			if r.IntN(2) == 0 {
				huge = io.MultiReader(huge)
			}
			status, _, err := send("/v1/predict", jsonKind, huge)
			if err == nil && status != 413 && !told(status) { // the connection may end while the body is sent
				fault("2 MB: status %d", status)
			}
			counts[status].Add(1)
		},
		func(*rand.Rand) { // half a request
			c, err := net.Dial("tcp", address)
			if err != nil {
				fault("%v", err)
				return
			}
			defer c.Close()
			begun := time.Now()
			fmt.Fprintf(c, "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"+
				"Content-Length: 1000\r\n\r\n{\"records\":")
			c.SetReadDeadline(begun.Add(10 * time.Second))
			raw, err := io.ReadAll(c)
			if len(raw) == 0 && time.Since(begun) > 2*time.Second { // the machine is so busy that the answer was late, too
				return
			}
			if err != nil || !bytes.Contains(raw, []byte(" 408 ")) && !bytes.Contains(raw, []byte(" 429 ")) {
				fault("half a request: %v, %.200s", err, raw)
				return
			}
			counts[408].Add(1)
		},
		func(*rand.Rand) {
			status, raw, err := send("/v1/models/iforest/predict/batch", "text/csv", bytes.NewReader(text))
			if err != nil {
				fault("%v", err)
				return
			}
			counts[status].Add(1)
			if told(status) {
				return
			}
			if !slices.Equal(csvScores(t, status, raw), tr.scores["iforest"]) {
				fault("a batch has other scores under load")
			}
		},
		func(*rand.Rand) { // cut off
			status, raw, err := send("/v1/models/iforest/predict/batch", "text/csv", bytes.NewReader(cut))
			if err == nil && status != 400 && !told(status) {
				fault("a cut batch: status %d, %.200s", status, raw)
			}
			counts[status].Add(1)
			s.Reload()
		},
		func(r *rand.Rand) { // nobody waits for the answer, or reads it to its end
			c, err := net.Dial("tcp", address)
			if err != nil {
				fault("%v", err)
				return
			}
			defer c.Close()
			body := bodies[labels[r.IntN(len(labels))]]
			fmt.Fprintf(c, "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"+
				"Content-Length: %d\r\n\r\n%s", len(body), body)
			if r.IntN(2) == 0 {
				c.SetReadDeadline(time.Now().Add(10 * time.Second))
				c.Read(make([]byte, 100))
			}
			left.Add(1)
		},
	}
	var wg sync.WaitGroup
	var fail any
	for worker := range 4 * len(kinds) {
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					fail = p
				}
			}()
			r := rand.New(rand.NewPCG(uint64(worker), 1))
			for ctx.Err() == nil {
				kinds[worker%len(kinds)](r)
				var m runtime.MemStats
				if worker == 0 {
					runtime.ReadMemStats(&m)
					highest.Store(max(highest.Load(), m.HeapInuse))
				}
			}
		})
	}
	wg.Wait()
	if fail != nil {
		t.Error(fail)
	}
	said := ""
	for code := range counts {
		if n := counts[code].Load(); n > 0 {
			said += fmt.Sprintf(" %d × %d", n, code)
		}
	}
	t.Logf("heap in use at most %d MB; answers:%s, %d clients left early", highest.Load()>>20, said, left.Load())
	if highest.Load() > 400<<20 {
		t.Errorf("%d MB of heap in use", highest.Load()>>20)
	}
	if counts[200].Load() == 0 || counts[400].Load() == 0 || counts[413].Load() == 0 || counts[408].Load() == 0 {
		t.Errorf("answers:%s", said)
	}
}

// TestBusy: where all turns are taken and the queue is full, a request is turned away at once, and the memory of bodies
// is given back.
func TestBusy(t *testing.T) {
	tr := train(t, "flow")
	address, _, _ := started(t, tr, func(o *serve.Options) { o.Body, o.Memory, o.Timeout = 1<<20, 1<<20, 2*time.Minute },
		"iforest") // the body that is held must not run out of time before it has been met, however busy the machine is
	hold := func() net.Conn { // a body of nearly 1 MB that does not end takes all the memory
		held, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(held, "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"+
			"Content-Length: 1000000\r\n\r\n")
		held.Write(bytes.Repeat([]byte(" "), 999999))
		return held
	}
	body := append(encode(t, map[string]any{"records": tr.records(1)}), bytes.Repeat([]byte(" "), 100000)...)
	busy := func() int {
		answer, err := http.Post("http://"+address+"/v1/predict", jsonKind, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		said, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		checked(t, answer.Request, nil, answer.StatusCode, answer.Header, said)
		if answer.StatusCode == 429 && answer.Header.Get("Retry-After") == "" {
			t.Error("429 does not say when to come again")
		}
		return answer.StatusCode
	}
	// How soon a body has been read nobody is told, and one that comes meanwhile may be the one that is served.
	deadline := time.Now().Add(time.Minute)
	held := hold()
	for wait := 10 * time.Millisecond; busy() != 429; wait *= 2 {
		if held.Close(); time.Now().After(deadline) {
			t.Fatal("nobody was turned away")
		}
		held = hold()
		time.Sleep(wait)
	}
	held.Close()
	for deadline = time.Now().Add(time.Minute); busy() != 200; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the memory of bodies that ended is not given back")
		}
	}
}
