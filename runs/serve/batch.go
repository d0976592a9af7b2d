package serve

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"plumbline/data"
	"plumbline/data/input"
	"plumbline/data/source"
	"plumbline/runs/bundle"
)

// Media types of batches.
const (
	csvType     = "text/csv"
	ndjsonType  = "application/x-ndjson"
	parquetType = "application/vnd.apache.parquet"
	floatType   = "application/octet-stream"
)

// slowest is how many bytes of a batch have to come in a second, after the time limit of a small request.
const slowest = 16 << 10

// batch answers POST /v1/predict/batch and /v1/models/{m}/predict/batch: a score for each row of a table that is
// streamed. The answer begins when the last row is scored, so that its status holds for all of it.
func (s *Server) batch(w http.ResponseWriter, r *http.Request) error {
	kind := r.Header.Get("Content-Type")
	if alike(kind, "application/ndjson", "application/jsonl") {
		kind = ndjsonType
	}
	if !alike(kind, csvType, ndjsonType, parquetType, floatType) {
		return refuse(http.StatusUnsupportedMediaType, "", "the body is of type %q, want %s, %s, %s or %s", kind, csvType,
			ndjsonType, parquetType, floatType)
	}
	name := r.PathValue("model")
	if name == "" {
		name = r.URL.Query().Get("model")
	}
	m, err := s.pick(name)
	if err != nil {
		return err
	}
	a := asked{threshold: float64(m.Threshold.Score), unknown: s.o.Unknown}
	if text := r.URL.Query().Get("threshold"); text != "" {
		if a.threshold, err = strconv.ParseFloat(text, 64); err != nil || finite(a.threshold) == nil {
			return wrong("/threshold", "want a number")
		}
	}
	switch text := r.URL.Query().Get("unknown"); text {
	case "":
	case AcceptUnknown, RefuseUnknown:
		a.unknown = text
	default:
		return wrong("/unknown", "want %s or %s", AcceptUnknown, RefuseUnknown)
	}
	out, err := newSheet(s.o.Spool, 8*s.o.BatchBody, r.Header.Get("Accept"), kind)
	if err != nil {
		return err
	}
	defer out.close()
	if err := s.batches.turn(r.Context()); err != nil {
		return err
	}
	defer s.batches.leave()
	in, _, err := unpacked(w, r, s.o.BatchBody)
	if err != nil {
		return err
	}
	in = &paced{in: io.LimitReader(in, s.o.BatchBody+1), limit: s.o.BatchBody, c: http.NewResponseController(w),
		from: time.Now().Add(s.o.Timeout), last: time.Now().Add(s.o.BatchTime)}
	b := &batch{s: s, m: m, asked: a, out: out}
	switch {
	case alike(kind, floatType):
		err = b.floats(r.Context(), in)
	case alike(kind, parquetType):
		err = b.parquet(r.Context(), in)
	case alike(kind, csvType):
		err = b.stream(r.Context(), "delimited", in)
	default:
		err = b.stream(r.Context(), "ndjson", in)
	}
	if err != nil {
		return unread(err)
	}
	s.counts.scored(m.Name, b.records, b.anomalies)
	h := w.Header()
	h.Set("Content-Type", out.kind)
	h.Set("Content-Length", strconv.FormatInt(out.size, 10))
	h.Set("Plumbline-Model", m.Name)
	h.Set("Plumbline-Version", m.Version)
	if v := finite(a.threshold); v != nil {
		h.Set("Plumbline-Threshold", strconv.FormatFloat(*v, 'g', -1, 64))
	}
	return out.send(w)
}

// paced is a body that has to come at some speed.
type paced struct {
	in         io.Reader
	c          *http.ResponseController
	from, last time.Time // the deadline of the first bytes, and of all
	n, limit   int64
	told       int64
}

// Read moves the deadline on as bytes come.
func (p *paced) Read(b []byte) (int, error) {
	if p.told == 0 || p.n-p.told >= slowest {
		at := p.from.Add(time.Duration(float64(p.n) / slowest * float64(time.Second)))
		if at.After(p.last) {
			at = p.last
		}
		p.c.SetReadDeadline(at)
		p.told = max(1, p.n)
	}
	n, err := p.in.Read(b)
	if p.n += int64(n); p.n > p.limit {
		return 0, tooLarge(p.limit)
	}
	return n, err
}

// batch is a table at work.
type batch struct {
	s *Server
	m *Model
	asked
	out       *sheet
	records   int
	anomalies int
}

// stream scores rows of text as they come; where a score depends on other rows, all at once.
func (b *batch) stream(ctx context.Context, format string, in io.Reader) error {
	c, err := b.m.body(format)
	if err != nil {
		return err
	}
	return rowFault(c.StreamFrom(ctx, in, "body", runtime.GOMAXPROCS(0), !b.m.alone, b.s.o.BatchBody,
		func(t *data.Table) error { return b.table(ctx, t) }))
}

// body is how rows of the model's inputs are read that come by themselves.
func (m *Model) body(format string) (*source.Config, error) {
	fields := make([]data.Field, m.needs)
	for i := range fields {
		fields[i] = m.inputs[i].Field
	}
	return m.read.Body(format, fields)
}

// rowFault is an error about rows of a body, which is the client's.
func rowFault(err error) error {
	if err == nil {
		return nil
	}
	of := asRefusal(err)
	if errors.Is(err, source.ErrMemory) {
		return refuse(http.StatusRequestEntityTooLarge, "", "the rows are judged together, and their table takes more "+
			"memory than it may")
	}
	if of.status == http.StatusInternalServerError {
		return refuse(http.StatusBadRequest, "", "%v", err)
	}
	return of
}

// table scores rows.
func (b *batch) table(ctx context.Context, t *data.Table) error {
	if err := b.known(t); err != nil {
		return err
	}
	if b.m.alone && b.m.ByRow() { // piece by piece: a row group of Parquet may be large
		for from := 0; from < t.Rows; from += pieceRows {
			rows := make([]int32, min(pieceRows, t.Rows-from))
			for i := range rows {
				rows[i] = int32(from + i)
			}
			_, scores, err := b.m.ScoreRows(ctx, t, rows)
			if err != nil {
				return err
			}
			b.records += len(rows)
			if err := b.scores(nil, scores); err != nil {
				return err
			}
		}
		return nil
	}
	scored, err := b.m.Score(ctx, t)
	if err != nil {
		return err
	}
	b.records += t.Rows
	return b.scores(scored.Units.Keys, scored.Scores)
}

// scores adds scores to the answer, with the names of their units where there are some.
func (b *batch) scores(units []string, scores []float64) error {
	for k, v := range scores {
		unit := ""
		if units != nil {
			unit = units[k]
		}
		if v > b.threshold {
			b.anomalies++
		}
		if err := b.out.line(unit, v, b.threshold, b.m.Calibration.P(v)); err != nil {
			return err
		}
	}
	return nil
}

// parquet scores the rows of a Parquet file, which is read from its end: the body is kept in a file first.
func (b *batch) parquet(ctx context.Context, in io.Reader) error {
	f, err := os.CreateTemp(b.s.o.Spool, "plumbline-*.parquet")
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = io.Copy(f, in)
	if err = errors.Join(err, f.Close()); err != nil {
		return unread(err)
	}
	file, err := input.Open(f.Name())
	if err != nil {
		return refuse(http.StatusBadRequest, "", "the body is no Parquet file")
	}
	defer file.Close()
	os.Remove(f.Name()) // as that of an answer
	return b.stream(ctx, "parquet", file)
}

// How many rows are scored at a time, of a table and of the prepared matrix.
const (
	pieceRows  = 8192
	floatBlock = 8192
)

// floats scores rows of the prepared matrix, as little-endian float32, one after the other.
func (b *batch) floats(ctx context.Context, in io.Reader) error {
	m := b.m
	if m.prepped == nil || m.Info.Needs.Batch {
		return refuse(http.StatusUnsupportedMediaType, "", "the model %s sees no rows of a matrix: send records", m.Name)
	}
	d := len(m.prepped.features)
	blocks := make(chan []float32, 1)
	free := make(chan []float32, 3)
	for range cap(free) {
		free <- make([]float32, floatBlock*d)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var readErr error // set before blocks is closed
	go func() {       // reads the next block while one is scored
		defer close(blocks)
		for {
			var x []float32
			select {
			case x = <-free:
			case <-ctx.Done():
				return
			}
			n, err := readFloats(in, x[:cap(x)])
			switch {
			case err != nil && !errors.Is(err, io.EOF):
				readErr = unread(err)
				return
			case n%d != 0:
				readErr = refuse(http.StatusBadRequest, "", "the body ends within a row of %d float32", d)
				return
			}
			if n > 0 {
				select {
				case blocks <- x[:n]:
				case <-ctx.Done():
					return
				}
			}
			if err != nil {
				return
			}
		}
	}()
	var err error
	for x := range blocks { // to the end, also after an error: the reader must not outlive the request
		if err != nil {
			continue
		}
		if err = b.floatRows(ctx, x, d); err != nil {
			stop()
		}
		free <- x
	}
	switch {
	case readErr != nil: // a read that fails cancels the request, which scoring may have met
		return readErr
	case err != nil:
		return err
	}
	return ctx.Err()
}

// floatRows scores rows of width d.
func (b *batch) floatRows(ctx context.Context, x []float32, d int) error {
	n := len(x) / d
	set := &data.Set{Kind: data.Vectors, N: n, D: d, X: x, Features: b.m.prepped.features}
	scores, err := bundle.Score(ctx, b.m.Detector, set)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return ctx.Err()
	default:
		return refuse(http.StatusBadRequest, "", "of the rows from %d on: %v", b.records, err)
	}
	b.records += n
	return b.scores(nil, scores)
}

// sheet is the answer of a batch, which is kept until it is whole: in memory, and what does not fit there in a file.
type sheet struct {
	kind     string // media type
	size     int64
	limit    int64
	folder   string
	row      []byte
	head     []byte
	file     *os.File
	to       *bufio.Writer
	withUnit bool
}

// sheetMemory is how much of an answer is kept in memory.
const sheetMemory = 4 << 20

func newSheet(folder string, limit int64, accept, sent string) (*sheet, error) {
	out := &sheet{folder: folder, limit: limit}
	switch {
	case alike(accept, csvType, ndjsonType, floatType):
		out.kind, _, _ = strings.Cut(accept, ";")
	case accept != "" && accept != "*/*" && !alike(accept, "application/json"):
		return nil, refuse(http.StatusNotAcceptable, "", "the answer can be %s, %s or %s, not %q", csvType, ndjsonType,
			floatType, accept)
	case alike(sent, csvType):
		out.kind = csvType
	case alike(sent, floatType):
		out.kind = floatType
	default:
		out.kind = ndjsonType
	}
	return out, nil
}

// line adds a score: as CSV or NDJSON with the decision and the p-value, NaN for none, or as a float64 alone.
func (o *sheet) line(unit string, score, threshold, p float64) error {
	row := o.row[:0]
	switch o.kind {
	case floatType:
		bits := math.Float64bits(score)
		row = append(row, byte(bits), byte(bits>>8), byte(bits>>16), byte(bits>>24), byte(bits>>32), byte(bits>>40),
			byte(bits>>48), byte(bits>>56))
	case csvType:
		if o.size == 0 {
			o.withUnit = unit != ""
			if o.withUnit {
				row = append(row, "unit,"...)
			}
			row = append(row, "score,anomaly,p_value\n"...)
		}
		if o.withUnit {
			row = append(appendCSV(row, unit), ',')
		}
		row = strconv.AppendFloat(row, score, 'g', -1, 64)
		row = append(row, ',')
		if threshold == threshold {
			row = strconv.AppendBool(row, score > threshold)
		}
		row = append(row, ',')
		if p == p {
			row = strconv.AppendFloat(row, p, 'g', -1, 64)
		}
		row = append(row, '\n')
	default:
		row = append(row, '{')
		if unit != "" {
			row = append(appendJSON(append(row, `"unit":`...), unit), ',')
		}
		row = strconv.AppendFloat(append(row, `"score":`...), score, 'g', -1, 64)
		row = append(row, `,"anomaly":`...)
		if threshold == threshold {
			row = strconv.AppendBool(row, score > threshold)
		} else {
			row = append(row, "null"...)
		}
		row = append(row, `,"p_value":`...)
		if p == p {
			row = strconv.AppendFloat(row, p, 'g', -1, 64)
		} else {
			row = append(row, "null"...)
		}
		row = append(row, "}\n"...)
	}
	o.row = row
	if o.size += int64(len(row)); o.size > o.limit {
		return refuse(http.StatusRequestEntityTooLarge, "", "the answer would have more than %d bytes", o.limit)
	}
	if o.to == nil && len(o.head)+len(row) <= sheetMemory {
		o.head = append(o.head, row...)
		return nil
	}
	if o.to == nil {
		var err error
		if o.file, err = os.CreateTemp(o.folder, "plumbline-*.answer"); err != nil {
			return fmt.Errorf("serve: %w", err)
		}
		os.Remove(o.file.Name()) // where the system allows it, so that nothing stays when the program is killed
		o.to = bufio.NewWriterSize(o.file, 1<<18)
	}
	if _, err := o.to.Write(row); err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// send sends the answer.
func (o *sheet) send(w http.ResponseWriter) error {
	w.WriteHeader(http.StatusOK)
	if _, err := w.Write(o.head); err != nil || o.to == nil {
		return nil // the client has gone
	}
	if err := o.to.Flush(); err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	if _, err := o.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	io.Copy(w, o.file) // the client may go
	return nil
}

func (o *sheet) close() {
	if o.file != nil {
		o.file.Close()
		os.Remove(o.file.Name())
	}
}
