package deliver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"plumbline/runs/alerts"
)

// syslog sends messages of RFC 5424: over UDP one a datagram (RFC 5426), over TCP with their length in front (RFC 6587,
// octet counting), over a socket of this machine one a datagram, or a line each where the socket is a stream.
type syslog struct {
	network, address, layout string
	timeout                  time.Duration
	host                     string
	conn                     net.Conn
	stream                   bool // of a socket of this machine
}

const (
	// priority is facility local0 (16) and severity warning (4).
	priority = 16*8 + 4
	// mostDatagram bounds a message in a datagram; RFC 5426 has receivers take 2,048 bytes, and common ones 8,192.
	mostDatagram = 8192
)

func newSyslog(network, address, layout string, timeout time.Duration) *syslog {
	s := &syslog{network: network, address: address, layout: layout, timeout: timeout, host: "-"}
	if name, err := os.Hostname(); err == nil {
		s.host = printable(name)
	}
	return s
}

// printable is a text as a field of a header: visible ASCII, at most 255 of them.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, text)
	if text == "" {
		return "-"
	}
	return text[:min(len(text), 255)]
}

// message is an alert as a message, without the row's record where that would be too long for a datagram.
func (s *syslog) message(a alerts.Alert) ([]byte, error) {
	for {
		text, err := a.Encode(s.layout)
		if err != nil {
			return nil, err
		}
		at := "-"
		if !a.Time.IsZero() {
			at = a.Time.UTC().Format("2006-01-02T15:04:05.000000Z07:00")
		}
		out := fmt.Appendf(nil, "<%d>1 %s %s plumbline %d alert - %s", priority, at, s.host, os.Getpid(), text)
		switch {
		case s.network == "tcp" || len(out) <= mostDatagram:
			return out, nil
		case a.Record != nil:
			a.Record = nil
		case a.Reasons != nil:
			a.Reasons = nil
		default:
			return out[:mostDatagram], nil
		}
	}
}

func (s *syslog) connect(ctx context.Context) error {
	if s.conn != nil && s.network == "tcp" && gone(s.conn) {
		s.conn.Close()
		s.conn = nil
	}
	if s.conn != nil {
		return nil
	}
	d := net.Dialer{Timeout: s.timeout}
	var err error
	if s.network != "unix" {
		s.conn, err = d.DialContext(ctx, s.network, s.address)
		return err
	}
	if s.conn, err = d.DialContext(ctx, "unixgram", s.address); err == nil {
		s.stream = false
		return nil
	}
	s.stream = true
	s.conn, err = d.DialContext(ctx, "unix", s.address)
	return err
}

// gone says whether the other side has closed a connection: what is written there would be lost without a word.
func gone(c net.Conn) bool {
	c.SetReadDeadline(time.Now().Add(time.Millisecond))
	defer c.SetReadDeadline(time.Time{})
	_, err := c.Read(make([]byte, 1))
	var late net.Error
	return err != nil && !(errors.As(err, &late) && late.Timeout()) || errors.Is(err, io.EOF)
}

func (s *syslog) Send(ctx context.Context, list []alerts.Alert) (int, error) {
	for i := range list {
		text, err := s.message(list[i])
		if err != nil {
			return i, err
		}
		switch {
		case s.network == "tcp":
			text = append(fmt.Appendf(nil, "%d ", len(text)), text...)
		case s.stream:
			text = append(text, '\n')
		}
		if err := s.connect(ctx); err != nil {
			return i, err
		}
		s.conn.SetWriteDeadline(time.Now().Add(s.timeout))
		if _, err := s.conn.Write(text); err != nil {
			s.conn.Close()
			s.conn = nil
			return i, err
		}
	}
	return len(list), nil
}

func (s *syslog) Close() error {
	if s.conn == nil {
		return nil
	}
	return s.conn.Close()
}
