package flows

// TCPState is the state of one end of a TCP connection, as Zeek tells it.
type TCPState uint8

const (
	Inactive    TCPState = iota // nothing was seen of it
	SynSent                     // a SYN
	SynAckSent                  // a SYN with ACK, from the originator
	Partial                     // packets without a SYN before them
	Established                 // both ends sent a SYN, or what stands for one
	Closed                      // a FIN
	Reset                       // a RST
)

// TCP is a TCP connection as it is followed over intermediate records.
type TCP struct {
	End     [2]Endpoint // of originator and responder
	History History     // also of UDP
	Missed  uint64      // bytes that were acknowledged and not seen
}

// History is the letters of Zeek's history.
type History struct {
	letters [historyLetters]byte
	n       uint8
}

// historyLetters is how many letters are kept; later ones are left out. Most can come twice or a few times.
const historyLetters = 63

// String is the letters in order.
func (h *History) String() string { return string(h.letters[:h.n]) }

func (h *History) add(letter byte) {
	if h.n < historyLetters {
		h.letters[h.n] = letter
		h.n++
	}
}

// Endpoint is one end of a TCP connection.
type Endpoint struct {
	State, Before TCPState
}
