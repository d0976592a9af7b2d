package flows

import "plumbline/data/packets"

// argusState is a TCP connection as Argus follows it: one state for both ends, and what was seen.
type argusState struct {
	phase       argusPhase
	syn         bool // the first packet of the connection was a SYN
	synAck      bool // a SYN with ACK came
	established bool
	fin         bool
	reset       bool      // in this record
	first       [2]uint32 // sequence numbers of the first packets
	ack         [2]uint32 // latest acknowledgement of either end less 1, 0: none
}

type argusPhase uint8

const (
	argusListening argusPhase = iota // a reset came first
	argusSynSent
	argusSynReceived
	argusEstablished
	argusClosing // a FIN, or a reset of what was more than a SYN
)

// over says whether a SYN would be the first packet of another connection.
func (s *argusState) over() bool { return s.phase == argusListening || s.phase == argusClosing }

// segment follows a packet; first: it is the connection's first.
func (s *argusState) segment(p *packets.Packet, from Side, first bool) {
	const ends = packets.SYN | packets.ACK | packets.RST | packets.FIN
	f := p.Flags & ends
	if first {
		s.first[from] = p.Seq
		s.begin(p.Flags)
		return
	}
	if p.Flags != packets.SYN && f&packets.ACK != 0 && p.Ack != 0 {
		s.ack[from] = p.Ack - 1
	}
	if f&packets.RST != 0 {
		s.reset = true
		// a reset that answers the SYN leaves the connection as it was
		if s.phase != argusSynSent || s.ack[from] != s.first[from.Other()] {
			s.phase = argusClosing
		}
		return
	}
	switch s.phase {
	case argusListening, argusSynSent:
		switch {
		case f == packets.SYN:
		case f == packets.SYN|packets.ACK:
			s.phase, s.synAck = argusSynReceived, true
		case f&packets.FIN != 0:
			s.phase, s.fin = argusClosing, true
		case f&packets.ACK != 0:
			s.phase, s.established = argusEstablished, true
		}
	case argusSynReceived:
		switch {
		case f&packets.FIN != 0:
			s.phase, s.fin = argusClosing, true
		case f&packets.SYN == 0 && f&packets.ACK != 0:
			s.phase, s.established = argusEstablished, true
		}
	case argusEstablished:
		switch {
		case f&packets.FIN != 0:
			s.phase, s.fin = argusClosing, true
		case f&(packets.SYN|packets.ACK) == packets.SYN|packets.ACK:
			s.synAck, s.established = true, true
		}
	case argusClosing:
		if f&(packets.FIN|packets.ACK) == packets.FIN|packets.ACK {
			s.fin = true
		}
	}
}

// begin is the first packet of a connection. Flags that cannot be are taken for those of an established one.
func (s *argusState) begin(f packets.TCPFlags) {
	if f&packets.RST != 0 {
		s.phase, s.reset = argusListening, true
		return
	}
	switch f & (packets.SYN | packets.ACK | packets.FIN | packets.PSH | packets.URG) {
	case packets.SYN:
		s.phase, s.syn = argusSynSent, true
	case packets.SYN | packets.ACK, packets.SYN | packets.ACK | packets.PSH,
		packets.SYN | packets.ACK | packets.PSH | packets.URG:
		s.phase, s.synAck = argusSynReceived, true
	case packets.FIN, packets.FIN | packets.ACK, packets.FIN | packets.ACK | packets.URG,
		packets.FIN | packets.ACK | packets.PSH, packets.FIN | packets.ACK | packets.PSH | packets.URG:
		s.phase, s.fin = argusClosing, true
	default:
		s.phase, s.established = argusEstablished, true
	}
}

// backwards says whether ra turns the record: the connection's SYN was not seen at first, its answer was.
func (s *argusState) backwards() bool { return s.synAck && s.established && !s.syn }

// handshake says whether any of it was seen.
func (s *argusState) handshake() bool { return s.syn || s.synAck }

// word is State where it is not the flags.
func (s *argusState) word() string {
	switch {
	case s.reset:
		return "RST"
	case s.fin:
		return "FIN"
	case s.backwards():
		return "CLO"
	case s.established:
		return "CON"
	case s.synAck:
		return "ACC"
	case s.syn:
		return "REQ"
	}
	return "CON"
}
