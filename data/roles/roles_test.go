package roles

import (
	"testing"

	"plumbline/data"
)

// table is columns of names and types, as "name type".
func table(names ...string) *data.Table {
	t := &data.Table{}
	types := map[byte]data.ColumnType{'n': data.Number, 'c': data.Category, 't': data.Time, 'a': data.Address}
	for _, n := range names {
		t.Columns = append(t.Columns, data.Column{Name: n[2:], Type: types[n[0]]})
	}
	return t
}

func name(c *data.Column) string {
	if c == nil {
		return ""
	}
	return c.Name
}

// TestFind: the layouts of Zeek, CICFlowMeter, KDD99, NetFlow, Argus, Suricata and UNSW-NB15, and one of nobody.
func TestFind(t *testing.T) {
	for _, c := range []struct {
		table *data.Table
		hints Hints
		want  []string // time source destination protocol service state out in
		signs int
	}{
		{table("t ts", "c uid", "a id.orig_h", "n id.orig_p", "a id.resp_h", "n id.resp_p", "c proto", "c service",
			"n duration", "n orig_bytes", "n resp_bytes", "c conn_state", "n missed_bytes"), Hints{},
			[]string{"ts", "id.orig_h", "id.resp_h", "proto", "service", "conn_state", "orig_bytes", "resp_bytes"}, 1},
		{table("a Src IP", "n Src Port", "a Dst IP", "n Dst Port", "c Protocol", "t Timestamp", "n Flow Duration",
			"n Total Length of Fwd Packet", "n Total Length of Bwd Packet", "n RST Flag Count", "n URG Flag Count"), Hints{},
			[]string{"Timestamp", "Src IP", "Dst IP", "Protocol", "", "", "Total Length of Fwd Packet",
				"Total Length of Bwd Packet"}, 2},
		{table("n duration", "c protocol_type", "c service", "c flag", "n src_bytes", "n dst_bytes", "n land",
			"n wrong_fragment", "n urgent", "n num_failed_logins", "n dst_host_count"), Hints{},
			[]string{"", "", "", "protocol_type", "service", "flag", "src_bytes", "dst_bytes"}, 4},
		{table("a IPV4_SRC_ADDR", "a IPV4_DST_ADDR", "c PROTOCOL", "c L7_PROTO", "n IN_BYTES", "n OUT_BYTES"), Hints{},
			[]string{"", "IPV4_SRC_ADDR", "IPV4_DST_ADDR", "PROTOCOL", "L7_PROTO", "", "IN_BYTES", "OUT_BYTES"}, 0},
		{table("t StartTime", "n Dur", "c Proto", "a SrcAddr", "c Dir", "a DstAddr", "c State", "n TotBytes", "n SrcBytes"),
			Hints{}, []string{"StartTime", "SrcAddr", "DstAddr", "Proto", "", "State", "SrcBytes", ""}, 0},
		{table("t timestamp", "t flow.start", "a src_ip", "a dest_ip", "c proto", "c app_proto", "c flow.state",
			"n flow.bytes_toserver", "n flow.bytes_toclient"), Hints{Time: "flow.start"},
			[]string{"flow.start", "src_ip", "dest_ip", "proto", "app_proto", "flow.state", "flow.bytes_toserver",
				"flow.bytes_toclient"}, 0},
		{table("t when", "a them", "a us", "n landing_pages"), Hints{Entity: "us"},
			[]string{"when", "us", "them", "", "", "", "", ""}, 0},
		{table("c time", "n src"), Hints{}, []string{"", "", "", "", "", "", "", ""}, 0},
	} {
		r := Find(c.table, c.hints)
		for i, got := range []*data.Column{r.Time, r.Source, r.Destination, r.Protocol, r.Service, r.State, r.BytesOut,
			r.BytesIn} {
			if name(got) != c.want[i] {
				t.Errorf("%s…: role %d is %q, want %q", c.table.Columns[0].Name, i, name(got), c.want[i])
			}
		}
		if len(r.Signs) != c.signs {
			t.Errorf("%s…: %d signs, want %d", c.table.Columns[0].Name, len(r.Signs), c.signs)
		}
	}
}
