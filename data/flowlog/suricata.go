package flowlog

import (
	"context"
	"fmt"
	"io"
	"slices"

	"plumbline/configs/settings"
	"plumbline/data/rows"
)

// Suricata reads the events of eve.json, one JSON object a line: flows by default, as rows with the members that
// Suricata's documentation lists for them, named as there with dots. Other events are passed over. A flow's own
// flow.alerted (true or false) can be the label; label.join with a second reading of the file, events [alert] and the
// key flow_id, gives flows the category of the alert that they raised.
type Suricata struct {
	// event types that are rows: flow, netflow, alert; other types have only the members that all events have
	Events []string `yaml:"events"`
	// members to read besides those that are known
	Columns []rows.ColumnSpec `yaml:"columns"`
}

// NewSuricata is the format with its defaults.
func NewSuricata() *Suricata { return &Suricata{Events: []string{"flow"}} }

// eveColumns are the members of each event type; those of all events come first.
var eveColumns = map[string][]rows.ColumnSpec{
	"": rows.Columns("timestamp time, flow_id category, event_type category, in_iface category, src_ip address, " +
		"src_port number, dest_ip address, dest_port number, proto category, icmp_type number, " +
		"icmp_code number, app_proto category, community_id category"),
	"flow": rows.Columns("flow.pkts_toserver number, flow.pkts_toclient number, flow.bytes_toserver number, " +
		"flow.bytes_toclient number, flow.start time, flow.end time, flow.age number, flow.state category, " +
		"flow.reason category, flow.alerted category, tcp.tcp_flags category, tcp.tcp_flags_ts category, " +
		"tcp.tcp_flags_tc category, tcp.state category"),
	"netflow": rows.Columns("netflow.pkts number, netflow.bytes number, netflow.start time, netflow.end time, " +
		"netflow.age number, netflow.min_ttl number, netflow.max_ttl number, tcp.tcp_flags category"),
	"alert": rows.Columns("alert.action category, alert.gid category, alert.signature_id category, " +
		"alert.signature category, " +
		"alert.category category, alert.severity number"),
}

// Schema lists the columns.
func (d *Suricata) Schema() []rows.ColumnSpec {
	specs := slices.Clone(eveColumns[""])
	for _, e := range d.Events {
		for _, s := range eveColumns[e] {
			if e != "" && !slices.Contains(specs, s) {
				specs = append(specs, s)
			}
		}
	}
	return append(specs, d.Columns...)
}

// Check says what is wrong with the settings.
func (d *Suricata) Check(options settings.Node) settings.Problems {
	own := (&Suricata{Events: d.Events}).Schema()
	ps := moreColumns(options, own, d.Columns)
	if len(d.Events) == 0 {
		ps = append(ps, options.Problem("events must name the event types that are rows"))
	}
	return ps
}

func (d *Suricata) Read(ctx context.Context, in io.Reader, name string, tb *rows.Builder, workers int) error {
	j := newJSONLog(d.Schema())
	j.row = func(event map[string]any) bool {
		kind, _ := event["event_type"].(string)
		return slices.Contains(d.Events, kind)
	}
	j.time = eveTime
	return j.read(ctx, in, name, tb, workers)
}

// eveTime reads a time as Suricata writes it, the zone without a colon; newer versions and other tools write one.
func eveTime(text string, quoted bool) (int64, error) {
	if !quoted {
		return 0, fmt.Errorf("%s is a number; want a time as 2006-01-02T15:04:05.000000+0000", text)
	}
	return layoutTime(text, "2006-01-02T15:04:05-0700", "2006-01-02T15:04:05Z07:00")
}
