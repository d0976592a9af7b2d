package flowlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/data/nfcapd"
	"plumbline/data/rows"
)

// Nfcapd reads the binary files of nfcapd, nfpcapd and sfcapd (package data/nfcapd) as a table with the columns of
// nfdump -o csv, times to the millisecond, and a column label with the text that nfdump -w has given to flows, if it
// has. What a flow does not carry is 0 as in that CSV; an address is missing. A row's line is the number of the flow.
type Nfcapd struct{}

// flowColumn is one column and where a flow has it: one of the functions is not nil.
type flowColumn struct {
	name    string
	number  func(*nfcapd.Flow) float64
	millis  func(*nfcapd.Flow) int64
	address func(*nfcapd.Flow) netip.Addr
	code    func(*nfcapd.Flow) uint64 // a category's value, of which text writes each once
	text    func(uint64) string
	label   func(*nfcapd.Flow) string
}

func flowNumber[T uint8 | uint16 | uint32 | uint64](name string, get func(*nfcapd.Flow) T) flowColumn {
	return flowColumn{name: name, number: func(f *nfcapd.Flow) float64 { return float64(get(f)) }}
}

func flowCode[T uint8 | uint32 | uint64](name string, text func(T) string, get func(*nfcapd.Flow) T) flowColumn {
	return flowColumn{
		name: name,
		code: func(f *nfcapd.Flow) uint64 { return uint64(get(f)) },
		text: func(v uint64) string { return text(T(v)) },
	}
}

// flowColumns are the columns of nfdump -o csv in its order, and label.
var flowColumns = func() []flowColumn {
	type flow = nfcapd.Flow
	all := []flowColumn{
		{name: "ts", millis: func(f *flow) int64 { return f.First }},
		{name: "te", millis: func(f *flow) int64 { return f.Last }},
		{name: "td", number: func(f *flow) float64 { return float64(f.Last-f.First) / 1000 }},
		{name: "sa", address: func(f *flow) netip.Addr { return f.Src }},
		{name: "da", address: func(f *flow) netip.Addr { return f.Dst }},
		flowNumber("sp", func(f *flow) uint16 { return f.SrcPort }),
		flowNumber("dp", func(f *flow) uint16 { return f.DstPort }),
		flowCode("pr", nfcapd.ProtocolName, func(f *flow) uint8 { return f.Proto }),
		flowCode("flg", nfcapd.FlagText, func(f *flow) uint8 { return f.Flags }),
		flowNumber("fwd", func(f *flow) uint8 { return f.Forwarding }),
		flowNumber("stos", func(f *flow) uint8 { return f.Tos }),
		flowNumber("ipkt", func(f *flow) uint64 { return f.Packets }),
		flowNumber("ibyt", func(f *flow) uint64 { return f.Bytes }),
		flowNumber("opkt", func(f *flow) uint64 { return f.OutPackets }),
		flowNumber("obyt", func(f *flow) uint64 { return f.OutBytes }),
		flowNumber("in", func(f *flow) uint32 { return f.Input }),
		flowNumber("out", func(f *flow) uint32 { return f.Output }),
		flowNumber("sas", func(f *flow) uint32 { return f.SrcAS }),
		flowNumber("das", func(f *flow) uint32 { return f.DstAS }),
		flowNumber("smk", func(f *flow) uint8 { return f.SrcMask }),
		flowNumber("dmk", func(f *flow) uint8 { return f.DstMask }),
		flowNumber("dtos", func(f *flow) uint8 { return f.DstTos }),
		flowNumber("dir", func(f *flow) uint8 { return f.Direction }),
		{name: "nh", address: func(f *flow) netip.Addr { return f.NextHop }},
		{name: "nhb", address: func(f *flow) netip.Addr { return f.BGPNextHop }},
		flowNumber("svln", func(f *flow) uint32 { return f.SrcVLAN }),
		flowNumber("dvln", func(f *flow) uint32 { return f.DstVLAN }),
		flowCode("ismc", nfcapd.MACText, func(f *flow) uint64 { return f.InSrcMAC }),
		flowCode("odmc", nfcapd.MACText, func(f *flow) uint64 { return f.OutDstMAC }),
		flowCode("idmc", nfcapd.MACText, func(f *flow) uint64 { return f.InDstMAC }),
		flowCode("osmc", nfcapd.MACText, func(f *flow) uint64 { return f.OutSrcMAC }),
	}
	for i := range 10 {
		all = append(
			all,
			flowCode("mpls"+strconv.Itoa(i+1), nfcapd.MPLSText, func(f *flow) uint32 { return f.MPLS[i] }),
		)
	}
	return append(all,
		flowColumn{name: "cl", number: func(f *flow) float64 { return float64(f.ClientDelay) / 1000 }},
		flowColumn{name: "sl", number: func(f *flow) float64 { return float64(f.ServerDelay) / 1000 }},
		flowColumn{name: "al", number: func(f *flow) float64 { return float64(f.AppDelay) / 1000 }},
		flowColumn{name: "ra", address: func(f *flow) netip.Addr { return f.Exporter }},
		flowColumn{
			name: "eng",
			code: func(f *flow) uint64 { return uint64(f.EngineType)<<8 | uint64(f.EngineID) },
			text: func(v uint64) string { return fmt.Sprintf("%d/%d", v>>8, v&0xff) },
		},
		flowNumber("exid", func(f *flow) uint16 { return f.ExporterID }),
		flowColumn{name: "tr", millis: func(f *flow) int64 { return f.Received }},
		flowColumn{name: "label", label: func(f *flow) string { return f.Label }},
	)
}()

func (c *flowColumn) kind() rows.Kind {
	switch {
	case c.number != nil:
		return "number"
	case c.millis != nil:
		return "time"
	case c.address != nil:
		return "address"
	}
	return "category"
}

// Schema lists the columns.
func (d *Nfcapd) Schema() []rows.ColumnSpec {
	specs := make([]rows.ColumnSpec, len(flowColumns))
	for i := range flowColumns {
		specs[i] = rows.ColumnSpec{Name: flowColumns[i].name, Type: flowColumns[i].kind()}
	}
	return specs
}

// Check says what is wrong with the settings.
func (d *Nfcapd) Check(settings.Node) settings.Problems { return nil }

func (d *Nfcapd) Read(ctx context.Context, in io.Reader, name string, tb *rows.Builder, _ int) error {
	r, err := nfcapd.NewReader(in)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	specs, err := tb.Begin(d.Schema())
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	w := newFlowTable(specs, tb.Skips(specs))
	var f nfcapd.Flow
	for n := 1; ; n++ {
		err := r.Next(&f)
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		w.add(&f, n)
		if n%flowsPerChunk == 0 {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := tb.Add(w.p); err != nil {
				return err
			}
			w.clear()
		}
	}
	return tb.Add(w.p)
}

// flowsPerChunk is how many flows go to the table at once.
const flowsPerChunk = 1 << 16

// flowTable collects flows as rows.
type flowTable struct {
	p         *rows.Chunk
	skip      []bool
	addresses []map[netip.Addr]uint32 // of each column
	codes     []map[uint64]uint32
}

func newFlowTable(specs []rows.ColumnSpec, skip []bool) *flowTable {
	w := &flowTable{p: rows.NewChunk(specs, skip), skip: skip}
	w.addresses, w.codes = make([]map[netip.Addr]uint32, len(flowColumns)), make([]map[uint64]uint32, len(flowColumns))
	for i := range flowColumns {
		w.addresses[i], w.codes[i] = map[netip.Addr]uint32{}, map[uint64]uint32{}
	}
	return w
}

func (w *flowTable) clear() {
	w.p.Clear()
	for i := range flowColumns {
		clear(w.addresses[i])
		clear(w.codes[i])
	}
}

func (w *flowTable) add(f *nfcapd.Flow, line int) {
	for i := range flowColumns {
		if w.skip[i] {
			continue
		}
		c, s := &flowColumns[i], &w.p.Columns[i]
		switch {
		case s.Num != nil:
			s.Num = append(s.Num, c.number(f))
		case s.Nanos != nil:
			s.Nanos = append(s.Nanos, c.millis(f)*1e6)
		default:
			s.Code = append(s.Code, w.level(c, s, f, i))
		}
	}
	w.p.Lines = append(w.p.Lines, int32(line))
}

// level is the code of a flow's text.
func (w *flowTable) level(c *flowColumn, s *rows.ColumnChunk, f *nfcapd.Flow, column int) uint32 {
	switch {
	case c.address != nil:
		a := c.address(f)
		if !a.IsValid() {
			return data.Missing
		}
		id, ok := w.addresses[column][a]
		if !ok {
			id = s.Intern(a.String())
			w.addresses[column][a] = id
		}
		return id
	case c.code != nil:
		v := c.code(f)
		id, ok := w.codes[column][v]
		if !ok {
			id = s.Intern(c.text(v))
			w.codes[column][v] = id
		}
		return id
	case c.label != nil:
		if text := c.label(f); text != "" {
			return s.Intern(text)
		}
		return data.Missing
	case c.number != nil: // a number as the truth
		return s.Intern(strconv.FormatFloat(c.number(f), 'g', -1, 64))
	}
	return s.Intern(strconv.FormatInt(c.millis(f), 10))
}

// FlowTable is flows as a table with the columns of the format nfcapd. The first is the flow of that number, from 1.
func FlowTable(name string, flows []nfcapd.Flow, first int64) (*data.Table, error) {
	var out *data.Table
	b := rows.NewBuilder(rows.Plan{Name: name})
	b.Each = func(block *rows.Block) error {
		out = block.Table
		return nil
	}
	specs, err := b.Begin((&Nfcapd{}).Schema())
	if err != nil {
		return nil, err
	}
	w := newFlowTable(specs, b.Skips(specs))
	for i := range flows {
		w.add(&flows[i], int(first)+i)
	}
	if err := b.Add(w.p); err != nil || out == nil {
		return nil, fmt.Errorf("%s: no flows: %w", name, err)
	}
	out.Origins = []data.Origin{{Name: name, Rows: out.Rows}}
	return out, nil
}
