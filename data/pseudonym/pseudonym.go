package pseudonym

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
)

// KeySize is the bytes of a key: 16 for AES and 16 for the pad.
const KeySize = 32

// maxKnown bounds the texts whose pseudonyms are kept.
const maxKnown = 1 << 16

// Mapper gives addresses their pseudonyms by Crypto-PAn (Xu, Fan, Ammar and Moon, Prefix-Preserving IP Address
// Anonymization, ICNP 2002): bit i of the pseudonym is bit i of the address, turned over by the first bit of
//
//	AES(the first i bits of the address, then those of the pad from i on)
//
// IPv6 addresses likewise over all 128 bits. It is safe for concurrent use.
type Mapper struct {
	block  cipher.Block
	pad    [16]byte
	secret []byte // for what is no address

	mu    sync.RWMutex
	known map[string]string
}

// New is the mapper of a key of [KeySize] bytes.
func New(key []byte) (*Mapper, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("pseudonym: a key has %d bytes, this one %d", KeySize, len(key))
	}
	block, err := aes.NewCipher(key[:16])
	if err != nil {
		return nil, fmt.Errorf("pseudonym: %w", err)
	}
	m := &Mapper{block: block, known: map[string]string{}}
	block.Encrypt(m.pad[:], key[16:])
	sum := sha256.Sum256(append([]byte("plumbline names"), key...))
	m.secret = sum[:]
	return m, nil
}

// ReadKey is the mapper of the key in a file: 64 hexadecimal digits, such as "openssl rand -hex 32" writes.
func ReadKey(path string) (*Mapper, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("pseudonym: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, 1024))
	if err != nil {
		return nil, fmt.Errorf("pseudonym: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(raw)))
	if err != nil || len(key) != KeySize {
		return nil, fmt.Errorf("pseudonym: %s: %w", path, errKey)
	}
	return New(key)
}

var errKey = errors.New("want a key of 64 hexadecimal digits, such as \"openssl rand -hex 32\" writes")

// Addr is the pseudonym of an address, of the same family. A zone is left out.
func (m *Mapper) Addr(a netip.Addr) netip.Addr {
	if a.Is4() || a.Is4In6() {
		var in [4]byte = a.As4()
		m.turn(in[:])
		return netip.AddrFrom4(in)
	}
	if !a.IsValid() {
		return a
	}
	in := a.As16()
	m.turn(in[:])
	return netip.AddrFrom16(in)
}

// turn turns bits over, in place.
func (m *Mapper) turn(address []byte) {
	var in, out [16]byte
	flips := make([]byte, len(address))
	in = m.pad
	for i := range 8 * len(address) {
		m.block.Encrypt(out[:], in[:])
		flips[i/8] |= out[0] >> 7 << (7 - i%8)
		bit := byte(1) << (7 - i%8)
		in[i/8] = in[i/8]&^bit | address[i/8]&bit
	}
	for i := range address {
		address[i] ^= flips[i]
	}
}

// Text is the pseudonym of the text of an address: of an IP address another one, also with a port or with the length of
// a prefix after it, which stay; of a MAC address one of the same form; of any other text, such as the name of a host,
// "name-" and 16 digits. The empty text stays.
func (m *Mapper) Text(text string) string {
	if text == "" {
		return text
	}
	m.mu.RLock()
	out, ok := m.known[text]
	m.mu.RUnlock()
	if ok {
		return out
	}
	out = m.text(text)
	m.mu.Lock()
	if len(m.known) >= maxKnown {
		clear(m.known)
	}
	m.known[text] = out
	m.mu.Unlock()
	return out
}

func (m *Mapper) text(text string) string {
	if a, err := netip.ParseAddr(text); err == nil {
		return m.Addr(a).String()
	}
	if p, err := netip.ParseAddrPort(text); err == nil {
		return netip.AddrPortFrom(m.Addr(p.Addr()), p.Port()).String()
	}
	if p, err := netip.ParsePrefix(text); err == nil {
		if out := netip.PrefixFrom(m.Addr(p.Addr()), p.Bits()).Masked(); out.IsValid() {
			return out.String()
		}
	}
	h := hmac.New(sha256.New, m.secret)
	if mac, err := net.ParseMAC(text); err == nil {
		h.Write(mac)
		out := net.HardwareAddr(h.Sum(nil)[:len(mac)])
		out[0] = out[0]&^1 | 2 // of one card, administered locally
		return out.String()
	}
	io.WriteString(h, text)
	return "name-" + hex.EncodeToString(h.Sum(nil)[:8])
}
