package deliver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"plumbline/configs/settings"
	"plumbline/runs/alerts"
)

// Settings is the file that says what becomes of alerts.
type Settings struct {
	alerts.Rules `yaml:",inline"`
	// where alerts go; none: into the store alone
	To []Target `yaml:"to"`
	// layout of targets that have none of their own
	Layout string `yaml:"layout" jsonschema:"enum=plumbline,enum=ecs,enum=zeek-notice,enum=text"`
	// alerts that the store keeps: the newest ones. Older ones go, but for those of keep_judged and keep_unsent
	Keep int64 `yaml:"keep" jsonschema:"minimum=1"`
	// older alerts with a verdict that the store keeps besides. With the others, their verdicts are forgotten
	KeepJudged int64 `yaml:"keep_judged" jsonschema:"minimum=1"`
	// how many of the newest alerts are kept for a target that has not taken them yet. It never gets older ones
	KeepUnsent int64 `yaml:"keep_unsent" jsonschema:"minimum=1"`
	// groups of alerts that are remembered. For one more, the one goes whose last alert came before those of all others
	KeepGroups int64 `yaml:"keep_groups" jsonschema:"minimum=1"`
	// file with the key of pseudonyms, 64 hexadecimal digits; none: addresses are kept as they are
	PseudonymKey string `yaml:"pseudonym_key"`
}

// Default is what holds without a file.
func Default() Settings {
	return Settings{Rules: alerts.DefaultRules(), Layout: "plumbline", Keep: 1_000_000, KeepJudged: 200_000,
		KeepUnsent: 10_000_000, KeepGroups: 100_000}
}

// ReadSettings reads the file over the defaults.
func ReadSettings(path string) (Settings, error) {
	s := Default()
	raw, err := os.ReadFile(path)
	if err != nil {
		return s, fmt.Errorf("deliver: %w", err)
	}
	doc, err := settings.Parse(path, raw)
	if err != nil {
		return s, err
	}
	if ps := doc.Decode(&s); len(ps) > 0 {
		return s, ps
	}
	return s, nil
}

// Target is where alerts go.
type Target struct {
	// stdout, file:PATH, syslog+udp://HOST:PORT, syslog+tcp://HOST:PORT, syslog+unix:///dev/log,
	// kafka://HOST:PORT,HOST:PORT/TOPIC, or http:// and https:// for a webhook
	To string `yaml:"to"`
	// plumbline, ecs, zeek-notice or, for people, text; none: as the file says
	Layout string `yaml:"layout" jsonschema:"enum=,enum=plumbline,enum=ecs,enum=zeek-notice,enum=text"`
	// webhook: headers of requests; ${NAME} is that of the environment
	Headers map[string]string `yaml:"headers"`
	// webhook: alerts in a request, as an array; 1: each is a request of its own, an object
	Batch int `yaml:"batch" jsonschema:"minimum=1,maximum=1000"`
	// how long a receiver may take over a request
	Timeout alerts.Span `yaml:"timeout"`
}

// defaultTarget is a target with what it has unless a file says otherwise.
func defaultTarget() Target { return Target{Batch: 1, Timeout: alerts.Span(10 * time.Second)} }

// Forms are an address, or a map.
func (*Target) Forms() []settings.Form {
	type plain Target
	return []settings.Form{{}, {Keys: plain{}, Required: []string{"to"}}}
}

// UnmarshalSettings takes an address or a map.
func (t *Target) UnmarshalSettings(d settings.Node) settings.Problems {
	if text, ok := d.Scalar(); ok {
		var err error
		if *t, err = ParseTarget(text); err != nil {
			return settings.Problems{d.Problem("%v", err)}
		}
		return nil
	}
	type plain Target
	p := plain(defaultTarget())
	ps := d.Decode(&p)
	*t = Target(p)
	if len(ps) == 0 {
		if err := t.check(); err != nil {
			ps = append(ps, d.Problem("%v", err))
		}
	}
	return ps
}

// ParseTarget is the target of an address, with defaults.
func ParseTarget(text string) (Target, error) {
	t := defaultTarget()
	t.To = text
	return t, t.check()
}

// kinds are the schemes of targets.
const kinds = "stdout, file:PATH, syslog+udp://, syslog+tcp://, syslog+unix://, kafka://, http:// or https://"

// parts is the scheme and what follows it.
func (t *Target) parts() (kind string, u *url.URL, err error) {
	switch path, file := strings.CutPrefix(t.To, "file:"); {
	case t.To == "stdout":
		return "stdout", &url.URL{}, nil
	case file && path == "":
		return "", nil, errors.New("file: wants a path, as in file:alerts.ndjson")
	case file:
		return "file", &url.URL{Path: path}, nil
	}
	if rest, ok := strings.CutPrefix(t.To, "kafka://"); ok { // several hosts are no URL
		hosts, topic, _ := strings.Cut(rest, "/")
		if hosts == "" || topic == "" || strings.Contains(topic, "/") {
			return "", nil, fmt.Errorf("%q: want kafka://HOST:PORT,HOST:PORT/TOPIC", t.To)
		}
		return "kafka", &url.URL{Host: hosts, Path: topic}, nil
	}
	u, err = url.Parse(t.To)
	if err != nil {
		return "", nil, fmt.Errorf("an address that cannot be read: want %s", kinds)
	}
	switch u.Scheme {
	case "http", "https", "syslog+udp", "syslog+tcp":
		if u.Host == "" {
			return "", nil, fmt.Errorf("%q names no host", u.Redacted())
		}
		if u.Scheme[0] == 's' && u.Port() == "" {
			u.Host += ":514"
		}
	case "syslog+unix":
		if u.Path == "" {
			return "", nil, fmt.Errorf("%q names no socket, as in syslog+unix:///dev/log", u.Redacted())
		}
	default:
		return "", nil, fmt.Errorf("%q: want %s", u.Redacted(), kinds)
	}
	return u.Scheme, u, nil
}

// Name is the address without a password: the sink's name in the store.
func (t *Target) Name() string {
	if u, err := url.Parse(t.To); err == nil && u.User != nil {
		return u.Redacted()
	}
	return t.To
}

var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// expanded is text with the values of the environment.
func expanded(text string) (string, error) {
	var missing error
	out := variable.ReplaceAllStringFunc(text, func(m string) string {
		v, ok := os.LookupEnv(m[2 : len(m)-1])
		if !ok {
			missing = fmt.Errorf("the environment has no %s", m)
		}
		return v
	})
	return out, missing
}

func (t *Target) check() error {
	kind, _, err := t.parts()
	if err != nil {
		return err
	}
	if t.Timeout <= 0 {
		return fmt.Errorf("%s: timeout: want more than 0s", t.Name())
	}
	if web := kind == "http" || kind == "https"; !web && (len(t.Headers) > 0 || t.Batch != 1) {
		return fmt.Errorf("%s: headers and batch are of webhooks", t.Name())
	}
	for name, v := range t.Headers {
		if _, err := expanded(v); err != nil {
			return fmt.Errorf("header %s: %w", name, err)
		}
	}
	return nil
}

// Sink is where alerts are handed over.
type Sink interface {
	// Send hands alerts over in their order, and says how many arrived: fewer than all with an error.
	Send(ctx context.Context, list []alerts.Alert) (int, error)
	Close() error
}

// Open makes the sink of a target; stdout is where that goes. Nothing is connected yet.
func (t *Target) Open(layout string, stdout io.Writer) (Sink, error) {
	kind, u, err := t.parts()
	if err != nil {
		return nil, err
	}
	if t.Layout != "" {
		layout = t.Layout
	}
	switch kind {
	case "stdout":
		return &writer{out: stdout, layout: layout}, nil
	case "file":
		return &file{path: u.Path, layout: layout}, nil
	case "kafka":
		return newKafka(strings.Split(u.Host, ","), u.Path, layout, time.Duration(t.Timeout))
	case "syslog+udp", "syslog+tcp":
		return newSyslog(strings.TrimPrefix(kind, "syslog+"), u.Host, layout, time.Duration(t.Timeout)), nil
	case "syslog+unix":
		return newSyslog("unix", u.Path, layout, time.Duration(t.Timeout)), nil
	}
	return newWebhook(t, u, layout)
}
