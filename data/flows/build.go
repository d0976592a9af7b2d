package flows

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sync"

	"plumbline/data/packets"
	"plumbline/data/rows"
	"plumbline/numeric/parallel"
)

// Settings are those of the table for any vocabulary.
type Settings struct {
	// Tunnels opens tunnels ([packets.Options]).
	Tunnels bool
	// Checksums is whether checksums are looked at; nil: as the vocabulary has it ([Policy.Checksums]).
	Checksums *bool
	// VLAN keeps connections of different VLANs apart, whatever the vocabulary's policy is.
	VLAN bool
	// MaxOpen is how many connections are open at a time, at least 1: for one more, the one ends whose last packet came
	// before those of all others.
	MaxOpen int
	// Joined takes files for one: rows stand as if they were. Otherwise those of flows that ended in a file come before
	// those of the next.
	Joined bool
}

// DefaultMaxOpen is the usual bound of open connections.
const DefaultMaxOpen = 1_000_000

// Report is what there is to say about the flows of a stream.
type Report struct {
	packets.Counts
	Flows    uint64 // connections that began
	Records  uint64
	Evicted  uint64 // connections that had to make room
	Cut      int    // files that end in the middle of a record
	Warnings []string
}

// Sink takes rows of flows. The chunk is valid until it returns. file is the file of the stream that was being read
// when the flows ended.
type Sink func(chunk *rows.Chunk, file int) error

// Connections that are due are ended at ticks: after that many frames, or as soon as the clock of the capture has
// entered another second after the least number. Neither depends on files or workers.
const (
	mostPerTick  = 1 << 15
	leastPerTick = 1 << 10
)

// rowsPerChunk is how many rows go to the sink at once, but for the end of a file.
const rowsPerChunk = 1 << 14

// shardsFor is over how many tables connections are spread, whatever the number of workers: one where few are open.
func shardsFor(maxOpen int) int {
	const many, each = 16, 1 << 12
	if maxOpen < many*each {
		return 1
	}
	return many
}

// Build makes flows of a stream of captures and gives them to sink in rows of the columns that specs has, without those
// of skip. One goroutine reads and decodes, up to workers hold the tables, one writes.
func Build(ctx context.Context, r *packets.Reader, v Vocabulary, s Settings, specs []rows.ColumnSpec, skip []bool,
	workers int, sink Sink) (*Report, error) {
	if s.MaxOpen < 1 {
		return nil, fmt.Errorf("flows: %d open connections: want at least 1", s.MaxOpen)
	}
	return newBuilder(r, v, s, specs, skip, workers, shardsFor(s.MaxOpen), sink).run(ctx)
}

func newBuilder(r *packets.Reader, v Vocabulary, s Settings, specs []rows.ColumnSpec, skip []bool, workers, shards int,
	sink Sink) *builder {
	policy := v.Policy()
	policy.VLAN = policy.VLAN || s.VLAN
	if s.Checksums != nil {
		policy.Checksums = *s.Checksums
	}
	b := &builder{vocabulary: v, policy: policy, settings: s, reader: r, sink: sink, workers: min(max(1, workers), shards),
		room: room{limit: s.MaxOpen}}
	for range b.workers {
		b.outboxes = append(b.outboxes, &outbox{})
	}
	for i := range shards {
		out := b.outboxes[i%b.workers]
		b.tables = append(b.tables, newTable(v, policy, &b.room, out))
	}
	b.room.tables = b.tables
	b.row = &Row{specs: specs, skip: skip, chunk: rows.NewChunk(specs, skip)}
	b.row.init()
	return b
}

// builder is the goroutines of one stream.
type builder struct {
	vocabulary Vocabulary
	policy     Policy
	settings   Settings
	reader     *packets.Reader
	tables     []*table
	room       room
	outboxes   []*outbox // of the workers
	workers    int
	sink       Sink
	row        *Row
	report     Report

	lock sync.Mutex
	err  error
	stop context.CancelFunc
}

func (b *builder) fail(err error) {
	b.lock.Lock()
	if b.err == nil {
		b.err = err
		b.stop()
	}
	b.lock.Unlock()
}

// run starts the goroutines and waits for them.
func (b *builder) run(ctx context.Context) (*Report, error) {
	inner, stop := context.WithCancel(ctx)
	defer stop()
	b.stop = stop
	toWorker := make([]chan *batch, b.workers)
	toWriter := make([]chan flush, b.workers)
	free := make(chan *batch, batches)
	for range batches {
		free <- &batch{}
	}
	var wg parallel.Group
	guarded := func(f func()) {
		wg.Go(func() {
			defer func() {
				if r := recover(); r != nil {
					stop() // the others do not wait for it
					panic(r)
				}
			}()
			f()
		})
	}
	for w := range b.workers {
		toWorker[w], toWriter[w] = make(chan *batch, batches), make(chan flush, 2)
		guarded(func() { b.work(inner, w, toWorker[w], toWriter[w], free) })
	}
	guarded(func() { b.write(inner, toWriter) })
	b.read(inner, free, toWorker)
	wg.Wait()
	if b.err == nil {
		b.err = ctx.Err()
	}
	b.report.Warnings, b.report.Cut = b.reader.Warnings, b.reader.Cut
	for _, t := range b.tables {
		b.report.Flows += t.flows
		b.report.Evicted += t.evicted
	}
	return &b.report, b.err
}

// batches is how many of them are on their way.
const batches = 8

// batch is packets in order. Its packets are slices of its windows.
type batch struct {
	packets []packets.Packet
	keys    []key
	windows []*packets.Window
	held    int   // bytes of the windows
	flush   bool  // the records so far are written after it
	tick    bool  // connections that are due end after it
	now     int64 // the newest time of the stream
	file    int   // that is being read
	last    bool  // nothing comes after it
	alone   bool  // one worker takes it for all
	taken   chan struct{}
	waiting int // workers that have come to it, where it is taken alone
	users   int32
	lock    sync.Mutex
}

// A batch is sent when it has that many packets, or its windows are that large: packets of many bytes, or frames that
// have none.
const (
	packetsPerBatch = 512
	heldPerBatch    = 4 << 20
)

// release is called by each worker; the last one gives the batch back.
func (t *batch) release(r *room, free chan<- *batch) {
	t.lock.Lock()
	t.users--
	done := t.users == 0
	t.lock.Unlock()
	if !done {
		return
	}
	r.coming.Add(-int64(len(t.packets)))
	for i, w := range t.windows {
		w.Release()
		t.windows[i] = nil
	}
	t.packets, t.keys, t.windows, t.held = t.packets[:0], t.keys[:0], t.windows[:0], 0
	free <- t
}

// mention puts what the latest packet quotes, if it is an error message that belongs to a flow, after it.
func (t *batch) mention(policy *Policy) {
	n := len(t.packets) - 1
	if n < 0 || !t.keys[n].use || t.keys[n].mention {
		return
	}
	if p := t.packets[n].Proto; p != packets.ICMP && p != packets.ICMPv6 {
		return
	}
	if quoted, ok := policy.About(&t.packets[n]); ok {
		k := policy.keyOf(&quoted)
		k.mention = true
		t.packets, t.keys = append(t.packets, quoted), append(t.keys, k)
	}
}

// read reads and decodes the stream and hands its packets to all workers.
func (b *builder) read(ctx context.Context, free <-chan *batch, to []chan *batch) {
	defer func() {
		for _, c := range to {
			close(c)
		}
	}()
	decoder := packets.NewDecoder(packets.Options{Fragments: b.policy.Fragments, Tunnels: b.settings.Tunnels,
		Checksums: b.policy.Checksums, NonIP: b.policy.NonIP})
	var (
		frame packets.Frame
		cur   *batch
		clock packets.Clock
		file  int

		ticked   uint64 // the frame and the second of the last tick
		tickedAt int64
	)
	defer b.reader.Close()
	next := func() bool {
		select {
		case cur = <-free:
			cur.users = int32(len(to))
			return true
		case <-ctx.Done():
			return false
		}
	}
	send := func(flush, tick, last bool) bool {
		cur.flush, cur.tick, cur.last, cur.now, cur.file = flush, tick, last, clock.Now, file
		if cur.alone = b.room.admit(len(cur.packets)); cur.alone {
			cur.taken = make(chan struct{})
		}
		for _, c := range to {
			select {
			case c <- cur:
			case <-ctx.Done():
				return false
			}
		}
		return last || next()
	}
	if !next() {
		return
	}
	for {
		err := b.reader.Next(&frame)
		if err != nil && !errors.Is(err, io.EOF) {
			b.fail(err)
			return
		}
		if err != nil {
			break
		}
		if frame.File != file { // no tick: where files end makes no difference
			if !b.settings.Joined && !send(true, false, false) {
				return
			}
			file = frame.File
		}
		clock.Set(frame.Time)
		now := clock.Now / 1e9
		if since := frame.Number - ticked; since >= mostPerTick || since >= leastPerTick && now != tickedAt {
			ticked, tickedAt = frame.Number, now
			if !send(true, true, false) {
				return
			}
		}
		if n := len(cur.windows); n == 0 || cur.windows[n-1] != frame.Window {
			frame.Window.Retain()
			cur.windows = append(cur.windows, frame.Window)
			cur.held += frame.Window.Size()
		}
		cur.packets = decoder.Decode(&frame, cur.packets)
		for i, n := len(cur.keys), len(cur.packets); i < n; i++ {
			cur.keys = append(cur.keys, b.policy.keyOf(&cur.packets[i]))
		}
		if b.policy.About != nil {
			cur.mention(&b.policy)
		}
		if (len(cur.packets) >= packetsPerBatch || cur.held >= heldPerBatch) && !send(false, false, false) {
			return
		}
	}
	decoder.Finish()
	b.report.Counts = decoder.Counts
	send(true, false, true)
}

// work runs the tables of one worker.
func (b *builder) work(ctx context.Context, w int, from <-chan *batch, to chan<- flush, free chan<- *batch) {
	defer close(to)
	counted := 0
	for t := range from {
		if !t.alone {
			b.take(t, w)
		} else if !b.alone(ctx, t) {
			return
		}
		open := 0
		for shard := w; shard < len(b.tables); shard += b.workers {
			open += b.tables[shard].open
		}
		b.room.open.Add(int64(open - counted))
		counted = open
		flushed, tick, last, now, file := t.flush, t.tick, t.last, t.now, t.file
		t.release(&b.room, free)
		if !flushed {
			continue
		}
		b.outboxes[w].reclaim()
		if last { // all that is open is written
			b.outboxes[w].list = slices.Grow(b.outboxes[w].list, open)
		}
		for shard := w; shard < len(b.tables); shard += b.workers {
			switch {
			case last:
				b.tables[shard].finish(now)
			case tick:
				b.tables[shard].tick(now)
			}
		}
		select {
		case to <- flush{b.outboxes[w].take(), file}:
		case <-ctx.Done():
			return
		}
	}
}

// allTables stands for the tables of all workers.
const allTables = -1

// take gives the packets of a batch to the tables of a worker.
func (b *builder) take(t *batch, w int) {
	mask := uint64(len(b.tables) - 1)
	for i := range t.keys {
		k := &t.keys[i]
		if !k.use {
			continue
		}
		switch shard := int(k.hash >> 59 & mask); {
		case w != allTables && shard%b.workers != w:
		case k.mention:
			b.tables[shard].mention(&t.packets[i], k)
		default:
			b.tables[shard].packet(&t.packets[i], k)
		}
	}
}

// flush is the records of a worker since the tick before.
type flush struct {
	list []record
	file int
}

// write writes the records of all workers in order.
func (b *builder) write(ctx context.Context, from []chan flush) {
	file := 0
	lists := make([][]record, len(from))
	for {
		for i, c := range from {
			f, ok := <-c
			if !ok {
				if ctx.Err() == nil {
					b.flushRows(file)
				}
				drain(from)
				return
			}
			if f.file != file {
				b.flushRows(file)
				file = f.file
			}
			lists[i] = f.list
		}
		if !b.merge(lists, file) {
			drain(from)
			return
		}
	}
}

func drain(from []chan flush) {
	for _, c := range from {
		for range c {
		}
	}
}

// merge writes the lists of the workers, which are in order each, and gives them back.
func (b *builder) merge(lists [][]record, file int) bool {
	at := make([]int, len(lists))
	for {
		least := -1
		for i, l := range lists {
			if at[i] < len(l) && (least < 0 || compareRecords(l[at[i]], lists[least][at[least]]) < 0) {
				least = i
			}
		}
		if least < 0 {
			break
		}
		b.record(lists[least][at[least]].c)
		at[least]++
		if len(b.row.chunk.Lines) >= rowsPerChunk && !b.flushRows(file) {
			return false
		}
	}
	for i, l := range lists {
		if len(l) > 0 {
			b.outboxes[i].giveBack(l)
		}
	}
	return true
}

// record writes one row.
func (b *builder) record(c *Conn) {
	if b.policy.Keep != nil && !b.policy.Keep(c) {
		return
	}
	w := b.row
	w.at = 0
	b.vocabulary.Record(c, w)
	if w.at != len(w.specs) {
		panic(fmt.Sprintf("flows: a record has %d values for %d columns", w.at, len(w.specs)))
	}
	b.report.Records++
	w.chunk.Lines = append(w.chunk.Lines, int32(min(c.Number, math.MaxInt32)))
}

func (b *builder) flushRows(file int) bool {
	if len(b.row.chunk.Lines) == 0 {
		return true
	}
	if err := b.sink(b.row.chunk, file); err != nil {
		b.fail(err)
		return false
	}
	b.row.clear()
	return true
}
