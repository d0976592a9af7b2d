package serve

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"runtime"
	"time"
)

// What becomes of a category that the model does not know.
const (
	AcceptUnknown = "accept" // it is prepared as in training, and the answer names it
	RefuseUnknown = "refuse" // 422
)

// Options is how models are served. The zero value of a limit is its default.
type Options struct {
	Models  []Source
	Unknown string      // AcceptUnknown or RefuseUnknown; default AcceptUnknown
	Token   string      // that requests must bear; "": none
	Origins []string    // whose pages may ask
	TLS     *tls.Config // nil: not encrypted
	Alerts  Alerts      // nil: the last alarms of this server's own answers

	Queue       int           // requests that may wait; default 64 for each processor
	Timeout     time.Duration // of an answer, from the first byte of the request; default 10 s
	BatchTime   time.Duration // of a batch; default 10 min
	Body        int64         // bytes of a body of predict; default 8 MiB
	BatchBody   int64         // bytes of a body of predict/batch; default 2 GiB
	Memory      int64         // bytes that bodies and answers of predict under way take; default 256 MiB
	Records     int           // of a request of predict; default 10,000
	Connections int           // open at a time; default 1,024
	Reload      time.Duration // between looks at the files of models; default 2 s; negative: never

	// Collector has the server set how often the heap of the process is collected by the size of the models, whenever
	// they are read.
	Collector bool

	Spool string       // folder for bodies and answers that do not fit memory; default that of the system
	Log   *slog.Logger // nil: none
	Build string       // version of the program
}

// Source is where a model comes from.
type Source struct {
	Name string // "": that of the file
	Path string
}

// ErrOptions is wrapped by errors about options.
var ErrOptions = errors.New("cannot be served so")

func or[T comparable](v *T, otherwise T) {
	var zero T
	if *v == zero {
		*v = otherwise
	}
}

// check fills in the defaults and says what is wrong.
func (o *Options) check() error {
	or(&o.Unknown, AcceptUnknown)
	or(&o.Queue, 64*runtime.GOMAXPROCS(0))
	or(&o.Timeout, 10*time.Second)
	or(&o.BatchTime, 10*time.Minute)
	or(&o.Body, 8<<20)
	or(&o.BatchBody, 2<<30)
	or(&o.Memory, 256<<20)
	or(&o.Records, 10000)
	or(&o.Connections, 1024)
	or(&o.Reload, 2*time.Second)
	or(&o.Log, slog.New(slog.DiscardHandler))
	switch {
	case len(o.Models) == 0:
		return fmt.Errorf("serve: %w: no models", ErrOptions)
	case o.Unknown != AcceptUnknown && o.Unknown != RefuseUnknown:
		return fmt.Errorf("serve: %w: unknown categories: %q: want %s or %s", ErrOptions, o.Unknown, AcceptUnknown,
			RefuseUnknown)
	case o.Timeout < 0 || o.BatchTime < 0 || o.Body < 0 || o.BatchBody < 0 || o.Memory < 0 || o.Records < 0 ||
		o.Connections < 0 || o.Queue < 0:
		return fmt.Errorf("serve: %w: a limit is negative", ErrOptions)
	case o.Memory < o.Body:
		return fmt.Errorf("serve: %w: a body may have %d bytes, and all together %d", ErrOptions, o.Body, o.Memory)
	}
	for _, origin := range o.Origins {
		if u, err := url.Parse(origin); err != nil || u.Host == "" || u.Path != "" || u.User != nil || u.RawQuery != "" {
			return fmt.Errorf("serve: %w: the origin %q: want such as https://example.org", ErrOptions, origin)
		}
	}
	return nil
}
