package alerts

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/configs/settings"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// found is the n-th alert of a stream, n minutes after noon.
func found(n int64, cause string) *Alert {
	return &Alert{ID: NewID("h", "conn.log", n, ""), Time: noon.Add(time.Duration(n) * time.Minute), Model: "iforest",
		Hash: "h", Score: 0.75, Threshold: 0.5, Unit: "flow", Source: "10.0.0.5", SrcPort: "50123", Dest: "192.0.2.7",
		DestPort: "22", Protocol: "tcp", Service: "ssh", File: "conn.log", Line: n + 9, Cause: cause,
		Group:   GroupID("h", cause),
		Reasons: []Reason{{Name: cause, Share: 0.8, Actual: "9", Expected: "2"}}, Record: map[string]string{"uid": "C1"}}
}

func decodeRules(t *testing.T, text string) (Rules, error) {
	t.Helper()
	doc, err := settings.Parse("rules.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	r := DefaultRules()
	if ps := doc.Decode(&r); len(ps) > 0 {
		return r, ps
	}
	return r, nil
}

// TestECS: names and types of fields are those of the Elastic Common Schema 8.17 (its fields reference: @timestamp,
// event.kind, event.category, source.ip, source.port, destination.*, network.transport, rule.id, log.file.path).
func TestECS(t *testing.T) {
	a := found(1, "duration")
	p := 0.01
	a.P, a.Held = &p, 3
	line, err := a.Encode("ecs")
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(line, &got); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]any{
		"@timestamp": "2026-11-27T12:01:00Z", "ecs.version": "8.17.0", "event.kind": "alert", "event.id": a.ID,
		"event.risk_score": 99.0, "source.ip": "10.0.0.5", "source.address": "10.0.0.5", "source.port": 50123.0,
		"destination.ip": "192.0.2.7", "destination.port": 22.0, "network.transport": "tcp", "network.protocol": "ssh",
		"rule.name": "duration", "rule.id": a.Group, "log.file.path": "conn.log", "plumbline.line": 10.0,
		"plumbline.score": 0.75, "plumbline.threshold": 0.5, "plumbline.p_value": 0.01, "plumbline.held": 3.0,
		"message": "iforest: score 0.75 above 0.5, cause duration (9, expected 2); 10.0.0.5:50123 → 192.0.2.7:22; " +
			"3 more of this cause were held back",
	} {
		v := any(got)
		if path == "@timestamp" {
			v = got[path]
		} else {
			for key := range strings.SplitSeq(path, ".") {
				m, _ := v.(map[string]any)
				v = m[key]
			}
		}
		if v != want {
			t.Errorf("%s is %v, want %v", path, v, want)
		}
	}
	if kind := got["event"].(map[string]any)["category"]; !cmp.Equal(kind, []any{"intrusion_detection"}) {
		t.Errorf("event.category %v", kind)
	}
	pseudo := found(1, "x")
	pseudo.Source, pseudo.SrcPort = "host-7", "-"
	line, _ = pseudo.Encode("ecs")
	if s := string(line); strings.Contains(s, `"ip":"host-7"`) || !strings.Contains(s, `"source":{"address":"host-7"}`) {
		t.Errorf("what is no address stands in source.ip: %s", s)
	}
}

// TestNotice: names are those of Notice::Info in Zeek's base/frameworks/notice.
func TestNotice(t *testing.T) {
	line, err := found(1, "duration").Encode("zeek-notice")
	if err != nil {
		t.Fatal(err)
	}
	a := found(1, "duration")
	want := `{"ts":1795780860,"uid":"C1","id.orig_h":"10.0.0.5","id.orig_p":50123,"id.resp_h":"192.0.2.7",` +
		`"id.resp_p":22,"proto":"tcp","note":"Plumbline::Anomaly",` +
		`"msg":"iforest: score 0.75 above 0.5, cause duration (9, expected 2); ` +
		`10.0.0.5:50123 → 192.0.2.7:22","sub":"` + a.Group + " " + a.ID + `","src":"10.0.0.5","dst":"192.0.2.7","p":22,` +
		`"peer_descr":"iforest","actions":["Notice::ACTION_LOG"],"suppress_for":0}`
	if string(line) != want {
		t.Errorf("%s\nwant\n%s", line, want)
	}
	if _, err := a.Encode("syslog"); err == nil || !strings.Contains(err.Error(), "zeek-notice") {
		t.Errorf("an unknown layout: %v", err)
	}
}

func TestIgnore(t *testing.T) {
	for rule, fits := range map[string]bool{
		"{src: 10.0.0.0/8}":                                     true,
		"{src: [192.168.0.0/16, 10.0.0.5]}":                     true,
		"{src: 10.0.0.6}":                                       false,
		"{dst: 10.0.0.0/8}":                                     false,
		"{host: 192.0.2.7}":                                     true,
		"{host: 2001:db8::/32}":                                 false,
		"{port: 22, protocol: TCP}":                             true,
		"{port: [80, 443]}":                                     false,
		"{cause: dur*}":                                         true,
		"{cause: bytes}":                                        false,
		"{model: iforest, within: 50 %}":                        true,
		"{model: iforest, within: 0.49}":                        false,
		"{src: 10.0.0.0/8, cause: duration, within: 20 %}":      false,
		"{src: 10.0.0.0/8, until: 2026-11-27, note: scan week}": true,
		"{src: 10.0.0.0/8, until: 2026-11-26}":                  false,
	} {
		r, err := decodeRules(t, "ignore: ["+rule+"]")
		if err != nil {
			t.Errorf("%s: %v", rule, err)
			continue
		}
		if got := r.Ignore[0].Fits(found(1, "duration")); got != fits {
			t.Errorf("%s fits: %v", rule, got)
		}
	}
	for text, want := range map[string]string{
		"ignore: [{}]":                     "says nothing",
		"ignore: [{note: all}]":            "says nothing",
		"ignore: [{source: 10.0.0.0/8}]":   "unknown key",
		"ignore: [{src: 10.0.0.0/99}]":     `neither an address nor a prefix`,
		"ignore: [{port: 22, within: -1}]": `no share`,
		"ignore: [{port: 22, until: May}]": `no day`,
		"ignore: [{cause: '[a'}]":          `no pattern`,
		"limit: {alerts: 3, per: hour}":    `no length of time`,
		"limit: {alerts: -1}":              "at least 0",
		"verdicts: all":                    "entity",
	} {
		if _, err := decodeRules(t, text); err == nil || !strings.Contains(err.Error(), want) ||
			!strings.HasPrefix(err.Error(), "rules.yaml:1:") {
			t.Errorf("%s: %v, want %q with its place", text, err, want)
		}
	}
}

// TestGate by hand: two alerts of a group in an hour are given on. Those at 12:00, 12:01 are, 12:02 and 12:03 are held
// back, the one at 13:00 says so; one that comes late, of 12:30, counts in the hour of the latest. Another cause is
// another group.
func TestGate(t *testing.T) {
	r, err := decodeRules(t, "{limit: {alerts: 2, per: 1h}, ignore: [{port: 53}]}")
	if err != nil {
		t.Fatal(err)
	}
	g := NewGate(r, nil, Clock{}, 0)
	var got []string
	pass := func(n int64, cause string, change func(*Alert)) {
		a := found(n, cause)
		if change != nil {
			change(a)
		}
		fate := g.Pass(a, nil)
		got = append(got, fmt.Sprintf("%d %s %d %d", n, cause, fate, a.Held))
	}
	for _, n := range []int64{0, 1, 2, 3, 60, 30, 31} {
		pass(n, "duration", nil)
	}
	pass(62, "bytes", nil)
	pass(63, "bytes", func(a *Alert) { a.DestPort = "53" })
	if err := g.Benign(func(do func(*Alert) error) error { return do(found(0, "bytes")) }); err != nil {
		t.Fatal(err)
	}
	pass(64, "bytes", nil)
	pass(65, "bytes", func(a *Alert) { a.Dest = "192.0.2.8" })
	want := []string{"0 duration 0 0", "1 duration 0 0", "2 duration 1 0", "3 duration 1 0", "60 duration 0 2",
		"30 duration 0 0", "31 duration 1 0", "62 bytes 0 0", "63 bytes 2 0", "64 bytes 2 0", "65 bytes 0 0"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	groups, gone, clock := g.Changed()
	if len(groups) != 2 || gone != nil || !clock.Now.Equal(noon.Add(65*time.Minute)) {
		t.Fatalf("%d groups, %d gone, clock %v", len(groups), len(gone), clock)
	}
	for _, group := range groups {
		want := Group{ID: GroupID("h", "duration"), Model: "iforest", Hash: "h", Cause: "duration", First: noon,
			Last: noon.Add(time.Hour), Alerts: 4, Limited: 3, Highest: 0.75, Stretch: group.Stretch, Within: 2, Held: 1}
		if group.Cause == "bytes" {
			want = Group{ID: GroupID("h", "bytes"), Model: "iforest", Hash: "h", Cause: "bytes",
				First: noon.Add(62 * time.Minute), Last: noon.Add(65 * time.Minute), Alerts: 2, Ignored: 2, Highest: 0.75,
				Stretch: group.Stretch, Within: 2}
		}
		if d := cmp.Diff(want, group); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
	}
	// a gate that goes on from what it left decides as one that never stopped
	next := NewGate(r, groups, clock, 0)
	if a := found(66, "duration"); next.Pass(a, nil) != Limited {
		t.Error("the limit is forgotten")
	}
	if changed, _, _ := g.Changed(); len(changed) != 0 {
		t.Errorf("%d groups changed without an alert", len(changed))
	}
}

// TestClock, by hand: the limit's clock follows the traffic, and late alerts count as of now. One wrong time, ahead or
// back, carries nothing off; where a second alert says the same, the clock was set.
func TestClock(t *testing.T) {
	r, err := decodeRules(t, "limit: {alerts: 2, per: 1h}")
	if err != nil {
		t.Fatal(err)
	}
	const day, years = 24 * 60, 9000 * 24 * 60 // minutes
	for name, c := range map[string]struct {
		minutes []int64
		want    string // g: given on, l: held back
	}{
		"late":                   {[]int64{0, 1, 60, 30, 61, 40, 2}, "gggglll"},
		"one far ahead":          {[]int64{0, 1, 2, years, 3, 4, 5, 60}, "gglggglg"},
		"one far back":           {[]int64{0, 1, -years, 2, 60}, "ggllg"},
		"set back":               {[]int64{0, 1, 2, -2 * day, 1 - 2*day, 2 - 2*day, 3 - 2*day, 60 - 2*day}, "ggllgglg"},
		"quiet for days":         {[]int64{0, 1, 2, 3 * day, 3*day + 1, 3*day + 2}, "gglggl"},
		"the first is far ahead": {[]int64{years, 0, 1, 2, 3, 60}, "gggglg"},
	} {
		for _, stops := range []bool{false, true} {
			g, got := NewGate(r, nil, Clock{}, 0), ""
			for _, n := range c.minutes {
				got += map[Fate]string{Given: "g", Limited: "l"}[g.Pass(found(n, "duration"), nil)]
				if stops {
					groups, _, clock := g.Changed()
					g = NewGate(r, groups, clock, 0)
				}
			}
			if got != c.want {
				t.Errorf("%s, stopped after each %v: %s, want %s", name, stops, got, c.want)
			}
		}
	}
}

func TestVerdicts(t *testing.T) {
	for text, want := range map[string]Verdict{"true": True, "FALSE": False, "note": Note} {
		if v, err := ParseVerdict(text); v != want || err != nil {
			t.Errorf("%s: %v %v", text, v, err)
		}
	}
	if _, err := ParseVerdict("maybe"); err == nil {
		t.Error("maybe is a verdict")
	}
	if d, err := ParseSpan("7d"); d != 7*24*time.Hour || err != nil {
		t.Errorf("7d: %v %v", d, err)
	}
}

// FuzzRules: rules are read, or refused with their place.
func FuzzRules(f *testing.F) {
	f.Add("ignore: [{src: 10.0.0.0/8, cause: a*, within: 20 %, until: 2026-11-27}]")
	f.Add("{limit: {alerts: 2, per: 1h}, verdicts: group}")
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := settings.Parse("rules.yaml", []byte(text))
		if err != nil {
			return
		}
		r := DefaultRules()
		var ps settings.Problems
		if ps = doc.Decode(&r); len(ps) > 0 {
			if !errors.As(error(ps), &ps) || !strings.Contains(ps.Error(), "rules.yaml") {
				t.Errorf("no place: %v", ps)
			}
			return
		}
		g := NewGate(r, nil, Clock{}, 0)
		for n := range int64(4) {
			g.Pass(found(n, "duration"), nil)
		}
		groups, _, _ := g.Changed()
		if len(groups) != 1 || groups[0].Alerts+groups[0].Limited+groups[0].Ignored != 4 {
			t.Errorf("%+v", groups)
		}
	})
}
