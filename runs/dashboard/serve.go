package dashboard

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"time"

	"plumbline/runs/page"
)

// Limits of the server.
const (
	headerTime  = 5 * time.Second
	answerTime  = time.Minute
	idleTime    = 2 * time.Minute
	stopTime    = 5 * time.Second
	headerBytes = 64 << 10
	atOnce      = 2 // views that are counted at a time; others wait
)

// server answers with views of one dashboard, which it does not change.
type server struct {
	d     *Dashboard
	page  []byte
	turns chan struct{}
}

// Handler answers with the page at /, with the view of a query (see [Flows.Parse]) at /view, with one of its parts at
// /view/NAME and of a category at /view/dims/KEY, and with a flow at /flow?i=PLACE. hosts are the names by which the
// server may be called, nil any: a page of another name that points here would otherwise read the flows.
func (d *Dashboard) Handler(ctx context.Context, hosts []string) (http.Handler, error) {
	first, err := d.first(ctx, runtime.GOMAXPROCS(0))
	if err != nil {
		return nil, err
	}
	story := d.story(first)
	story.Served = true
	h := d.head(first, nil)
	h.Served = true
	for i := range h.Dims {
		h.Dims[i].Levels = nil
	}
	var b bytes.Buffer
	err = kind.Write(&b, page.Head{Title: clip(d.Name) + " · plumbline dashboard", Served: true}, story, h)
	if err != nil {
		return nil, err
	}
	s := &server{d: d, page: b.Bytes(), turns: make(chan struct{}, atOnce)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write(s.page)
	})
	mux.HandleFunc("GET /view", s.view)
	mux.HandleFunc("GET /view/{part...}", s.view)
	mux.HandleFunc("GET /flow", s.flow)
	return page.Guard(hosts, mux, func(w http.ResponseWriter, err error) {
		refuse(w, http.StatusMisdirectedRequest, err)
	}), nil
}

func refuse(w http.ResponseWriter, status int, err error) {
	raw, _ := json.Marshal(map[string]string{"error": err.Error()}) // a text always has a form
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(raw)
}

func answer(w http.ResponseWriter, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(raw)
}

// turn waits for its turn to count.
func (s *server) turn(ctx context.Context) (done func(), err error) {
	select {
	case s.turns <- struct{}{}:
		return func() { <-s.turns }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *server) view(w http.ResponseWriter, r *http.Request) {
	q, err := s.d.Parse(r.URL.Query())
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	done, err := s.turn(r.Context())
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, err)
		return
	}
	v, err := s.d.View(r.Context(), q, runtime.GOMAXPROCS(0))
	done()
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, err)
		return
	}
	part := r.PathValue("part")
	if part == "" {
		answer(w, v)
		return
	}
	if key, ok := strings.CutPrefix(part, "dims/"); ok {
		if of := v.Dims[key]; of != nil {
			answer(w, of)
			return
		}
	}
	of, ok := map[string]any{"time": v.Time, "dims": v.Dims, "score": v.Score, "signs": v.Signs, "status": v.Status,
		"scatter": v.Scatter, "numbers": v.Numbers, "spread": v.Spread, "from": v.From, "to": v.To, "shift": v.Shift,
		"flows": v.Flows, "ahead": v.Ahead}[part]
	if !ok {
		refuse(w, http.StatusNotFound, fmt.Errorf("a view has no part %q", part))
		return
	}
	answer(w, of)
}

func (s *server) flow(w http.ResponseWriter, r *http.Request) {
	i, err := strconv.Atoi(r.URL.Query().Get("i"))
	if err != nil || i < 0 || i >= s.d.Own() {
		refuse(w, http.StatusNotFound, errors.New("no such flow"))
		return
	}
	done, err := s.turn(r.Context())
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, err)
		return
	}
	defer done()
	details, err := s.d.Details(r.Context(), []int{i})
	if err != nil {
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	answer(w, map[string]any{"near": s.d.Near(i, r.URL.Query().Get("same") == "true"), "detail": details[i]})
}

// Serve answers on a listener until the context ends, and then lets answers under way finish for a few seconds.
func (d *Dashboard) Serve(ctx context.Context, l net.Listener) error {
	h, err := d.Handler(ctx, page.Hosts(l.Addr()))
	if err != nil {
		l.Close()
		return err
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: headerTime, ReadTimeout: headerTime, WriteTimeout: answerTime,
		IdleTimeout: idleTime, MaxHeaderBytes: headerBytes}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("dashboard: %w", err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	if err := s.Shutdown(stop); err != nil {
		return fmt.Errorf("dashboard: %w", errors.Join(err, s.Close()))
	}
	return nil
}
