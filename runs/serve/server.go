package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"plumbline/runs/page"
)

// Limits that are the same for every server.
const (
	headerTime  = 5 * time.Second
	idleTime    = 2 * time.Minute
	stopTime    = 10 * time.Second
	headerBytes = 64 << 10
	batchTurns  = 2  // batches at a time
	batchRoom   = 16 // that wait
)

// Server answers with what models say.
type Server struct {
	o       Options
	served  *served
	queue   *queue
	batches *queue
	memory  budget
	counts  *counts
	ring    *ring
	ready   atomic.Bool
	started time.Time
	page    []byte
	secret  []byte
}

// New reads the models, and gives a server that has not begun. A model that cannot be read is an error here, and later,
// when its file has changed, leaves the one that there is.
func New(o Options) (*Server, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	s := &Server{o: o, queue: newQueue(runtime.GOMAXPROCS(0), o.Queue), batches: newQueue(batchTurns, batchRoom),
		ring: &ring{}, started: time.Now(), secret: []byte(o.Token)}
	s.memory.left.Store(o.Memory)
	if o.Alerts == nil {
		s.o.Alerts = s.ring
	}
	if o.Collector {
		debug.SetGCPercent(mostGarbage) // while models are read
	}
	var err error
	if s.served, err = newServed(o.Models); err != nil {
		return nil, err
	}
	if s.page, err = tryPage(); err != nil {
		return nil, err
	}
	s.counts = newCounts(s)
	s.collect()
	s.ready.Store(true)
	return s, nil
}

// Models are those that are served now.
func (s *Server) Models() []*Model { return s.served.all() }

// Reload reads the models again whose files have changed.
func (s *Server) Reload() { s.served.reload(s.reloaded) }

func (s *Server) reloaded(m *Model, err error) {
	s.counts.reloaded(err)
	if err != nil {
		s.o.Log.Error("the changed model cannot be read; the one before is served on", "model", m.Name, "error", err)
		return
	}
	s.collect()
	s.o.Log.Info("model read again", "model", m.Name, "version", m.Version)
}

// Serve answers on a listener until the context ends. It then says on /readyz that it stops, takes no more connections,
// and lets answers under way finish for a few seconds. hosts are the names by which it may be called; nil: any.
func (s *Server) Serve(ctx context.Context, l net.Listener, hosts []string) error {
	l = &limited{Listener: l, places: make(chan struct{}, s.o.Connections)}
	if s.o.TLS != nil {
		l = tls.NewListener(l, s.o.TLS)
	}
	h := &http.Server{Handler: s.Handler(hosts), ReadHeaderTimeout: headerTime, IdleTimeout: idleTime,
		MaxHeaderBytes: headerBytes, ErrorLog: slog.NewLogLogger(s.o.Log.Handler(), slog.LevelDebug)}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	go s.served.watch(watching, s.o.Reload, s.reloaded)
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	s.ready.Store(false)
	last, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	if err := h.Shutdown(last); err != nil {
		return fmt.Errorf("serve: %w", errors.Join(err, h.Close()))
	}
	return nil
}

// Hosts are the names by which a listener is called from the same machine, with those that a reverse proxy may use; nil
// for one that others reach.
func Hosts(l net.Listener) []string { return page.Hosts(l.Addr()) }

// limited is a listener with a limited number of connections. More wait until one ends.
type limited struct {
	net.Listener
	places chan struct{}
}

// Accept waits for a place, then for a connection.
func (l *limited) Accept() (net.Conn, error) {
	l.places <- struct{}{}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.places
		return nil, err
	}
	return &placed{Conn: c, leave: func() { <-l.places }}, nil
}

// placed is a connection that gives its place back when it ends.
type placed struct {
	net.Conn
	once  sync.Once
	leave func()
}

// Close ends the connection.
func (c *placed) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.leave)
	return err
}

// Certificate is the TLS settings of a certificate and its key, in PEM files. HTTP/2 is spoken where the client does.
func Certificate(cert, key string) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("serve: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"}}, nil
}
