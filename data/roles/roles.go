package roles

import (
	"slices"
	"strings"
	"unicode"

	"plumbline/data"
)

// Columns is which column of a table stands for what; nil where none does. Out is from source to destination, In back.
type Columns struct {
	Time                        *data.Column
	Source, Destination         *data.Column
	SourcePort, DestinationPort *data.Column
	Protocol, Service, State    *data.Column
	Duration                    *data.Column
	BytesOut, BytesIn, Bytes    *data.Column // Bytes is of both directions
	PacketsOut, PacketsIn       *data.Column
	Packets                     *data.Column // of both directions
	// Signs are the numbers that are 0 in most flows and whose presence is worth a look, such as wrong fragments, urgent
	// packets and failed logins.
	Signs []*data.Column
	// Hosts are numbers about the hosts of a flow over other flows, such as connections to the same host.
	Hosts []*data.Column
	// Numbers are all numbers that no other field holds but Signs and Hosts, in the order of the table.
	Numbers []*data.Column
}

// Hints is what a data config says of columns.
type Hints struct {
	Time   string // that flows are ordered and split by
	Entity string // whose traces are looked at: a source address
}

// known is the names of a role, without upper case and without anything but letters and digits. An earlier name is
// preferred to a later one.
var known = map[string][]string{
	"time": {"flowstart", "ts", "starttime", "stime", "flowstartmilliseconds", "timestamp", "time", "datetime"},
	"source": {"src", "srcip", "sourceip", "idorigh", "sa", "saddr", "srcaddr", "ipv4srcaddr", "sourceaddress",
		"originh", "srchost", "sourcecomputer", "source"},
	"destination": {"dst", "dstip", "destip", "destinationip", "idresph", "da", "daddr", "dstaddr", "ipv4dstaddr",
		"destinationaddress", "responh", "dsthost", "destinationcomputer", "destination"},
	"source port":      {"srcport", "sourceport", "sport", "idorigp", "sp", "l4srcport"},
	"destination port": {"dstport", "destport", "destinationport", "dport", "dsport", "idrespp", "dp", "l4dstport"},
	"protocol":         {"proto", "protocol", "protocoltype", "pr", "ipproto", "transport", "l4proto"},
	"service":          {"service", "appproto", "l7proto", "application", "app"},
	"state":            {"connstate", "state", "flowstate", "flag", "flg", "flags", "tcpflags", "flagstatus"},
	"duration":         {"duration", "dur", "flowduration", "td", "flowdurationmilliseconds", "flowage"},
	"bytes out": {"srcbytes", "origbytes", "sbytes", "flowbytestoserver", "bytestoserver", "ibyt", "inbytes",
		"sourcebytes", "totallengthoffwdpacket", "totallengthoffwdpackets", "totlenfwdpkts", "fwdbytes"},
	"bytes in": {"dstbytes", "respbytes", "dbytes", "flowbytestoclient", "bytestoclient", "obyt", "outbytes",
		"destinationbytes", "totallengthofbwdpacket", "totallengthofbwdpackets", "totlenbwdpkts", "bwdbytes"},
	"bytes": {"bytes", "totbytes", "totalbytes", "byt"},
	"packets out": {"srcpackets", "origpkts", "spkts", "flowpktstoserver", "pktstoserver", "ipkt", "inpkts", "srcpkts",
		"totalfwdpacket", "totalfwdpackets", "totfwdpkts", "fwdpackets"},
	"packets in": {"dstpackets", "resppkts", "dpkts", "flowpktstoclient", "pktstoclient", "opkt", "outpkts", "dstpkts",
		"totalbwdpackets", "totbwdpkts", "bwdpackets"},
	"packets": {"packets", "totpkts", "totalpackets", "pkt"},
}

// signs are pieces of the names of numbers that are a sign of something.
var signs = []string{"fragment", "urgent", "urgflag", "failedlogin", "compromised", "rootshell", "suattempted",
	"missedbytes", "retransmitted", "rstflag", "sloss", "dloss", "land", "ctftpcmd", "numroot", "numshells", "alerted"}

// hosts are beginnings of the names of numbers about hosts.
var hosts = []string{"dsthost", "srvdiffhost", "ctsrv", "ctdst", "ctsrc", "hostcount"}

// plain is a name as known has it.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}

// finder looks up columns of a table, each for one role.
type finder struct {
	byName map[string]*data.Column
	taken  map[*data.Column]bool
}

// take is the first column of a role's names whose type is wanted.
func (f *finder) take(role string, types ...data.ColumnType) *data.Column {
	for _, name := range known[role] {
		if c := f.byName[name]; c != nil && !f.taken[c] && slices.Contains(types, c.Type) {
			f.taken[c] = true
			return c
		}
	}
	return nil
}

// Find finds the columns of a table. What a config says comes first, then a column of a known name and a fitting type;
// for time and addresses then the first columns of these types.
func Find(t *data.Table, h Hints) *Columns {
	f := &finder{byName: map[string]*data.Column{}, taken: map[*data.Column]bool{}}
	for i := range t.Columns {
		c := &t.Columns[i]
		if name := plain(c.Name); f.byName[name] == nil {
			f.byName[name] = c
		}
	}
	out := &Columns{}
	hinted := func(name string, want data.ColumnType) *data.Column {
		c, err := t.Column(name)
		if err != nil || c.Type != want || f.taken[c] {
			return nil
		}
		f.taken[c] = true
		return c
	}
	first := func(c *data.Column, want data.ColumnType) *data.Column {
		for i := 0; i < len(t.Columns) && c == nil; i++ {
			if at := &t.Columns[i]; at.Type == want && !f.taken[at] {
				f.taken[at] = true
				c = at
			}
		}
		return c
	}
	if out.Time = hinted(h.Time, data.Time); out.Time == nil {
		out.Time = first(f.take("time", data.Time), data.Time)
	}
	if out.Source = f.take("source", data.Address); out.Source == nil {
		out.Source = first(hinted(h.Entity, data.Address), data.Address)
	}
	out.Destination = first(f.take("destination", data.Address), data.Address)
	texts := []data.ColumnType{data.Category, data.Number}
	out.SourcePort = f.take("source port", texts...)
	out.DestinationPort = f.take("destination port", texts...)
	out.Protocol = f.take("protocol", texts...)
	out.Service = f.take("service", texts...)
	out.State = f.take("state", texts...)
	for role, to := range map[string]**data.Column{"duration": &out.Duration, "bytes out": &out.BytesOut,
		"bytes in": &out.BytesIn, "bytes": &out.Bytes, "packets out": &out.PacketsOut, "packets in": &out.PacketsIn,
		"packets": &out.Packets} {
		*to = f.take(role, data.Number)
	}
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Type != data.Number || f.taken[c] {
			continue
		}
		name := plain(c.Name)
		switch {
		case slices.ContainsFunc(hosts, func(s string) bool { return strings.HasPrefix(name, s) }):
			out.Hosts = append(out.Hosts, c)
		case slices.ContainsFunc(signs, func(s string) bool { return strings.Contains(name, s) }) &&
			(name == "land" || !strings.Contains(name, "land")):
			out.Signs = append(out.Signs, c)
		}
		out.Numbers = append(out.Numbers, c)
	}
	return out
}
