package serve

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
)

// queue lets some requests work at a time and some wait; the rest are turned away at once.
type queue struct {
	turns   chan struct{}
	waiting atomic.Int64
	room    int64 // that may wait
}

func newQueue(turns, room int) *queue {
	return &queue{turns: make(chan struct{}, turns), room: int64(room)}
}

// turn waits for a turn, which leave gives back.
func (q *queue) turn(ctx context.Context) error {
	select {
	case q.turns <- struct{}{}:
		return nil
	default:
	}
	defer q.waiting.Add(-1)
	if q.waiting.Add(1) > q.room {
		return refuse(http.StatusTooManyRequests, "", "the queue of %d requests is full; try again", q.room)
	}
	select {
	case q.turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (q *queue) leave() { <-q.turns }

// budget is a number of bytes that all requests share.
type budget struct {
	left atomic.Int64
}

// take takes bytes, which give returns.
func (b *budget) take(n int64) error {
	if b.left.Add(-n) < 0 {
		b.left.Add(n)
		return refuse(http.StatusTooManyRequests, "", "the bodies under way take all the memory that they may; try again")
	}
	return nil
}

func (b *budget) give(n int64) { b.left.Add(n) }

// firstRead is how much of a body is made room for at first: its length is what the client says of it.
const firstRead = 64 << 10

// read is a body in memory of at most limit bytes. done says that it is no longer needed.
func (b *budget) read(in io.Reader, length, limit int64) (raw []byte, done func(), err error) {
	held := int64(0)
	done = func() { b.give(held); held = 0 }
	if length > limit {
		return nil, done, tooLarge(limit)
	}
	want := int64(firstRead)
	if length >= 0 {
		want = min(length+1, want) // one more, so that the end is seen
	}
	for {
		if err := b.take(want); err != nil {
			return nil, done, err
		}
		held += want
		room := make([]byte, len(raw), int64(len(raw))+want)
		copy(room, raw)
		raw = room
		for len(raw) < cap(raw) {
			n, err := in.Read(raw[len(raw):cap(raw)])
			raw = raw[:len(raw)+n]
			switch {
			case errors.Is(err, io.EOF):
				return raw, done, nil
			case err != nil:
				return nil, done, err
			}
		}
		if int64(len(raw)) > limit {
			return nil, done, tooLarge(limit)
		}
		want = min(max(int64(len(raw)), firstRead), limit+1-int64(len(raw)))
		if length > int64(len(raw)) {
			want = min(want, length+1-int64(len(raw)))
		}
	}
}
