package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed peer.py
var peerScript []byte

// peerFiles writes what the peer is made of.
func (b *bench) peerFiles() error {
	train, err := b.lines("KDDTrain+.txt")
	if err != nil {
		return err
	}
	names, err := json.Marshal(b.names)
	if err != nil {
		return err
	}
	for name, text := range map[string][]byte{"peer.py": peerScript, "columns.json": names,
		"KDDTrain+.txt": []byte(strings.Join(train, "\n") + "\n")} {
		if err := os.WriteFile(filepath.Join(b.dir, name), text, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// peer starts Flask on gunicorn with some settings.
func (b *bench) peer(ctx context.Context, settings []string) (*process, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // a free port
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	l.Close()
	args := append([]string{"-m", "gunicorn", "--preload", "-b", address}, settings...)
	cmd := exec.CommandContext(ctx, b.python, append(args, `peer:make("KDDTrain+.txt", "columns.json")`)...)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), "OPENBLAS_NUM_THREADS=1", "OMP_NUM_THREADS=1")
	p := &process{cmd: cmd, base: "http://" + address, said: &bytes.Buffer{}}
	cmd.Stderr = p.said
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if err := p.wait(p.base+"/", time.Minute); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// loaded is what wrk counted, and the processor time of the server meanwhile.
type loaded struct{ rate, p50, p99, cpu float64 } // requests/s, ms, ms, ms a request

var (
	rateForm    = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	latencyForm = regexp.MustCompile(`(50|99)%\s+([\d.]+)(us|ms|s)\n`)
	totalForm   = regexp.MustCompile(`(\d+) requests in`)
)

// load sends one request again and again. Any answer that is no success is an error.
func (b *bench) load(ctx context.Context, p *process, path string, seconds int) (l loaded, err error) {
	script := filepath.Join(b.dir, "post.lua")
	before := p.cpu()
	out, err := exec.CommandContext(ctx, "wrk", "-t1", "-c"+strconv.Itoa(b.connections), "-d"+strconv.Itoa(seconds)+"s",
		"--timeout", "30s", "--latency", "-s", script, p.base+path).CombinedOutput()
	if err != nil {
		return l, fmt.Errorf("wrk: %w: %s", err, out)
	}
	spent := p.cpu() - before
	l, requests, err := said(string(out))
	if err != nil {
		return l, fmt.Errorf("%s%s: %w", p.base, path, err)
	}
	l.cpu = 1000 * spent / requests
	return l, nil
}

// said is what wrk says, but for processor time, and how many requests there were.
func said(text string) (l loaded, requests float64, err error) {
	rate, total := rateForm.FindStringSubmatch(text), totalForm.FindStringSubmatch(text)
	latencies := latencyForm.FindAllStringSubmatch(text, -1)
	if rate == nil || total == nil || len(latencies) != 2 || strings.Contains(text, "Non-2xx") ||
		strings.Contains(text, "Socket errors") {
		return l, 0, fmt.Errorf("wrk says %s", text)
	}
	l.rate, _ = strconv.ParseFloat(rate[1], 64)
	requests, _ = strconv.ParseFloat(total[1], 64)
	for _, m := range latencies {
		v, _ := strconv.ParseFloat(m[2], 64)
		v *= map[string]float64{"us": 1e-3, "ms": 1, "s": 1e3}[m[3]]
		if m[1] == "50" {
			l.p50 = v
		} else {
			l.p99 = v
		}
	}
	return l, requests, nil
}

// script writes what wrk sends.
func (b *bench) script() error {
	body, err := b.record()
	if err != nil {
		return err
	}
	text := "wrk.method = \"POST\"\nwrk.headers[\"Content-Type\"] = \"application/json\"\nwrk.body = [==[" +
		string(body) + "]==]\n"
	return os.WriteFile(filepath.Join(b.dir, "post.lua"), []byte(text), 0o666)
}

// single measures requests of one record, of both servers in turn.
func (b *bench) single(ctx context.Context) error {
	if err := b.script(); err != nil {
		return err
	}
	type server struct {
		name, path string
		start      func() (*process, error)
		got        []loaded
	}
	servers := []*server{{name: "plumbline", path: "/v1/models/forest/predict", start: func() (*process, error) {
		p, _, err := b.serve(ctx)
		return p, err
	}}}
	if b.python != "" {
		for _, settings := range [][]string{{"-w", "2"}, {"-w", "3"}, {"-w", "2", "--threads", "2"}} {
			servers = append(servers, &server{name: "Flask, gunicorn " + strings.Join(settings, " "), path: "/predict",
				start: func() (*process, error) { return b.peer(ctx, settings) }})
		}
	}
	for range b.rounds {
		for _, s := range servers {
			p, err := s.start()
			if err != nil {
				return err
			}
			_, err = b.load(ctx, p, s.path, 2)
			if err == nil {
				var l loaded
				l, err = b.load(ctx, p, s.path, b.seconds)
				s.got = append(s.got, l)
			}
			if stopped := p.stop(); err == nil && s.name == "plumbline" {
				err = stopped
			}
			if err != nil {
				return err
			}
		}
	}
	fmt.Printf("\none record a request, wrk -t1 -c%d, %d s: median, least to most of %d rounds in turn\n\n",
		b.connections, b.seconds, b.rounds)
	fmt.Println("| server | requests/s | p50, ms | p99, ms | CPU ms a request |\n| --- | --- | --- | --- | --- |")
	column := func(s *server, of func(l loaded) float64) []float64 {
		var v []float64
		for _, l := range s.got {
			v = append(v, of(l))
		}
		return v
	}
	best := 0.0
	for i, s := range servers {
		rate := column(s, func(l loaded) float64 { return l.rate })
		fmt.Printf("| %s | %s | %s | %s | %s |\n", s.name, spread(rate),
			spread(column(s, func(l loaded) float64 { return l.p50 })),
			spread(column(s, func(l loaded) float64 { return l.p99 })),
			spread(column(s, func(l loaded) float64 { return l.cpu })))
		if i > 0 {
			best = max(best, median(rate))
		}
	}
	if best > 0 {
		own := median(column(servers[0], func(l loaded) float64 { return l.rate }))
		fmt.Printf("\n%.0f times the requests of the peer's best setting\n", own/best)
	}
	return nil
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// spread is the median with the least and the most.
func spread(v []float64) string {
	digits := func(x float64) string {
		switch {
		case x >= 100:
			return strconv.FormatFloat(x, 'f', 0, 64)
		case x >= 10:
			return strconv.FormatFloat(x, 'f', 1, 64)
		}
		return strconv.FormatFloat(x, 'f', 3, 64)
	}
	return fmt.Sprintf("%s (%s to %s)", digits(median(v)), digits(slices.Min(v)), digits(slices.Max(v)))
}
