package flows

import (
	"runtime"
	"testing"
	"unsafe"

	"plumbline/data/packets"
)

// TestMemoryOfConnections: a million open connections take less than 1 GiB, by what one more takes; those of cic, with
// its eighty statistics, less than 1.5.
func TestMemoryOfConnections(t *testing.T) {
	const n = 20_000
	most := func(v Vocabulary) float64 {
		if len(v.Columns()) > 80 {
			return 1.5 * (1 << 30) / 1e6
		}
		return (1 << 30) / 1e6
	}
	t.Logf("%d bytes a connection, without what the vocabulary keeps", unsafe.Sizeof(Conn{}))
	each(t, func(t *testing.T, fresh func() Vocabulary) {
		v := fresh()
		if err := v.Check(); err != nil {
			t.Fatal(err)
		}
		table := newTable(v, v.Policy(), 1<<20, &outbox{})
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for i := range n {
			p := packets.Packet{Number: uint64(i), Version: 4, EtherType: 0x0800, Proto: packets.TCP, SrcPort: uint16(i),
				DstPort: uint16(i >> 16), IPLen: 60, IPHeader: 20, TransportHeader: 20, TransportLen: 40, PayloadLen: 20,
				Flags: packets.PSH | packets.ACK, Payload: make([]byte, 20)}
			for range 3 { // an answer and one more
				k := table.policy.keyOf(&p)
				table.packet(&p, &k)
				p.Src, p.Dst, p.SrcPort, p.DstPort = p.Dst, p.Src, p.DstPort, p.SrcPort
				p.Seq, p.Time = p.Seq+20, p.Time+1e6
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if table.open < n*9/10 {
			t.Fatalf("%d open", table.open)
		}
		each := float64(after.HeapAlloc-before.HeapAlloc) / float64(table.open)
		t.Logf("%.0f bytes", each)
		if each > most(v) {
			t.Errorf("%.0f bytes a connection, at most %.0f", each, most(v))
		}
		runtime.KeepAlive(table)
	})
}
