package export

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// mlflow speaks the REST interface of an MLflow tracking server (2.x and 3.x), patiently: what a server or the way to
// it may yet do is tried again.
type mlflow struct {
	base  string // without a slash at the end
	http  *http.Client
	auth  func(*http.Request)
	tries int           // of one call
	first time.Duration // pause before the second try; doubled before each further one
	note  func(string)  // what a person may want to know
}

// apiError is what a server answered.
type apiError struct {
	Status  int    `json:"-"`
	Code    string `json:"error_code"`
	Message string `json:"message"`
}

func (e *apiError) Error() string {
	return fmt.Sprintf("the server answered %d %s: %.300s", e.Status, e.Code, e.Message)
}

// isCode says whether an error is an answer with this code.
func isCode(err error, code string) bool {
	var e *apiError
	return errors.As(err, &e) && e.Code == code
}

// Credentials of a tracking server, as MLflow's own clients take them from the environment.
type Credentials struct{ Username, Password, Token string }

// CredentialsFromEnvironment are MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD and MLFLOW_TRACKING_TOKEN.
func CredentialsFromEnvironment() Credentials {
	return Credentials{os.Getenv("MLFLOW_TRACKING_USERNAME"), os.Getenv("MLFLOW_TRACKING_PASSWORD"),
		os.Getenv("MLFLOW_TRACKING_TOKEN")}
}

func (c Credentials) add(r *http.Request) {
	if c.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.Token)
	} else if c.Username != "" {
		r.SetBasicAuth(c.Username, c.Password)
	}
}

// maxAnswer is the most that is read of an answer.
const maxAnswer = 64 << 20

// call sends one request and decodes the answer. again, where it is not nil, is asked before each further try: whether
// an earlier one has done it although its answer was lost.
func (m *mlflow) call(ctx context.Context, method, path string, query url.Values, body, answer any,
	again func() (done bool, err error)) error {
	var raw []byte
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			return err
		}
	}
	send := func() (io.Reader, error) { return bytes.NewReader(raw), nil }
	return m.patiently(ctx, again, func() (time.Duration, error) {
		return m.once(ctx, method, "/api/2.0/"+path, query, "application/json", int64(len(raw)), send, answer)
	})
}

// patiently tries until something is done, or is not to be done by trying.
func (m *mlflow) patiently(ctx context.Context, again func() (bool, error),
	try func() (wait time.Duration, err error)) error {
	pause := m.first
	for n := 1; ; n++ {
		wait, err := try()
		switch {
		case err == nil || wait < 0:
			return err
		case ctx.Err() != nil:
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		}
		if n >= m.tries {
			return fmt.Errorf("%w (after %d tries)", err, n)
		}
		wait = max(wait, time.Duration(float64(pause)*(0.75+0.5*rand.Float64())))
		pause = min(2*pause, time.Minute)
		m.note(fmt.Sprintf("%v; trying again in %s", err, wait.Round(time.Millisecond)))
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-time.After(wait):
		}
		if again != nil {
			if done, err := again(); err != nil || done {
				return err
			}
		}
	}
}

// once is one try. A wait below 0 says that another would be in vain; above 0 it is what the server asks for.
func (m *mlflow) once(ctx context.Context, method, path string, query url.Values, kind string, size int64,
	body func() (io.Reader, error), answer any) (wait time.Duration, err error) {
	from, err := body()
	if err != nil {
		return -1, err
	}
	if c, ok := from.(io.Closer); ok {
		defer c.Close()
	}
	at := m.base + path
	if len(query) > 0 {
		at += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, at, from)
	if err != nil {
		return -1, err
	}
	if req.ContentLength = size; size == 0 {
		req.Body = http.NoBody
	} else {
		req.Header.Set("Content-Type", kind)
	}
	m.auth(req)
	res, err := m.http.Do(req)
	if err != nil {
		return 0, err // it may come up yet
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return 0, fmt.Errorf("%s: the answer broke off: %w", path, err)
	}
	if res.StatusCode/100 == 2 {
		if answer == nil {
			return 0, nil
		}
		if err := json.Unmarshal(raw, answer); err != nil {
			return -1, fmt.Errorf("%s: the answer is none of MLflow's: %w", path, err)
		}
		return 0, nil
	}
	failed := &apiError{Status: res.StatusCode}
	if json.Unmarshal(raw, failed) != nil || failed.Code == "" {
		failed.Code, failed.Message = http.StatusText(res.StatusCode), strings.TrimSpace(string(raw))
	}
	if res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusRequestTimeout ||
		res.StatusCode >= 500 && res.StatusCode != http.StatusNotImplemented {
		seconds, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		return time.Duration(min(max(seconds, 0), 300)) * time.Second, failed
	}
	return -1, failed
}

// upload stores a file among a run's artifacts, of a server that keeps them itself.
func (m *mlflow) upload(ctx context.Context, root string, f File) error {
	var pieces []string
	for _, p := range strings.Split(root+"/"+f.Name, "/") {
		pieces = append(pieces, url.PathEscape(p))
	}
	path := "/api/2.0/mlflow-artifacts/artifacts/" + strings.Join(pieces, "/")
	return m.patiently(ctx, nil, func() (time.Duration, error) {
		return m.once(ctx, http.MethodPut, path, nil, "application/octet-stream", f.Bytes,
			func() (io.Reader, error) { return os.Open(f.Path) }, nil)
	})
}
