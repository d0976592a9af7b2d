package flows

import (
	"math"

	"plumbline/data/packets"
)

// cicColumns are the statistics of the improved CICIDS2017.
var cicColumns = []string{
	"Flow Duration", "Total Fwd Packet", "Total Bwd packets", "Total Length of Fwd Packet",
	"Total Length of Bwd Packet", "Fwd Packet Length Max", "Fwd Packet Length Min", "Fwd Packet Length Mean",
	"Fwd Packet Length Std", "Bwd Packet Length Max", "Bwd Packet Length Min", "Bwd Packet Length Mean",
	"Bwd Packet Length Std", "Flow Bytes/s", "Flow Packets/s", "Flow IAT Mean", "Flow IAT Std", "Flow IAT Max",
	"Flow IAT Min", "Fwd IAT Total", "Fwd IAT Mean", "Fwd IAT Std", "Fwd IAT Max", "Fwd IAT Min", "Bwd IAT Total",
	"Bwd IAT Mean", "Bwd IAT Std", "Bwd IAT Max", "Bwd IAT Min", "Fwd PSH Flags", "Bwd PSH Flags",
	"Fwd URG Flags", "Bwd URG Flags", "Fwd RST Flags", "Bwd RST Flags", "Fwd Header Length", "Bwd Header Length",
	"Fwd Packets/s", "Bwd Packets/s", "Packet Length Min", "Packet Length Max", "Packet Length Mean",
	"Packet Length Std", "Packet Length Variance", "FIN Flag Count", "SYN Flag Count", "RST Flag Count",
	"PSH Flag Count", "ACK Flag Count", "URG Flag Count", "CWR Flag Count", "ECE Flag Count", "Down/Up Ratio",
	"Average Packet Size", "Fwd Segment Size Avg", "Bwd Segment Size Avg", "Fwd Bytes/Bulk Avg",
	"Fwd Packet/Bulk Avg", "Fwd Bulk Rate Avg", "Bwd Bytes/Bulk Avg", "Bwd Packet/Bulk Avg", "Bwd Bulk Rate Avg",
	"Subflow Fwd Packets", "Subflow Fwd Bytes", "Subflow Bwd Packets", "Subflow Bwd Bytes", "FWD Init Win Bytes",
	"Bwd Init Win Bytes", "Fwd Act Data Pkts", "Fwd Seg Size Min", "Active Mean", "Active Std", "Active Max",
	"Active Min", "Idle Mean", "Idle Std", "Idle Max", "Idle Min", "ICMP Code", "ICMP Type",
	"Total TCP Flow Time",
}

// cicPublishedColumns are those of CICIDS2017. The headers of the first side stand in it twice; the second
// time they have the number of their column, as configs/data/cicids2017.yaml has it.
var cicPublishedColumns = []string{
	"Flow Duration", "Total Fwd Packets", "Total Backward Packets", "Total Length of Fwd Packets",
	"Total Length of Bwd Packets", "Fwd Packet Length Max", "Fwd Packet Length Min", "Fwd Packet Length Mean",
	"Fwd Packet Length Std", "Bwd Packet Length Max", "Bwd Packet Length Min", "Bwd Packet Length Mean",
	"Bwd Packet Length Std", "Flow Bytes/s", "Flow Packets/s", "Flow IAT Mean", "Flow IAT Std", "Flow IAT Max",
	"Flow IAT Min", "Fwd IAT Total", "Fwd IAT Mean", "Fwd IAT Std", "Fwd IAT Max", "Fwd IAT Min", "Bwd IAT Total",
	"Bwd IAT Mean", "Bwd IAT Std", "Bwd IAT Max", "Bwd IAT Min", "Fwd PSH Flags", "Bwd PSH Flags",
	"Fwd URG Flags", "Bwd URG Flags", "Fwd Header Length", "Bwd Header Length", "Fwd Packets/s", "Bwd Packets/s",
	"Min Packet Length", "Max Packet Length", "Packet Length Mean", "Packet Length Std", "Packet Length Variance",
	"FIN Flag Count", "SYN Flag Count", "RST Flag Count", "PSH Flag Count", "ACK Flag Count", "URG Flag Count",
	"CWE Flag Count", "ECE Flag Count", "Down/Up Ratio", "Average Packet Size", "Avg Fwd Segment Size",
	"Avg Bwd Segment Size", "Fwd Header Length.56", "Fwd Avg Bytes/Bulk", "Fwd Avg Packets/Bulk",
	"Fwd Avg Bulk Rate", "Bwd Avg Bytes/Bulk", "Bwd Avg Packets/Bulk", "Bwd Avg Bulk Rate", "Subflow Fwd Packets",
	"Subflow Fwd Bytes", "Subflow Bwd Packets", "Subflow Bwd Bytes", "Init_Win_bytes_forward",
	"Init_Win_bytes_backward", "act_data_pkt_fwd", "min_seg_size_forward", "Active Mean", "Active Std",
	"Active Max", "Active Min", "Idle Mean", "Idle Std", "Idle Max", "Idle Min",
}

// welford is the mean of values and the sum of the squares of what they are off it, without keeping them. How many
// there are is known elsewhere.
type welford struct{ mean, m2 float64 }

// add takes the nth value.
func (s *welford) add(v float64, n uint64) {
	d := v - s.mean
	s.mean += d / float64(n)
	s.m2 += float64(d * (v - s.mean))
}

// variance is that of a sample of n: divided by one less; 0 of one value.
func (s *welford) variance(n uint64) float64 {
	if n < 2 {
		return 0
	}
	return s.m2 / float64(n-1)
}

// moments are the mean and so on of values that nobody counts elsewhere.
type moments struct {
	welford
	n              uint64
	least, largest float64
}

func (m *moments) add(v float64) {
	if m.n == 0 {
		m.least, m.largest = v, v
	}
	m.least, m.largest = min(m.least, v), max(m.largest, v)
	m.n++
	m.welford.add(v, m.n)
}

// pace is a number in the time of the flow, a second; missing of a flow that took none, where the original has
// infinity.
func pace(w *Row, n float64, duration float64) {
	if duration <= 0 {
		w.Missing()
		return
	}
	w.Number(n / (duration / 1e6))
}

// write writes the numbers.
func write(w *Row, numbers ...float64) {
	for _, v := range numbers {
		w.Number(v)
	}
}

// course writes mean, standard deviation, the largest and the least of n times, in the order in which these have them.
func course(w *Row, s *welford, n uint64, largest, least float64) {
	write(w, s.mean, math.Sqrt(s.variance(n)), largest, least)
}

func (m *moments) course(w *Row) { course(w, &m.welford, m.n, m.largest, m.least) }

// lengths writes the largest, the least, mean and standard deviation of the sizes of n packets.
func (s *cicSide) lengths(w *Row, n uint64) {
	write(w, float64(s.largest), float64(s.least), s.size.mean, math.Sqrt(s.size.variance(n)))
}

// times writes the sum and the course of the times between n packets.
func (s *cicSide) times(w *Row, n uint64) {
	var g cicGaps
	if s.gaps != nil {
		g = *s.gaps
	}
	w.Number(g.sum)
	course(w, &g.welford, n-min(n, 1), g.largest, g.least)
}

// payload is what a side sent; of other protocols than TCP and UDP nothing is known.
func (f *cicFlow) payload(c *Conn, of Side) float64 {
	if c.Proto != packets.TCP && c.Proto != packets.UDP {
		return 0
	}
	return float64(c.Side[of].Payload)
}

// Record writes a flow.
func (*CIC) Record(c *Conn, w *Row) {
	f := c.Own.(*cicFlow)
	var nothing cicSide
	there, back := f.sides[Orig], f.sides[Resp]
	least, largest := uint32(math.MaxUint32), uint32(0)
	for _, s := range []**cicSide{&there, &back} {
		if *s == nil {
			*s = &nothing
			continue
		}
		least, largest = min(least, (*s).least), max(largest, (*s).largest)
	}
	nIn, nOut := c.Side[Orig].Packets, c.Side[Resp].Packets
	in, out := float64(nIn), float64(nOut)
	bytesIn, bytesOut := f.payload(c, Orig), f.payload(c, Resp)
	sizes := f.sizes(nIn + nOut)
	bytes := bytesIn + bytesOut
	if f.of.published {
		bytes += float64(f.firstSize)
	}
	duration := float64(c.Last/1000 - c.First/1000)
	w.Addr(c.Addr[0])
	w.Count(uint64(c.Port[0]))
	w.Addr(c.Addr[1])
	w.Count(uint64(c.Port[1]))
	w.Text(f.protocol(c))
	w.Time(c.First)
	write(w, duration, in, out, bytesIn, bytesOut)
	there.lengths(w, nIn)
	back.lengths(w, nOut)
	pace(w, bytesIn+bytesOut, duration)
	pace(w, in+out, duration)
	course(w, &f.gap, nIn+nOut-1, f.gapMax, f.gapMin)
	there.times(w, nIn)
	back.times(w, nOut)
	f.flagsBySide(w, there, back)
	w.Count(there.headers)
	w.Count(back.headers)
	write(w, orZero(in, duration), orZero(out, duration), float64(least), float64(largest), f.size.mean,
		math.Sqrt(f.size.variance(sizes)), f.size.variance(sizes))
	for _, n := range []uint32{f.fin, f.syn, there.rst + back.rst, there.push + back.push, f.ack,
		there.urgent + back.urgent, f.cwr, f.ece} {
		w.Count(uint64(n))
	}
	ratio := 0.0
	if in > 0 {
		ratio = out / in
	}
	if f.of.published {
		ratio = math.Floor(ratio)
	}
	write(w, ratio, bytes/(in+out), there.size.mean, back.size.mean)
	if f.of.published {
		w.Count(there.headers)
	}
	f.bulks[Orig].record(w)
	f.bulks[Resp].record(w)
	// of subflows, of which every packet is taken to begin one
	write(w, math.Floor(in/(in+out)), math.Floor(bytesIn/(in+out)))
	write(w, math.Floor(out/(in+out)), math.Floor(bytesOut/(in+out)))
	w.Count(uint64(there.window))
	w.Count(uint64(back.window))
	w.Count(uint64(f.acted))
	w.Count(uint64(f.leastHead))
	var pauses cicPauses
	if f.pauses != nil {
		pauses = *f.pauses
	}
	pauses.active.course(w)
	pauses.idle.course(w)
	if !f.of.published {
		f.repaired(c, w)
	}
}

// repaired writes the columns that the original program does not have.
func (f *cicFlow) repaired(c *Conn, w *Row) {
	kind, code := -1.0, -1.0
	if f.icmp {
		kind, code = float64(f.kind), float64(f.code)
	}
	w.Number(code)
	w.Number(kind)
	if c.Proto == packets.TCP {
		w.Number(float64(c.Last/1000 - f.began))
	} else {
		w.Count(0)
	}
}

// flagsBySide writes PSH and URG, which the original program counts of the flow's first packet alone, and RST, of which
// it has no such columns.
func (f *cicFlow) flagsBySide(w *Row, there, back *cicSide) {
	if f.of.published {
		for _, bit := range []int{3, 5} {
			for side := range Side(2) {
				n := uint64(0)
				if side == f.firstOf {
					n = uint64(f.first >> bit & 1)
				}
				w.Count(n)
			}
		}
		return
	}
	for _, n := range []uint32{there.push, back.push, there.urgent, back.urgent, there.rst, back.rst} {
		w.Count(uint64(n))
	}
}

// orZero is a number a second, 0 of a flow that took no time.
func orZero(n, duration float64) float64 {
	if duration <= 0 {
		return 0
	}
	return n / (duration / 1e6)
}
