package infer

import (
	"fmt"
	"slices"
	"strings"

	"plumbline/configs"
	"plumbline/data/flowlog"
	"plumbline/data/guess"
	"plumbline/data/rows"
)

// monitorOf is the format of the monitor that wrote JSON objects with these members, and the events of Suricata that
// are flows; "" where no monitor is known by them.
func monitorOf(m *members) (format string, events []string) {
	column := func(name string) *guess.Column {
		if i, ok := m.at[name]; ok {
			return m.columns[i]
		}
		return nil
	}
	all := func(names ...string) bool {
		return !slices.ContainsFunc(names, func(n string) bool { return column(n) == nil })
	}
	switch {
	case all("timestamp", "event_type", "src_ip", "dest_ip", "proto"):
		for _, e := range []string{"flow", "netflow", "alert"} {
			if column("event_type").Values[e] > 0 {
				return "suricata", []string{e}
			}
		}
	case all("ts", "uid", "id.orig_h", "id.resp_h", "id.resp_p", "proto", "conn_state"):
		return "zeek-json", nil
	}
	return "", nil
}

// writeMonitor writes the config of a monitor's log: that which comes with the program, with the file's own label.
func writeMonitor(m *members, name, format string, events []string) ([]byte, error) {
	own := (&flowlog.ZeekJSON{}).Schema()
	if format == "suricata" {
		own = (&flowlog.Suricata{Events: events}).Schema()
	}
	var more []*guess.Column
	for _, c := range m.columns {
		truth := slices.Contains(truthNames, truthName(c.Name)) && len(c.Values) <= fewLevels
		if truth && !slices.ContainsFunc(own, func(s rows.ColumnSpec) bool { return s.Name == c.Name }) {
			c.Decide()
			more = append(more, c)
		}
	}
	f := &findings{columns: more}
	var b strings.Builder
	writeHead(&b, name, format)
	sayShipped(&b, []string{format})
	at, benign := findLabel(more)
	switch {
	case at >= 0:
		is := traits{label: at, missing: []string{""}}
		var levels []string
		is.class, levels = f.levels(at)
		f.writeLabel(&b, is, benign, levels, false)
	case slices.Contains(events, "flow"):
		b.WriteString("# a flow that raised an alert counts as an attack: say what you know better\n" +
			"label: {column: flow.alerted, benign: [\"false\"]}\n")
	default:
		b.WriteString("# the log has no label: it can be described, but nothing can be evaluated on it\n")
	}
	if len(more) > 0 || format == "suricata" {
		b.WriteString("options:\n")
	}
	if format == "suricata" {
		fmt.Fprintf(&b, "  events: %s\n", listYAML(events))
	}
	if len(more) > 0 {
		b.WriteString("  # members besides those of the monitor\n  columns:\n")
		for _, c := range more {
			fmt.Fprintf(&b, "    - {name: %s, type: category}\n", quoteYAML(c.Name))
		}
	}
	if slices.Contains(events, "flow") || format == "zeek-json" {
		rest, err := shippedRest(format)
		if err != nil {
			return nil, err
		}
		b.WriteString(rest)
		return []byte(b.String()), nil
	}
	b.WriteString("split: {kind: time, test: 0.4, validation: 0.2}\nprep:\n" +
		"  - {step: drop, columns: [flow_id, community_id, src_port, dest_port]}\n" +
		"  - impute\n  - onehot\n  - {step: scale, kind: zscore}\n")
	return []byte(b.String()), nil
}

// shippedRest is what a shipped config says from drop on: what to leave out, the split, the preparation, the traces.
func shippedRest(name string) (string, error) {
	raw, err := configs.Files.ReadFile("data/" + name + ".yaml")
	if err != nil {
		return "", err
	}
	at := strings.Index(string(raw), "\ndrop:")
	if at < 0 {
		return "", fmt.Errorf("the shipped config %s drops nothing", name)
	}
	return string(raw[at+1:]), nil
}

// inferNfcapd writes what the shipped config says: the columns of nfcapd's files are known.
func inferNfcapd(name string) ([]byte, error) {
	var b strings.Builder
	writeHead(&b, name, "nfcapd")
	sayShipped(&b, []string{"nfcapd"})
	b.WriteString("# a label can be given with nfdump -w; without one, label.join or label.files says what is an attack\n")
	rest, err := shippedRest("nfcapd")
	if err != nil {
		return nil, err
	}
	b.WriteString(rest)
	return []byte(b.String()), nil
}
