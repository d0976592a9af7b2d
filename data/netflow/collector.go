package netflow

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/netsampler/goflow2/v2/decoders/netflow"
	"github.com/netsampler/goflow2/v2/decoders/netflowlegacy"

	"plumbline/data/nfcapd"
)

// Bounds of what is kept of exporters.
const (
	mostExporters = 4096
	mostTemplates = 4096 // of an exporter
	mostSamplers  = 4096 // of an exporter
	// of all exporters together: fields of templates, templates, samplers and sequence numbers
	mostKept = 1 << 22
	// idle is how long an exporter has to be silent before it makes room for another
	idle = time.Hour
)

// Counts is what a collector has seen.
type Counts struct {
	Packets    int64 `json:"packets"`
	Flows      int64 `json:"flows"`
	Bad        int64 `json:"bad"`         // packets that cannot be read
	NoTemplate int64 `json:"no_template"` // sets of flows whose template has not come yet
	Lost       int64 `json:"lost"`        // packets (v9) or flows that the exporters' numbers say did not come
	Refused    int64 `json:"refused"`     // packets of more exporters, and templates, than are kept
	Forgotten  int64 `json:"forgotten"`   // exporters that made room for others, after an hour without a packet
}

// Collector turns packets into flows. It is not safe for concurrent use.
type Collector struct {
	Counts    Counts
	exporters map[netip.Addr]*exporter
	left      int       // of mostKept
	looked    time.Time // when idle exporters were last looked for
}

// exporter is what is known of one address.
type exporter struct {
	templates templates
	rates     map[sampler]uint64
	next      map[stream]uint32 // sequence number that is expected
	heard     time.Time
}

// size is what an exporter adds to what is kept.
func (e *exporter) size() int { return e.templates.size + len(e.rates) + len(e.next) }

// sampler is what a rate is of: of the observation domain as a whole with ID 0.
type sampler struct {
	domain uint32
	id     uint64
}

// stream is what sequence numbers are counted in.
type stream struct {
	version uint16
	domain  uint32
}

// NewCollector knows no exporter.
func NewCollector() *Collector {
	return &Collector{exporters: map[netip.Addr]*exporter{}, left: mostKept}
}

// ErrPacket says that a packet is none of NetFlow v5, v9 and IPFIX, or is damaged.
var ErrPacket = errors.New("not a packet of NetFlow v5, v9 or IPFIX that can be read")

// Decode is the flows of a packet from an exporter. With an error there may be some too: of the sets before the one
// that is wrong.
func (c *Collector) Decode(packet []byte, from netip.Addr, received time.Time) (flows []nfcapd.Flow, err error) {
	c.Counts.Packets++
	defer func() {
		if p := recover(); p != nil { // of the decoder: the packet says what it should not
			flows, err = nil, fmt.Errorf("%v", p)
		}
		c.Counts.Flows += int64(len(flows))
		if err != nil {
			c.Counts.Bad++
			err = fmt.Errorf("netflow: %v: %w: %w", from, ErrPacket, err)
		}
	}()
	if len(packet) < 16 {
		return nil, fmt.Errorf("%d bytes", len(packet))
	}
	version := binary.BigEndian.Uint16(packet)
	if version != 5 && version != 9 && version != 10 {
		return nil, fmt.Errorf("version %d", version)
	}
	from = from.Unmap().WithZone("")
	e := c.exporter(from, received)
	if e == nil {
		c.Counts.Refused++
		return nil, nil
	}
	d := &decoding{exporter: e, counts: &c.Counts, from: from, version: version, received: received.UnixMilli()}
	body := bytes.NewBuffer(packet[2:])
	switch version {
	case 5:
		// goflow2 makes as many records as the packet says that it has, whether they are there or not
		const head, size = 24, 48
		if n := int(binary.BigEndian.Uint16(packet[2:])); len(packet) < head+n*size {
			return nil, fmt.Errorf("%d bytes for %d records", len(packet), n)
		}
		var p netflowlegacy.PacketNetFlowV5
		if err := netflowlegacy.DecodeMessage(body, &p); err != nil {
			return nil, err
		}
		d.v5(&p)
		return d.flows, nil
	case 9:
		var p netflow.NFv9Packet
		err := netflow.DecodeMessageNetFlow(body, &e.templates, &p)
		d.domain, d.uptime, d.exported = p.SourceId, int64(p.SystemUptime), int64(p.UnixSeconds)*1000
		d.sets(p.FlowSets)
		d.sequence(p.SequenceNumber, 1)
		return d.flows, d.usable(err)
	default:
		var p netflow.IPFIXPacket
		err := netflow.DecodeMessageIPFIX(body, &e.templates, &p)
		d.domain, d.exported = p.ObservationDomainId, int64(p.ExportTime)*1000
		d.sets(p.FlowSets)
		d.sequence(p.SequenceNumber, uint32(d.records))
		return d.flows, d.usable(err)
	}
}

// exporter is what is known of an address; nil where there is no room for one more.
func (c *Collector) exporter(from netip.Addr, at time.Time) *exporter {
	e, ok := c.exporters[from]
	if !ok {
		if full := len(c.exporters) == mostExporters || c.left <= 0; full && !c.forget(at) {
			return nil
		}
		e = &exporter{rates: map[sampler]uint64{}, next: map[stream]uint32{}}
		e.templates.counts, e.templates.left = &c.Counts, &c.left
		c.exporters[from] = e
	}
	e.heard = at
	return e
}

// forget lets go of the exporters that have been silent, and says whether there were some. It looks for them once in a
// while: who sends from many addresses must not have all of them looked at with each packet.
func (c *Collector) forget(at time.Time) (some bool) {
	if at.Sub(c.looked) < idle/60 {
		return false
	}
	c.looked = at
	for from, e := range c.exporters {
		if at.Sub(e.heard) > idle {
			c.left += e.size()
			delete(c.exporters, from)
			c.Counts.Forgotten++
			some = true
		}
	}
	return some
}

// decoding is one packet on its way.
type decoding struct {
	*exporter
	counts   *Counts
	from     netip.Addr
	version  uint16
	domain   uint32
	received int64 // milliseconds since 1970
	exported int64
	uptime   int64 // milliseconds that the exporter has run
	records  int   // of data
	flows    []nfcapd.Flow
}

// usable is an error but for templates that have not come yet, which are counted.
func (d *decoding) usable(err error) error {
	if errors.Is(err, netflow.ErrorTemplateNotFound) {
		return nil
	}
	return err
}

// sequence counts what the exporter's number says did not come, and expects n more than it next time.
func (d *decoding) sequence(number, n uint32) {
	s := stream{d.version, d.domain}
	if want, ok := d.next[s]; ok {
		if gap := number - want; gap > 0 && gap < 1<<16 { // else it began anew
			d.counts.Lost += int64(gap)
		}
	} else if len(d.next) >= mostTemplates || *d.templates.left <= 0 {
		return
	} else {
		*d.templates.left--
	}
	d.next[s] = number + n
}

// v5 is the flows of a packet of NetFlow v5.
func (d *decoding) v5(p *netflowlegacy.PacketNetFlowV5) {
	base := int64(p.UnixSecs)*1000 + int64(p.UnixNSecs)/1e6 - int64(p.SysUptime)
	rate := uint64(1)
	if n := p.SamplingInterval & 0x3fff; n > 1 {
		rate = uint64(n)
	}
	for _, r := range p.Records {
		d.flows = append(d.flows, nfcapd.Flow{
			First: base + int64(r.First), Last: base + int64(r.Last), Received: d.received, Src: address(uint32(r.SrcAddr)),
			Dst: address(uint32(r.DstAddr)), NextHop: address(uint32(r.NextHop)), SrcPort: r.SrcPort, DstPort: r.DstPort,
			Proto: r.Proto, Flags: r.TCPFlags, Tos: r.Tos, Packets: uint64(r.DPkts) * rate, Bytes: uint64(r.DOctets) * rate,
			Input: uint32(r.Input), Output: uint32(r.Output), SrcAS: uint32(r.SrcAS), DstAS: uint32(r.DstAS),
			SrcMask: r.SrcMask, DstMask: r.DstMask, EngineType: p.EngineType, EngineID: p.EngineId, Exporter: d.from,
		})
	}
	d.domain = uint32(p.EngineType)<<8 | uint32(p.EngineId)
	d.sequence(p.FlowSequence, uint32(len(p.Records)))
}

func address(v uint32) netip.Addr {
	var a [4]byte
	binary.BigEndian.PutUint32(a[:], v)
	return netip.AddrFrom4(a)
}

// sets is the flows and sampling rates of a packet's sets.
func (d *decoding) sets(sets []any) {
	for _, set := range sets {
		switch s := set.(type) {
		case netflow.DataFlowSet:
			d.records += len(s.Records)
			for _, r := range s.Records {
				if f, ok := d.flow(r.Values); ok {
					d.flows = append(d.flows, f)
				}
			}
		case netflow.OptionsDataFlowSet:
			d.records += len(s.Records)
			for _, r := range s.Records {
				d.options(r)
			}
		case netflow.RawFlowSet:
			d.counts.NoTemplate++
		}
	}
}

// templates are those of an exporter.
type templates struct {
	known  map[uint64]any
	size   int // of all, with their fields
	counts *Counts
	left   *int // of the collector
}

// fields is how many fields a template has, and how many bytes they take at least.
func fields(version uint16, template any) (n, bytes int) {
	switch x := template.(type) {
	case netflow.TemplateRecord:
		return len(x.Fields), netflow.GetTemplateSize(version, x.Fields)
	case netflow.IPFIXOptionsTemplateRecord:
		return len(x.Scopes) + len(x.Options),
			netflow.GetTemplateSize(version, x.Scopes) + netflow.GetTemplateSize(version, x.Options)
	case netflow.NFv9OptionsTemplateRecord:
		return len(x.Scopes) + len(x.Options),
			netflow.GetTemplateSize(version, x.Scopes) + netflow.GetTemplateSize(version, x.Options)
	}
	return 0, 0
}

func templateKey(version uint16, domain uint32, id uint16) uint64 {
	return uint64(version)<<48 | uint64(domain)<<16 | uint64(id)
}

// AddTemplate keeps a template. One whose records would have no bytes of a fixed length is refused: any number of them
// would fit in a packet.
func (t *templates) AddTemplate(version uint16, domain uint32, id uint16, template any) error {
	n, bytes := fields(version, template)
	if bytes == 0 {
		t.RemoveTemplate(version, domain, id) // IPFIX withdraws a template by one without fields
		return nil
	}
	key := templateKey(version, domain, id)
	old, ok := t.known[key]
	if ok {
		before, _ := fields(version, old)
		n -= before
	} else {
		n++
	}
	if !ok && len(t.known) >= mostTemplates || n > *t.left {
		t.counts.Refused++
		return nil
	}
	if t.known == nil {
		t.known = map[uint64]any{}
	}
	t.known[key] = template
	t.size, *t.left = t.size+n, *t.left-n
	return nil
}

// GetTemplate is one that was kept.
func (t *templates) GetTemplate(version uint16, domain uint32, id uint16) (any, error) {
	if x, ok := t.known[templateKey(version, domain, id)]; ok {
		return x, nil
	}
	return nil, netflow.ErrorTemplateNotFound
}

// RemoveTemplate forgets one.
func (t *templates) RemoveTemplate(version uint16, domain uint32, id uint16) (any, error) {
	x, err := t.GetTemplate(version, domain, id)
	if err == nil {
		n, _ := fields(version, x)
		delete(t.known, templateKey(version, domain, id))
		t.size, *t.left = t.size-n-1, *t.left+n+1
	}
	return x, err
}

// GetTemplates is all of them.
func (t *templates) GetTemplates() netflow.FlowBaseTemplateSet { return t.known }

var _ netflow.NetFlowTemplateSystem = (*templates)(nil)
