package watch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"plumbline/data/flowlog"
	"plumbline/data/netflow"
	"plumbline/data/nfcapd"
)

const (
	queuedPackets  = 8192     // that wait to be judged; later ones are dropped and counted
	queuedBytes    = 64 << 20 // that they may have together
	mostPacket     = 1 << 16  // bytes
	receiveBuffer  = 16 << 20 // bytes that the kernel is asked to hold
	flowsPerCommit = 8192
	flowsWait      = 200 * time.Millisecond // after a first flow before what came is judged
	saidEvery      = time.Minute
)

type packet struct {
	raw  []byte
	from netip.Addr
	at   time.Time
}

// Listen watches the flows that exporters send to an address, such as udp:2055, until the context ends. Rows have the
// columns of the format nfcapd. A packet that comes while the queue is full is dropped and counted.
func (w *Watcher) Listen(ctx context.Context, address string) error {
	conn, err := listenUDP(address)
	if err != nil {
		return err
	}
	return w.receive(ctx, conn)
}

func listenUDP(address string) (*net.UDPConn, error) {
	host, ok := strings.CutPrefix(address, "udp:")
	if !ok {
		return nil, fmt.Errorf("watch: %q: want udp:PORT or udp:HOST:PORT", address)
	}
	if !strings.Contains(host, ":") {
		host = ":" + host
	}
	at, err := net.ResolveUDPAddr("udp", host)
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	conn, err := net.ListenUDP("udp", at)
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	conn.SetReadBuffer(receiveBuffer) // less where the kernel does not allow it
	return conn, nil
}

// receive judges what comes in at a connection, which it closes.
func (w *Watcher) receive(ctx context.Context, conn *net.UDPConn) error {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	defer conn.Close()
	packets := make(chan packet, queuedPackets)
	var dropped, waiting atomic.Int64 // packets, and the bytes of those that wait
	failed := make(chan error, 1)
	go func() {
		defer close(packets)
		buf := make([]byte, mostPacket)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				failed <- err
				return
			}
			if waiting.Add(int64(n)) <= queuedBytes {
				select {
				case packets <- packet{append([]byte(nil), buf[:n]...), from.Addr(), time.Now()}:
					continue
				default:
				}
			}
			waiting.Add(-int64(n))
			dropped.Add(1)
		}
	}()
	c := netflow.NewCollector()
	var flows []nfcapd.Flow
	var due <-chan time.Time // when flows that wait are judged
	said, last, lastDropped := time.Now(), netflow.Counts{}, int64(0)
	for open := true; open; {
		judge := false
		select {
		case p, ok := <-packets:
			if open = ok; !ok {
				judge = true
				break
			}
			waiting.Add(-int64(len(p.raw)))
			got, err := c.Decode(p.raw, p.from, p.at)
			if err != nil {
				w.bad(1, err.Error())
			}
			if flows = append(flows, got...); len(flows) > 0 && due == nil {
				due = time.After(flowsWait)
			}
			judge = len(flows) >= flowsPerCommit
		case <-due:
			judge = true
		}
		if !judge {
			continue
		}
		due = nil
		if err := w.flows(ctx, flows); err != nil {
			return err
		}
		flows = flows[:0]
		w.Counts.Dropped = dropped.Load() + c.Counts.Refused
		w.Counts.Lost, w.Counts.NoTemplate = c.Counts.Lost, c.Counts.NoTemplate
		worse := c.Counts.Lost > last.Lost || c.Counts.NoTemplate > last.NoTemplate || w.Counts.Dropped > lastDropped
		if worse && time.Since(said) > saidEvery {
			w.o.Say(fmt.Sprintf("%d packets: %d dropped here, %d lost before, %d sets of flows without a template",
				c.Counts.Packets, w.Counts.Dropped, w.Counts.Lost, w.Counts.NoTemplate))
			said, last, lastDropped = time.Now(), c.Counts, w.Counts.Dropped
		}
	}
	if err := <-failed; ctx.Err() == nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("watch: %w", err)
	}
	return nil
}

// flows judges flows and writes what was found.
func (w *Watcher) flows(ctx context.Context, list []nfcapd.Flow) error {
	if len(list) == 0 {
		return nil
	}
	ctx, cancel := lingering(ctx, endWait)
	defer cancel()
	t, err := flowlog.FlowTable(w.b.Data, list, w.rows+1)
	if err != nil {
		return err
	}
	if err := w.config.Derived(t); err != nil {
		return err
	}
	first := w.rows + 1
	err = w.Table(ctx, t, func(row int) (string, int64) { return w.o.Stream, first + int64(row) })
	if err != nil {
		return err
	}
	return w.Commit(ctx, map[string]int64{"rows": w.rows})
}
