package flows

import "plumbline/data/packets"

// History is the letters of Zeek's history: small ones are the responder's. Where none is asked for it is nil, and
// takes letters without keeping them.
type History struct {
	letters [historyLetters]byte
	n       uint8
	once    uint16 // which letters were written that come once, by bit: of the originator the lower byte
}

// historyLetters is how many letters are kept; later ones are left out. Most come once or a few times.
const historyLetters = 37

// String is the letters in order.
func (h *History) String() string { return string(h.letters[:h.n]) }

func (h *History) add(letter byte) {
	if h != nil && h.n < historyLetters {
		h.letters[h.n] = letter
		h.n++
	}
}

const (
	onceSYN = iota
	onceFIN
	onceRST
	onceFINRST
	onceData
	onceACK
	onceFlags
)

func sided(letter byte, from Side) byte {
	if from == Resp {
		return letter + 'a' - 'A'
	}
	return letter
}

// mark writes a letter the first time that its kind comes from that end, and says whether it came before.
func (h *History) mark(kind uint, letter byte, from Side) bool {
	if h == nil {
		return true
	}
	bit := uint16(1) << (kind + 8*uint(from))
	if h.once&bit != 0 {
		return true
	}
	h.once |= bit
	h.add(sided(letter, from))
	return false
}

// scaled writes a letter with the first, the tenth, the hundredth … of its kind.
func (c *Conn) scaled(letter byte, from Side, count uint32) {
	for n := uint32(1); ; n *= 10 {
		if n == count {
			c.History.add(sided(letter, from))
			return
		}
		if n > count || n == 1e9 {
			return
		}
	}
}

// letters writes the letters of a TCP segment.
func (c *Conn) letters(flags packets.TCPFlags, from Side, rel, length uint32) {
	e, h := &c.TCP.End[from], c.History
	switch control := flags & (packets.SYN | packets.FIN | packets.RST); control {
	case packets.SYN:
		letter := byte('S')
		if flags&packets.ACK != 0 {
			letter = 'H'
		}
		if h.mark(onceSYN, letter, from) && rel != e.lastSYN {
			h.add(sided(letter, from))
		}
		e.lastSYN = rel
	case packets.FIN: // whose number comes after the data
		at := rel + length
		if h.mark(onceFIN, 'F', from) && at != e.lastFIN {
			h.add(sided('F', from))
		}
		e.lastFIN = at
	case packets.RST:
		if h.mark(onceRST, 'R', from) && rel != e.lastRST {
			h.add(sided('R', from))
		}
		e.lastRST = rel
	case 0:
		if length > 0 {
			h.mark(onceData, 'D', from)
		} else if flags&packets.ACK != 0 {
			h.mark(onceACK, 'A', from)
		}
	default:
		if control&packets.FIN != 0 && control&packets.RST != 0 {
			h.mark(onceFINRST, 'I', from)
		} else {
			h.mark(onceFlags, 'Q', from)
		}
	}
}
