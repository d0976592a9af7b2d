package deliver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"plumbline/runs/alerts"
)

// webhook posts alerts as JSON.
type webhook struct {
	url     string
	shown   string // without a password
	layout  string
	headers http.Header
	batch   int
	client  *http.Client
	refused int // times that the request in turn was refused for good
	alone   int // alerts that go one by one, since they were refused together
}

// mostRefused is how often a request that the receiver calls wrong is tried.
const mostRefused = 5

func newWebhook(t *Target, u *url.URL, layout string) (*webhook, error) {
	w := &webhook{url: t.To, shown: u.Redacted(), layout: layout, batch: t.Batch, headers: http.Header{},
		client: &http.Client{Timeout: time.Duration(t.Timeout), CheckRedirect: sameMethod}}
	for name, v := range t.Headers {
		text, err := expanded(v)
		if err != nil {
			return nil, fmt.Errorf("header %s: %w", name, err)
		}
		w.headers.Set(name, text)
	}
	return w, nil
}

// sameMethod follows a redirection that has the request sent again as it is (307, 308). Others would ask for a page,
// such as one to sign in, whose success is not that of the alert.
func sameMethod(next *http.Request, before []*http.Request) error {
	if next.Method != before[0].Method || len(before) >= mostRedirects {
		return http.ErrUseLastResponse
	}
	return nil
}

// mostRedirects is how many redirections in a row are followed.
const mostRedirects = 5

// retryError says that a receiver wants to be asked later.
type retryError struct {
	error
	after time.Duration
}

// refusedError says that a receiver will never take some alerts.
type refusedError struct{ error }

// Send posts the alerts, batch by batch. Those of a batch that the receiver calls wrong are posted one by one; an alert
// that it calls wrong several times is passed over with a refusedError: it stays in the store.
func (w *webhook) Send(ctx context.Context, list []alerts.Alert) (int, error) {
	for from := 0; from < len(list); {
		to := min(from+w.batch, len(list))
		if w.alone > 0 {
			to = from + 1
		}
		err := w.post(ctx, list[from:to])
		var refused refusedError
		if errors.As(err, &refused) {
			if to-from > 1 {
				w.alone = to - from
				continue
			}
			if w.refused++; w.refused == mostRefused {
				w.refused, w.alone = 0, max(0, w.alone-1)
				return to, err
			}
		}
		if err != nil {
			return from, err
		}
		w.refused, w.alone, from = 0, max(0, w.alone-1), to
	}
	return len(list), nil
}

func (w *webhook) post(ctx context.Context, list []alerts.Alert) error {
	var body []byte
	var lines []json.RawMessage
	for i := range list {
		line, err := list[i].Encode(w.layout)
		if err != nil {
			return err
		}
		lines = append(lines, line)
	}
	body = lines[0]
	if w.batch > 1 {
		var err error
		if body, err = json.Marshal(lines); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "plumbline")
	req.Header.Set("Idempotency-Key", list[0].ID)
	for name, v := range w.headers {
		req.Header[name] = v
	}
	res, err := w.client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) { // its text has the password of the address
			err = u.Err
		}
		return fmt.Errorf("%s: %w", w.shown, err)
	}
	defer res.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(res.Body, 300))
	err = fmt.Errorf("%s: %s: %.200q", w.shown, res.Status, said)
	switch c := res.StatusCode; {
	case c >= 200 && c < 300, c == http.StatusConflict && len(list) == 1: // it has this one
		return nil
	case c == http.StatusTooManyRequests, c == http.StatusServiceUnavailable:
		seconds, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		return retryError{err, time.Duration(max(0, min(seconds, 3600))) * time.Second}
	case c >= 400 && c < 500 && c != http.StatusRequestTimeout && c != http.StatusTooEarly &&
		c != http.StatusUnauthorized && c != http.StatusForbidden && c != http.StatusNotFound:
		return refusedError{err}
	}
	return err
}

func (w *webhook) Close() error {
	w.client.CloseIdleConnections()
	return nil
}
