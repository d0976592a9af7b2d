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

// moments are the mean and so on of values, without keeping them.
type moments struct {
	n              uint64
	sum, mean, m2  float64
	least, largest float64
}

func (m *moments) add(v float64) {
	if m.n == 0 || v < m.least {
		m.least = v
	}
	if m.n == 0 || v > m.largest {
		m.largest = v
	}
	m.n++
	m.sum += v
	d := v - m.mean
	m.mean += d / float64(m.n)
	m.m2 += float64(d * (v - m.mean))
}

// variance is that of a sample: divided by one less than the number of values; 0 of one.
func (m *moments) variance() float64 {
	if m.n < 2 {
		return 0
	}
	return m.m2 / float64(m.n-1)
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

// spread writes the largest, the least, mean and standard deviation, in the order in which sizes have them.
func (m *moments) spread(w *Row) {
	for _, v := range []float64{m.largest, m.least, m.mean, math.Sqrt(m.variance())} {
		w.Number(v)
	}
}

// course writes mean, standard deviation, the largest and the least, in the order in which times have them.
func (m *moments) course(w *Row) {
	for _, v := range []float64{m.mean, math.Sqrt(m.variance()), m.largest, m.least} {
		w.Number(v)
	}
}

// Record writes a flow.
func (*CIC) Record(c *Conn, w *Row) {
	f := c.Own.(*cicFlow)
	in, out := float64(f.sizeIn.n), float64(f.sizeOut.n)
	duration := float64(c.Last/1000 - c.First/1000)
	w.Addr(c.Addr[0])
	w.Count(uint64(c.Port[0]))
	w.Addr(c.Addr[1])
	w.Count(uint64(c.Port[1]))
	w.Text(f.protocol(c))
	w.Time(c.First)
	w.Number(duration)
	w.Number(in)
	w.Number(out)
	w.Number(f.sizeIn.sum)
	w.Number(f.sizeOut.sum)
	f.sizeIn.spread(w)
	f.sizeOut.spread(w)
	pace(w, f.sizeIn.sum+f.sizeOut.sum, duration)
	pace(w, in+out, duration)
	f.gap.course(w)
	w.Number(f.gapIn.sum)
	f.gapIn.course(w)
	w.Number(f.gapOut.sum)
	f.gapOut.course(w)
	f.flags(c, w)
	w.Number(orZero(in, duration))
	w.Number(orZero(out, duration))
	w.Number(f.size.least)
	w.Number(f.size.largest)
	w.Number(f.size.mean)
	w.Number(math.Sqrt(f.size.variance()))
	w.Number(f.size.variance())
	for _, bit := range []int{0, 1, 2, 3, 4, 5, 7, 6} { // FIN, SYN, RST, PSH, ACK, URG, CWR, ECE
		w.Count(uint64(c.Side[Orig].FlagCount[bit] + c.Side[Resp].FlagCount[bit]))
	}
	ratio := 0.0
	if in > 0 {
		ratio = out / in
	}
	if f.published {
		ratio = math.Floor(ratio)
	}
	w.Number(ratio)
	w.Number(f.size.sum / (in + out))
	w.Number(f.sizeIn.mean)
	w.Number(f.sizeOut.mean)
	if f.published {
		w.Count(f.headers[Orig])
	}
	f.bulks[Orig].record(w)
	f.bulks[Resp].record(w)
	for _, m := range []moments{f.sizeIn, f.sizeOut} { // of subflows, of which every packet is taken to begin one
		w.Number(math.Floor(float64(m.n) / (in + out)))
		w.Number(math.Floor(m.sum / (in + out)))
	}
	w.Count(uint64(f.window[Orig]))
	w.Count(uint64(f.window[Resp]))
	w.Count(uint64(f.acted))
	w.Count(uint64(f.least))
	f.active.course(w)
	f.idle.course(w)
	if f.published {
		return
	}
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

// flags writes what there is of flags and headers by side.
func (f *cicFlow) flags(c *Conn, w *Row) {
	const reset = 2
	w.Count(uint64(f.push[Orig]))
	w.Count(uint64(f.push[Resp]))
	w.Count(uint64(f.urgent[Orig]))
	w.Count(uint64(f.urgent[Resp]))
	if !f.published {
		w.Count(uint64(c.Side[Orig].FlagCount[reset]))
		w.Count(uint64(c.Side[Resp].FlagCount[reset]))
	}
	w.Count(f.headers[Orig])
	w.Count(f.headers[Resp])
}

// orZero is a number a second, 0 of a flow that took no time.
func orZero(n, duration float64) float64 {
	if duration <= 0 {
		return 0
	}
	return n / (duration / 1e6)
}
