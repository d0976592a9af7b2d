package netflow

import (
	"net/netip"

	"github.com/netsampler/goflow2/v2/decoders/netflow"

	"plumbline/data/nfcapd"
)

// reverse is the enterprise number of elements of the other direction of a flow (RFC 5103).
const reverse = 29305

// flow is the flow of a record, by the numbers of IPFIX's information elements, which are those of NetFlow v9 up to
// 127. A record without addresses is none.
func (d *decoding) flow(values []netflow.DataField) (nfcapd.Flow, bool) {
	f := nfcapd.Flow{Received: d.received, Exporter: d.from}
	rate, selector, duration := uint64(0), uint64(0), int64(-1)
	for i := range values {
		v := &values[i]
		raw, _ := v.Value.([]byte)
		if v.PenProvided {
			if v.Pen == reverse {
				switch v.Type {
				case 1:
					f.OutBytes = number(raw)
				case 2:
					f.OutPackets = number(raw)
				}
			}
			continue
		}
		switch v.Type {
		case 34, 50, 305: // of this flow
			rate = number(raw)
		case 48, 302:
			selector = number(raw)
		case 161:
			duration = int64(number(raw))
		default:
			if !d.counter(&f, v.Type, raw) && !d.instant(&f, v.Type, raw) {
				d.key(&f, v.Type, raw)
			}
		}
	}
	if duration >= 0 && f.Last == 0 {
		f.Last = f.First + duration
	}
	if rate == 0 {
		if rate = d.rates[sampler{d.domain, selector}]; rate == 0 {
			rate = d.rates[sampler{d.domain, 0}]
		}
	}
	if rate > 1 {
		f.Packets, f.Bytes, f.OutPackets, f.OutBytes = f.Packets*rate, f.Bytes*rate, f.OutPackets*rate, f.OutBytes*rate
	}
	return f, f.Src.IsValid() || f.Dst.IsValid()
}

// counter takes an element that counts.
func (d *decoding) counter(f *nfcapd.Flow, kind uint16, raw []byte) bool {
	switch kind {
	case 1, 85, 231:
		f.Bytes = number(raw)
	case 2, 86, 298:
		f.Packets = number(raw)
	case 3:
		f.Flows = number(raw)
	case 23, 232:
		f.OutBytes = number(raw)
	case 24, 299:
		f.OutPackets = number(raw)
	default:
		return false
	}
	return true
}

// instant takes an element that is a time: since the exporter began, or since 1970.
func (d *decoding) instant(f *nfcapd.Flow, kind uint16, raw []byte) bool {
	to := &f.First
	if kind == 21 || kind == 151 || kind == 153 || kind == 155 || kind == 157 || kind == 159 {
		to = &f.Last
	}
	v := int64(number(raw))
	switch kind {
	case 21, 22:
		*to = d.exported - d.uptime + v
	case 150, 151:
		*to = v * 1000
	case 152, 153:
		*to = v
	case 154, 155, 156, 157: // seconds since 1900 and a fraction in 32 bits each
		const since1900 = 2_208_988_800
		seconds, fraction := int64(uint64(v)>>32)-since1900, int64(uint64(v)&0xffffffff)
		*to = seconds*1000 + (fraction*1000+1<<31)>>32
	case 158, 159: // microseconds before the packet
		*to = d.exported - v/1000
	default:
		return false
	}
	return true
}

// key takes an element that says which flow it is, or how it was forwarded.
func (d *decoding) key(f *nfcapd.Flow, kind uint16, raw []byte) {
	v := number(raw)
	switch kind {
	case 4:
		f.Proto = uint8(v)
	case 5:
		f.Tos = uint8(v)
	case 6:
		f.Flags = uint8(v)
	case 7:
		f.SrcPort = uint16(v)
	case 8, 27:
		f.Src = addressOf(raw, f.Src)
	case 9, 29:
		f.SrcMask = max(f.SrcMask, uint8(v))
	case 10:
		f.Input = uint32(v)
	case 11:
		f.DstPort = uint16(v)
	case 12, 28:
		f.Dst = addressOf(raw, f.Dst)
	case 13, 30:
		f.DstMask = max(f.DstMask, uint8(v))
	case 14:
		f.Output = uint32(v)
	case 15, 62:
		f.NextHop = addressOf(raw, f.NextHop)
	case 16:
		f.SrcAS = uint32(v)
	case 17:
		f.DstAS = uint32(v)
	case 18, 63:
		f.BGPNextHop = addressOf(raw, f.BGPNextHop)
	case 32, 139: // of ICMP: type and code
		if v != 0 {
			f.DstPort = uint16(v)
		}
	case 38:
		f.EngineType = uint8(v)
	case 39:
		f.EngineID = uint8(v)
	case 55:
		f.DstTos = uint8(v)
	case 56:
		f.InSrcMAC = v
	case 57:
		f.OutDstMAC = v
	case 58:
		f.SrcVLAN = uint32(v)
	case 59:
		f.DstVLAN = uint32(v)
	case 61:
		f.Direction = uint8(v)
	case 80:
		f.InDstMAC = v
	case 81:
		f.OutSrcMAC = v
	case 89:
		f.Forwarding = uint8(v)
	case 176, 178:
		f.DstPort = f.DstPort&0xff | uint16(v)<<8
	case 177, 179:
		f.DstPort = f.DstPort&0xff00 | uint16(v)&0xff
	}
	if kind >= 70 && kind <= 79 {
		f.MPLS[kind-70] = uint32(v)
	}
}

// options takes the sampling rate that options announce, of a sampler or of all flows.
func (d *decoding) options(r netflow.OptionsDataRecord) {
	var rate, id, every, space uint64
	for _, list := range [][]netflow.DataField{r.ScopesValues, r.OptionsValues} {
		for i := range list {
			v := number(bytesOf(&list[i]))
			switch list[i].Type {
			case 34, 50:
				rate = v
			case 48, 302:
				id = v
			case 305:
				every = v
			case 306:
				space = v
			}
		}
	}
	if every > 0 && space > 0 { // of every + space packets the first are taken
		rate = (every + space) / every
	} else if rate == 0 {
		rate = every
	}
	key := sampler{d.domain, id}
	_, known := d.rates[key]
	if rate == 0 || !known && (len(d.rates) >= mostSamplers || *d.templates.left <= 0) {
		return
	}
	if d.rates[key] = rate; !known {
		*d.templates.left--
	}
}

func bytesOf(v *netflow.DataField) []byte {
	raw, _ := v.Value.([]byte)
	return raw
}

// number is an unsigned number of up to eight bytes, the highest first.
func number(raw []byte) (v uint64) {
	if len(raw) > 8 {
		return 0
	}
	for _, b := range raw {
		v = v<<8 | uint64(b)
	}
	return v
}

// addressOf is an address; of none, such as 0.0.0.0 beside one of the other family, the one before.
func addressOf(raw []byte, before netip.Addr) netip.Addr {
	a, ok := netip.AddrFromSlice(raw)
	if !ok || a.IsUnspecified() && before.IsValid() {
		return before
	}
	return a
}
