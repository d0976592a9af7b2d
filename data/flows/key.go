package flows

import (
	"encoding/binary"
	"math/bits"

	"plumbline/data/packets"
)

// keyOf is what the table finds the connection of a packet by.
func (p *Policy) keyOf(q *packets.Packet) (k key) {
	if p.Want != nil && !p.Want(q) || q.Faults&packets.BadIPChecksum != 0 {
		return k
	}
	k = key{src: q.SrcPort, dst: q.DstPort, use: true, oneWay: p.OneWay}
	if p.Ports != nil {
		k.src, k.dst = p.Ports(q)
	}
	if p.OneWayPacket != nil && p.OneWayPacket(q) {
		k.oneWay = true
	}
	if p.VLAN {
		k.vlan = q.VLAN
	}
	a, b := endHash(&q.Src, k.src), endHash(&q.Dst, k.dst)
	ends := a + b // the same in both directions
	if k.oneWay {
		ends = a ^ bits.RotateLeft64(b, 29)
	}
	k.hash = mix(ends^0x9e3779b97f4a7c15, uint64(q.Proto)|uint64(k.vlan)<<8|uint64(q.EtherType)<<24|1<<48)
	return k
}

// endHash mixes an address and a port.
func endHash(a *packets.Addr, port uint16) uint64 {
	lo, hi := binary.LittleEndian.Uint64(a[:8]), binary.LittleEndian.Uint64(a[8:])
	return mix(lo^0xa0761d6478bd642f, hi^0xe7037ed1a0b428db) ^ mix(hi^0x8ebc6af09c88c6e3, uint64(port)^0x589965cc75374cc3)
}

// mix is the two halves of a product, one on the other.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
