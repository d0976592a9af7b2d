package alerts

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"plumbline/runs/visible"
)

// Layouts are the forms in which an alert is one line of JSON: plumbline is [Alert] itself, ecs the Elastic Common
// Schema, zeek-notice that of Zeek's notice.log as JSON. A fourth, text, is a line for people.
var Layouts = []string{"ecs", "plumbline", "text", "zeek-notice"}

// ecsVersion is the version of the Elastic Common Schema whose fields are used.
const ecsVersion = "8.17.0"

// Encode is the alert in a layout, without a line break.
func (a *Alert) Encode(layout string) ([]byte, error) {
	switch layout {
	case "", "plumbline":
		return json.Marshal(a)
	case "ecs":
		return json.Marshal(a.ecs())
	case "zeek-notice":
		return json.Marshal(a.notice())
	case "text":
		at := "-"
		if !a.Time.IsZero() {
			at = a.Time.UTC().Format(time.RFC3339)
		}
		return fmt.Appendf(nil, "%s %s %s", at, a.ID, visible.Text(a.Sentence())), nil
	}
	return nil, fmt.Errorf("alerts: unknown layout %q: want %s", layout, strings.Join(Layouts, ", "))
}

// Sentence is the alert in a line for people.
func (a *Alert) Sentence() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: score %.4g above %.4g", a.Model, a.Score, a.Threshold)
	if a.Cause != "" && a.Cause != "none" {
		fmt.Fprintf(&b, ", cause %s", a.Cause)
	}
	for i, r := range a.Reasons {
		switch {
		case r.Name != a.Cause || i > 0:
		case r.Expected != "":
			fmt.Fprintf(&b, " (%s, expected %s)", r.Actual, r.Expected)
		case r.Actual != "":
			fmt.Fprintf(&b, " (%s)", r.Actual)
		}
	}
	switch {
	case a.Source != "" && a.Dest != "":
		fmt.Fprintf(&b, "; %s → %s", endpoint(a.Source, a.SrcPort), endpoint(a.Dest, a.DestPort))
	case a.Source != "":
		fmt.Fprintf(&b, "; %s", endpoint(a.Source, a.SrcPort))
	case a.Entity != "":
		fmt.Fprintf(&b, "; %s", a.Entity)
	}
	if a.Held > 0 {
		fmt.Fprintf(&b, "; %d more of this cause were held back", a.Held)
	}
	return b.String()
}

func endpoint(address, port string) string {
	switch {
	case port == "":
		return address
	case strings.Contains(address, ":"):
		return "[" + address + "]:" + port
	}
	return address + ":" + port
}

// ecsSide is source or destination.
type ecsSide struct {
	Address string `json:"address,omitempty"`
	IP      string `json:"ip,omitempty"`
	Port    *int64 `json:"port,omitempty"`
}

func newSide(addr, port string) *ecsSide {
	if addr == "" {
		return nil
	}
	s := &ecsSide{Address: addr, Port: portNumber(port)}
	if ip, ok := address(addr); ok {
		s.IP = ip.String()
	}
	return s
}

// portNumber is a port as a number; nil where the text is none.
func portNumber(text string) *int64 {
	v, err := strconv.ParseFloat(text, 64)
	if n := int64(v); err == nil && float64(n) == v && n >= 0 && n < 1<<16 {
		return &n
	}
	return nil
}

// ecs is the alert by the Elastic Common Schema: what this has no field for stands under plumbline.
func (a *Alert) ecs() map[string]any {
	event := map[string]any{"kind": "alert", "category": []string{"intrusion_detection"}, "type": []string{"info"},
		"module": "plumbline", "dataset": "plumbline.alert", "id": a.ID, "reason": a.Sentence()}
	if a.P != nil {
		event["risk_score"] = 100 * (1 - *a.P)
	}
	own := map[string]any{"model": a.Model, "model_hash": a.Hash, "score": a.Score, "threshold": a.Threshold,
		"unit": a.Unit, "cause": a.Cause, "group": a.Group}
	if a.P != nil {
		own["p_value"] = *a.P
	}
	if a.Entity != "" {
		own["entity"] = a.Entity
	}
	if len(a.Reasons) > 0 {
		own["reasons"] = a.Reasons
	}
	if a.Held > 0 {
		own["held"] = a.Held
	}
	out := map[string]any{"ecs": map[string]any{"version": ecsVersion}, "event": event, "message": a.Sentence(),
		"rule": map[string]any{"name": a.Cause, "id": a.Group, "ruleset": a.Model}, "plumbline": own}
	if !a.Time.IsZero() {
		out["@timestamp"] = a.Time.UTC().Format(time.RFC3339Nano)
	}
	network := map[string]any{}
	if a.Protocol != "" {
		network["transport"] = strings.ToLower(a.Protocol)
	}
	if a.Service != "" {
		network["protocol"] = strings.ToLower(a.Service)
	}
	if len(network) > 0 {
		out["network"] = network
	}
	if s := newSide(a.Source, a.SrcPort); s != nil {
		out["source"] = s
	}
	if s := newSide(a.Dest, a.DestPort); s != nil {
		out["destination"] = s
	}
	if a.File != "" {
		out["log"] = map[string]any{"file": map[string]any{"path": a.File}}
		own["line"] = a.Line
	}
	return out
}

// zeekNotice is a line of Zeek's notice.log.
type zeekNotice struct {
	TS       *float64 `json:"ts,omitempty"`
	UID      string   `json:"uid,omitempty"`
	OrigH    string   `json:"id.orig_h,omitempty"`
	OrigP    *int64   `json:"id.orig_p,omitempty"`
	RespH    string   `json:"id.resp_h,omitempty"`
	RespP    *int64   `json:"id.resp_p,omitempty"`
	Proto    string   `json:"proto,omitempty"`
	Note     string   `json:"note"`
	Msg      string   `json:"msg"`
	Sub      string   `json:"sub,omitempty"`
	Src      string   `json:"src,omitempty"`
	Dst      string   `json:"dst,omitempty"`
	P        *int64   `json:"p,omitempty"`
	N        int64    `json:"n,omitempty"`
	Peer     string   `json:"peer_descr"`
	Actions  []string `json:"actions"`
	Suppress float64  `json:"suppress_for"`
}

// notice is the alert as Zeek's notice framework writes notices: n is how many notices it stands for, sub the group.
func (a *Alert) notice() zeekNotice {
	n := zeekNotice{OrigH: a.Source, OrigP: portNumber(a.SrcPort), RespH: a.Dest, RespP: portNumber(a.DestPort),
		Proto: strings.ToLower(a.Protocol), Note: "Plumbline::Anomaly", Msg: a.Sentence(), Sub: a.Group + " " + a.ID,
		Src: a.Source, Dst: a.Dest, P: portNumber(a.DestPort), Peer: a.Model, Actions: []string{"Notice::ACTION_LOG"},
		UID: a.Record["uid"]}
	if a.Held > 0 {
		n.N = a.Held + 1
	}
	if !a.Time.IsZero() {
		ts := float64(a.Time.UnixMicro()) / 1e6
		n.TS = &ts
	}
	return n
}
