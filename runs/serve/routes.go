package serve

import (
	"compress/gzip"
	"context"
	"crypto/subtle"
	"fmt"
	"io"
	"mime"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"plumbline/runs/page"
)

// handler answers a request, or says why it cannot.
type handler func(w http.ResponseWriter, r *http.Request) error

// open says which routes need no token: the probes of orchestrators, and the page, which holds nothing.
var openRoutes = []string{"GET /{$}", "GET /healthz", "GET /readyz", "GET /ping", "GET /health", "GET /v2/health/live",
	"GET /v2/health/ready"}

// Handler answers requests; hosts are the names by which the server may be called, nil any.
func (s *Server) Handler(hosts []string) http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range map[string]handler{
		"GET /{$}":                                         s.tryIt,
		"GET /healthz":                                     s.healthz,
		"GET /readyz":                                      s.readyz,
		"GET /metrics":                                     s.metrics,
		"GET /v1/openapi.json":                             s.openAPI,
		"GET /v1/models":                                   s.models,
		"GET /v1/models/{model}":                           s.model,
		"GET /v1/alerts":                                   s.alerts,
		"POST /v1/predict":                                 s.predict,
		"POST /v1/models/{model}/predict":                  s.predict,
		"POST /v1/predict/batch":                           s.batch,
		"POST /v1/models/{model}/predict/batch":            s.batch,
		"GET /v2":                                          s.v2Server,
		"GET /v2/health/live":                              s.v2Live,
		"GET /v2/health/ready":                             s.v2Ready,
		"GET /v2/models/{model}":                           s.v2Model,
		"GET /v2/models/{model}/ready":                     s.v2ModelReady,
		"POST /v2/models/{model}/infer":                    s.v2Infer,
		"GET /v2/models/{model}/versions/{version}":        s.v2Model,
		"GET /v2/models/{model}/versions/{version}/ready":  s.v2ModelReady,
		"POST /v2/models/{model}/versions/{version}/infer": s.v2Infer,
		"POST /invocations":                                s.invocations,
		"GET /ping":                                        s.healthz,
		"GET /health":                                      s.healthz,
		"GET /version":                                     s.version,
	} {
		mux.Handle(pattern, s.route(pattern, h))
	}
	cross := http.NewCrossOriginProtection()
	for _, o := range s.o.Origins {
		if err := cross.AddTrustedOrigin(o); err != nil {
			panic(err) // New has looked at it
		}
	}
	return page.Guard(hosts, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.shared(w, r) {
			return
		}
		if err := cross.Check(r); err != nil {
			s.turnAway(w, refuse(http.StatusForbidden, "", "%v: --cors names the origins that may ask", err))
			return
		}
		if _, pattern := mux.Handler(r); pattern == "" {
			s.turnAway(w, s.unrouted(w, mux, r))
			return
		}
		mux.ServeHTTP(w, r)
	}), func(w http.ResponseWriter, err error) {
		s.turnAway(w, refuse(http.StatusMisdirectedRequest, "", "%v", err))
	})
}

// turnAway answers a request that no route takes.
func (s *Server) turnAway(w http.ResponseWriter, err error) {
	s.counts.answered("none", asRefusal(err).status, 0)
	fail(w, err)
}

// unrouted says why no route takes a request, with the methods that one of its path would.
func (s *Server) unrouted(w http.ResponseWriter, mux *http.ServeMux, r *http.Request) error {
	h, _ := mux.Handler(r)
	probe := &status{header: http.Header{}}
	h.ServeHTTP(probe, r)
	if allow := probe.header.Get("Allow"); allow != "" {
		w.Header().Set("Allow", allow)
		return refuse(http.StatusMethodNotAllowed, "", "want %s", allow)
	}
	return refuse(http.StatusNotFound, "", "there is nothing at %s; /v1/openapi.json says what there is", r.URL.Path)
}

// status is a response of which nothing but the header is kept.
type status struct{ header http.Header }

func (s *status) Header() http.Header         { return s.header }
func (s *status) Write(p []byte) (int, error) { return len(p), nil }
func (s *status) WriteHeader(int)             {}

// shared lets pages of the origins that may ask read answers, and answers their browsers' questions.
func (s *Server) shared(w http.ResponseWriter, r *http.Request) (answered bool) {
	origin := r.Header.Get("Origin")
	if origin == "" || len(s.o.Origins) == 0 {
		return false
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	if !slices.Contains(s.o.Origins, origin) {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}

// route is the handler of a pattern, with what all have: the token, the time limit, the count, and an answer to errors
// and panics.
func (s *Server) route(pattern string, h handler) http.Handler {
	_, path, _ := strings.Cut(pattern, " ")
	needs := len(s.secret) > 0 && !slices.Contains(openRoutes, pattern)
	limit := s.o.Timeout
	if strings.HasSuffix(pattern, "/batch") {
		limit = s.o.BatchTime
	}
	path = strings.TrimSuffix(path, "{$}")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := time.Now()
		t := &tracked{ResponseWriter: w}
		ctx, cancel := context.WithDeadline(r.Context(), begun.Add(limit))
		defer cancel()
		c := http.NewResponseController(w)
		if r.Method == http.MethodPost {
			c.SetReadDeadline(begun.Add(min(limit, s.o.Timeout)))
		}
		c.SetWriteDeadline(begun.Add(limit + s.o.Timeout)) // a recorder of tests has none
		err := func() (err error) {
			defer func() {
				if p := recover(); p != nil {
					s.o.Log.Error("panic", "route", path, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
					err = refuse(http.StatusInternalServerError, "", "the server has a fault; its log says more")
				}
			}()
			if needs && !s.bears(r) {
				return refuse(http.StatusUnauthorized, "", "want the header Authorization: Bearer TOKEN")
			}
			return h(t, r.WithContext(ctx))
		}()
		switch {
		case err == nil:
		case t.code != 0: // half an answer must not look whole
			s.counts.answered(path, t.code, time.Since(begun))
			panic(http.ErrAbortHandler)
		default:
			if of := asRefusal(err); of.status >= 500 {
				s.o.Log.Warn("failed", "route", path, "status", of.status, "error", of.text)
			}
			fail(t, err)
		}
		s.counts.answered(path, t.code, time.Since(begun))
	})
}

// bears says whether a request bears the token. The time that it takes says nothing of the token but its length.
func (s *Server) bears(r *http.Request) bool {
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return ok && subtle.ConstantTimeCompare([]byte(given), s.secret) == 1
}

// tracked remembers the status of an answer.
type tracked struct {
	http.ResponseWriter
	code int
}

// WriteHeader sends the status.
func (t *tracked) WriteHeader(code int) {
	if t.code == 0 {
		t.code = code
	}
	t.ResponseWriter.WriteHeader(code)
}

// Write sends some of the body.
func (t *tracked) Write(p []byte) (int, error) {
	if t.code == 0 {
		t.code = http.StatusOK
	}
	return t.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (t *tracked) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// json is the body of a request that must be JSON.
func (s *Server) json(w http.ResponseWriter, r *http.Request) (raw []byte, done func(), err error) {
	if err := wants(r, "application/json"); err != nil {
		return nil, func() {}, err
	}
	return s.body(w, r)
}

// wants says whether a body is of one of some media types.
func wants(r *http.Request, types ...string) error {
	given := r.Header.Get("Content-Type")
	if given == types[0] {
		return nil
	}
	media, _, err := mime.ParseMediaType(given)
	if err != nil || !slices.Contains(types, media) {
		return refuse(http.StatusUnsupportedMediaType, "", "the body is of type %q, want %s", given, strings.Join(types,
			" or "))
	}
	return nil
}

// body is the body of a request in memory.
func (s *Server) body(w http.ResponseWriter, r *http.Request) (raw []byte, done func(), err error) {
	in, length, err := unpacked(w, r, s.o.Body)
	if err != nil {
		return nil, func() {}, err
	}
	raw, done, err = s.memory.read(in, length, s.o.Body)
	return raw, done, unread(err)
}

// unread is an error of reading a body, which is the client's where nothing says otherwise.
func unread(err error) error {
	if err == nil {
		return nil
	}
	if of := asRefusal(err); of.status != http.StatusInternalServerError {
		return of
	}
	return refuse(http.StatusBadRequest, "", "the body cannot be read: %v", err)
}

// unpacked is a body without its compression, and its length where that is known. The limit is that of what is sent.
func unpacked(w http.ResponseWriter, r *http.Request, limit int64) (io.Reader, int64, error) {
	switch strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))) { // RFC 9110, section 8.4.1
	case "", "identity":
		if r.ContentLength > limit {
			return nil, 0, tooLarge(limit)
		}
		return http.MaxBytesReader(w, r.Body, limit), r.ContentLength, nil
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(http.MaxBytesReader(w, r.Body, limit))
		if err != nil {
			return nil, 0, refuse(http.StatusBadRequest, "", "the body is no gzip: %v", err)
		}
		return z, -1, nil
	}
	return nil, 0, refuse(http.StatusUnsupportedMediaType, "", "the body is encoded as %q: want gzip or none",
		r.Header.Get("Content-Encoding"))
}
