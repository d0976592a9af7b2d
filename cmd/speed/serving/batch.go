package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"time"
)

// floatRows is how many rows of the prepared matrix are sent.
const floatRows = 1_000_000

// table is what a batch sends.
type table struct {
	name, path, kind, accept string
	rows                     int
	body                     func() (io.ReadCloser, int64, error)
	rate, cpu                []float64 // rows/s, CPU µs a row
}

// batch measures tables: rows a second by the clock, from the first byte that is sent to the last that came, with the
// client on the same processors, and processor time of the server.
func (b *bench) batch(ctx context.Context) error {
	p, _, err := b.serve(ctx)
	if err != nil {
		return err
	}
	defer p.stop()
	width, err := b.width(p)
	if err != nil {
		return err
	}
	file := func(path string) func() (io.ReadCloser, int64, error) {
		return func() (io.ReadCloser, int64, error) {
			f, err := os.Open(path)
			if err != nil {
				return nil, 0, err
			}
			st, err := f.Stat()
			if err != nil {
				f.Close()
				return nil, 0, err
			}
			return f, st.Size(), nil
		}
	}
	const forest, shrink = "/v1/models/forest/predict/batch", "/v1/models/shrink/predict/batch"
	const parquet, float = "application/vnd.apache.parquet", "application/octet-stream"
	list := []*table{
		{name: "CSV, isolation forest, answer as CSV", path: forest, kind: "text/csv", accept: "text/csv", rows: b.rows,
			body: file(b.csv)},
		{name: "CSV, isolation forest, answer as float64", path: forest, kind: "text/csv", accept: float, rows: b.rows,
			body: file(b.csv)},
		{name: "Parquet, isolation forest, answer as CSV", path: forest, kind: parquet, accept: "text/csv",
			rows: b.parquetRows, body: file(b.parquet)},
		{name: "Parquet, isolation forest, answer as float64", path: forest, kind: parquet, accept: float,
			rows: b.parquetRows, body: file(b.parquet)},
		{name: fmt.Sprintf("float32, shrink auto-encoder, %d columns, answer as float64", width), path: shrink, kind: float,
			accept: float, rows: floatRows, body: func() (io.ReadCloser, int64, error) { return matrix(floatRows, width) }},
	}
	for range b.rounds {
		for _, t := range list {
			if err := t.send(ctx, p); err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
		}
	}
	fmt.Printf("\nbatches: median, least to most of %d rounds in turn; most memory %.0f MB\n\n", b.rounds,
		p.resident("VmHWM"))
	fmt.Println("| batch | rows | rows/s by the clock | CPU µs a row |\n| --- | --- | --- | --- |")
	for _, t := range list {
		fmt.Printf("| %s | %d | %s | %s |\n", t.name, t.rows, spread(t.rate), spread(t.cpu))
	}
	return nil
}

// send sends a table once.
func (t *table) send(ctx context.Context, p *process) error {
	body, size, err := t.body()
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.base+t.path, body)
	if err != nil {
		return err
	}
	r.ContentLength = size
	r.Header.Set("Content-Type", t.kind)
	r.Header.Set("Accept", t.accept)
	before, begun := p.cpu(), time.Now()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		raw, _ := io.ReadAll(io.LimitReader(answer.Body, 1000))
		return fmt.Errorf("status %d: %s", answer.StatusCode, raw)
	}
	got, err := t.count(answer.Body)
	if err != nil || got != t.rows {
		return fmt.Errorf("%d scores for %d rows: %w", got, t.rows, err)
	}
	t.rate = append(t.rate, float64(t.rows)/time.Since(begun).Seconds())
	t.cpu = append(t.cpu, 1e6*(p.cpu()-before)/float64(t.rows))
	return nil
}

// count is how many scores an answer has.
func (t *table) count(in io.Reader) (n int, err error) {
	room := make([]byte, 1<<18)
	lines, size := 0, 0
	for err == nil {
		var k int
		k, err = in.Read(room)
		lines, size = lines+bytes.Count(room[:k], []byte{'\n'}), size+k
	}
	if err == io.EOF {
		err = nil
	}
	if t.accept == "text/csv" {
		return lines - 1, err
	}
	return size / 8, err
}

// width is how many columns the rows of the shrink auto-encoder's matrix have.
func (b *bench) width(p *process) (int, error) {
	answer, err := http.Get(p.base + "/v1/models/shrink")
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	var m struct{ Prepared []string }
	err = json.NewDecoder(answer.Body).Decode(&m)
	return len(m.Prepared), err
}

// matrix is rows of numbers from 0 to 1, a block of them again and again.
func matrix(rows, width int) (io.ReadCloser, int64, error) {
	const block = 1000
	raw := make([]byte, 4*block*width)
	for i := 0; i < len(raw); i += 4 {
		bits := math.Float32bits(float32(i*7919%10_007) / 10_007)
		raw[i], raw[i+1], raw[i+2], raw[i+3] = byte(bits), byte(bits>>8), byte(bits>>16), byte(bits>>24)
	}
	size := int64(rows) * int64(width) * 4
	return io.NopCloser(io.LimitReader(&again{raw: raw}, size)), size, nil
}

// again is bytes without end.
type again struct {
	raw []byte
	at  int
}

// Read goes on in the bytes.
func (a *again) Read(p []byte) (int, error) {
	n := copy(p, a.raw[a.at:])
	a.at = (a.at + n) % len(a.raw)
	return n, nil
}
