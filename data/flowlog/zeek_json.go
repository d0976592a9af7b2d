package flowlog

import (
	"context"
	"fmt"
	"io"
	"slices"

	"plumbline/configs/settings"
	"plumbline/data/rows"
	"plumbline/data/value"
)

// ZeekJSON reads Zeek's conn.log as JSON, one object a line. JSON lines do not say what their members are: the columns
// are those that Zeek's documentation lists for conn.log, and others that options.columns names, such as the label that
// somebody added. Times may be written in each of Zeek's three ways: seconds since 1970, milliseconds since 1970, ISO
// 8601.
type ZeekJSON struct {
	// members to read besides those of conn.log, which packages and the site's own scripts add
	Columns []rows.ColumnSpec `yaml:"columns"`
}

var zeekConnColumns = rows.Columns("ts time, uid category, id.orig_h address, id.orig_p number, id.resp_h " +
	"address, id.resp_p number, " +
	"proto category, service category, duration number, orig_bytes number, resp_bytes number, " +
	"conn_state category, local_orig category, local_resp category, missed_bytes number, history category, " +
	"orig_pkts number, orig_ip_bytes number, resp_pkts number, resp_ip_bytes number, ip_proto category, " +
	"community_id category")

// Schema lists the columns.
func (d *ZeekJSON) Schema() []rows.ColumnSpec { return slices.Concat(zeekConnColumns, d.Columns) }

// Check says what is wrong with the settings.
func (d *ZeekJSON) Check(options settings.Node) settings.Problems {
	return moreColumns(options, zeekConnColumns, d.Columns)
}

func (d *ZeekJSON) Read(ctx context.Context, in io.Reader, name string, tb *rows.Builder, workers int) error {
	j := newJSONLog(d.Schema())
	j.time = zeekTime
	return j.read(ctx, in, name, tb, workers)
}

// zeekTime reads a time in the three ways of Zeek's LogAscii::json_timestamps: JSON::TS_EPOCH, a number of seconds;
// JSON::TS_MILLIS, a number of milliseconds; JSON::TS_ISO8601, a text. A number above 2³³, which as seconds is a time
// after 2242, is one of milliseconds.
func zeekTime(text string, quoted bool) (int64, error) {
	if quoted {
		return layoutTime(text, "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05")
	}
	v, err := value.Number([]byte(text))
	switch {
	case err != nil || !value.Finite(v) || v < 0 || v >= 1e3*(1<<33):
		return 0, fmt.Errorf("%s is not a time", text)
	case v > 1<<33:
		return int64(v)*1e6 + int64((v-float64(int64(v)))*1e6), nil
	}
	if at, err := value.Epoch([]byte(text)); err == nil {
		return at, nil
	}
	return int64(v)*1e9 + int64((v-float64(int64(v)))*1e9), nil // with an exponent
}
