package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"plumbline/data/prep"
	"plumbline/runs/bundle"
)

// refusal is an error with the status of its answer.
type refusal struct {
	status int
	path   string // of the field, as a JSON pointer (RFC 6901); "" for the whole body
	text   string
}

func (e *refusal) Error() string { return e.text }

func refuse(status int, path, format string, args ...any) error {
	return &refusal{status, path, fmt.Sprintf(format, args...)}
}

// wrong is a refusal of a field.
func wrong(path jsontext.Pointer, format string, args ...any) error {
	return refuse(http.StatusBadRequest, string(path), format, args...)
}

// failure is the body of every answer that is no success.
type failure struct {
	Error string `json:"error"`
	Path  string `json:"path,omitempty"`
}

// asRefusal is the status, path and text of an error.
func asRefusal(err error) *refusal {
	var known *refusal
	var syntax *jsontext.SyntacticError
	var value *prep.ValueError
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &syntax):
		return &refusal{http.StatusBadRequest, string(syntax.JSONPointer), fmt.Sprintf("not JSON at byte %d: %v",
			syntax.ByteOffset, syntax.Err)}
	case errors.As(err, &value):
		return &refusal{http.StatusUnprocessableEntity, "/records/" + strconv.Itoa(int(value.Row)) + "/" +
			escape(value.Source), fmt.Sprintf("%v becomes %v when it is prepared", value.Value, value.Becomes)}
	case errors.As(err, &large):
		return tooLarge(large.Limit)
	case errors.Is(err, bundle.ErrTable):
		return &refusal{http.StatusUnprocessableEntity, "", err.Error()}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &refusal{http.StatusRequestTimeout, "", "the body did not come in time"}
	case errors.Is(err, context.DeadlineExceeded):
		return &refusal{http.StatusServiceUnavailable, "", "the answer took longer than the time limit"}
	case errors.Is(err, context.Canceled):
		return &refusal{http.StatusServiceUnavailable, "", "the server stops, or the client has gone"}
	}
	return &refusal{http.StatusInternalServerError, "", err.Error()}
}

func tooLarge(limit int64) *refusal {
	return &refusal{http.StatusRequestEntityTooLarge, "", fmt.Sprintf("the body has more than %d bytes", limit)}
}

func escape(name string) string { return string(jsontext.Pointer("").AppendToken(name))[1:] }

// fail answers with an error.
func fail(w http.ResponseWriter, err error) {
	r := asRefusal(err)
	switch r.status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "1")
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
	case http.StatusRequestTimeout, http.StatusRequestEntityTooLarge:
		w.Header().Set("Connection", "close") // the rest of the body is not waited for
	}
	write(w, r.status, failure{shortened(r.text, mostText), shortened(r.path, mostPath)})
}

// How much of a fault is told, in bytes: names of fields may be as long as the body.
const (
	mostText = 4000
	mostPath = 1000
)

func shortened(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// write answers with a value as JSON.
func write(w http.ResponseWriter, status int, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		status, raw = http.StatusInternalServerError, []byte(`{"error":"the answer has no form in JSON"}`)
	}
	writeRaw(w, status, raw)
}

// reply answers with a value whose size depends on the request. It counts among what bodies may take until the client
// has it, who may be slow.
func (s *Server) reply(w http.ResponseWriter, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	held := min(int64(len(raw)), s.o.Memory/4) // an answer alone is never too large
	if err := s.memory.take(held); err != nil {
		return err
	}
	defer s.memory.give(held)
	writeRaw(w, http.StatusOK, raw)
	return nil
}

func writeRaw(w http.ResponseWriter, status int, raw []byte) {
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(raw) + 1)}
	w.WriteHeader(status)
	w.Write(append(raw, '\n')) // a client that has gone is no fault of the server
}

var jsonType = []string{"application/json"}
