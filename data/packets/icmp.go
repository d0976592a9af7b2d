package packets

// Types of ICMP that answer each other (RFC 792, RFC 950, RFC 1256; RFC 4443, RFC 4861, RFC 2710, RFC 4620, RFC 6275).
var (
	icmpAnswers   = map[uint8]uint8{8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 10: 9, 9: 10, 17: 18, 18: 17}
	icmpv6Answers = map[uint8]uint8{128: 129, 129: 128, 133: 134, 134: 133, 135: 136, 136: 135, 130: 131, 131: 130,
		139: 140, 140: 139, 144: 145, 145: 144}
)

// Counterpart is the type of the answer to a message of ICMP, or of the message that it answers; or, oneWay, its code
// where there is none. Of other packets it is 0.
func (p *Packet) Counterpart() (other uint8, oneWay bool) {
	var answers map[uint8]uint8
	switch p.Proto {
	case ICMP:
		answers = icmpAnswers
	case ICMPv6:
		answers = icmpv6Answers
	default:
		return 0, false
	}
	if other, ok := answers[p.ICMPType]; ok {
		return other, false
	}
	return p.ICMPCode, true
}

// Answers says of a message of ICMP that has a counterpart whether it is the answer.
func (p *Packet) Answers() bool {
	if p.Proto == ICMP {
		switch p.ICMPType {
		case 0, 9, 14, 16, 18:
			return true
		}
		return false
	}
	switch p.ICMPType {
	case 129, 131, 134, 136, 140, 145:
		return true
	}
	return false
}
