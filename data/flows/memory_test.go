package flows

import (
	"runtime"
	"testing"
	"unsafe"

	"plumbline/data/packets"
)

// TestMemoryOfConnections: what one more open connection takes, of which three packets have come, in bytes. A million
// of them take less than 1 GiB, two million of one direction each with netflow.
func TestMemoryOfConnections(t *testing.T) {
	const n = 20_000
	most := map[string]float64{"argus": 450, "cic": 850, "netflow": 300, "netflow nf-v2": 900, "zeek": 700}
	all := everyVocabulary()
	for _, name := range Names() {
		if most[name] == 0 {
			t.Errorf("no bound of %s", name)
		}
	}
	t.Logf("%d bytes a connection, %d a side, %d of TCP, %d of history; %d of cic, %d a side, %d of argus",
		unsafe.Sizeof(Conn{}), unsafe.Sizeof(Traffic{}), unsafe.Sizeof(TCP{}), unsafe.Sizeof(History{}),
		unsafe.Sizeof(cicFlow{}), unsafe.Sizeof(cicSide{}), unsafe.Sizeof(argusFlow{}))
	for name, most := range most {
		v := all[name]
		if err := v.Check(); err != nil {
			t.Fatal(err)
		}
		table := newTable(v, v.Policy(), &room{}, &outbox{})
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
		t.Logf("%s: %.0f bytes", name, each)
		if each > most {
			t.Errorf("%s: %.0f bytes a connection, at most %.0f", name, each, most)
		}
		runtime.KeepAlive(table)
	}
}
