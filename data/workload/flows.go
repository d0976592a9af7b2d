package workload

import (
	"math"

	"plumbline/data"
)

// Columns is the number of columns of a flow record.
const Columns = 76

// Profile is a kind of traffic: its share, whether it is UDP, means and deviations of the logarithms of duration in
// microseconds, packets forward, packets back over forward, payload forward and back, the chance of idle time, and
// the initial window.
type Profile [14]float64

// Benign is the traffic of an office: names, web, remote desktops, files, shells, stray packets, broadcasts, time.
var Benign = []Profile{
	{0.34, 1, 10.2, 1.6, 0.25, 0.35, 0.0, 0.15, 3.65, 0.25, 4.6, 0.45, 0.00, -1},    // DNS
	{0.17, 0, 11.8, 2.0, 1.70, 0.60, 0.1, 0.35, 4.9, 0.60, 6.3, 0.80, 0.03, 8192},   // HTTP
	{0.20, 0, 15.2, 1.9, 2.30, 0.70, 0.1, 0.35, 5.2, 0.60, 6.5, 0.70, 0.20, 8192},   // HTTPS
	{0.08, 0, 16.9, 1.2, 2.20, 0.90, -0.1, 0.30, 4.6, 0.70, 4.9, 0.80, 0.60, 64240}, // remote desktop
	{0.05, 0, 12.5, 2.2, 2.10, 0.80, 0.0, 0.25, 4.8, 0.50, 4.7, 0.50, 0.05, 8192},   // SMB
	{0.03, 0, 15.8, 1.2, 2.90, 0.60, 0.0, 0.20, 4.3, 0.40, 4.8, 0.40, 0.10, 29200},  // SSH
	{0.06, 0, 6.2, 1.3, 0.70, 0.40, -1.2, 0.70, 1.0, 1.20, 0.8, 1.20, 0.00, 255},    // stray RST or ACK
	{0.04, 1, 16.0, 1.4, 0.80, 0.80, -1.6, 0.80, 5.3, 0.70, 3.5, 1.50, 0.30, -1},    // broadcast UDP
	{0.02, 0, 17.3, 0.6, 4.10, 1.10, 0.4, 0.40, 4.4, 0.80, 6.9, 0.50, 0.30, 64240},  // bulk
	{0.01, 1, 18.2, 0.3, 1.20, 0.50, 0.0, 0.10, 3.9, 0.10, 3.9, 0.10, 0.90, -1},     // NTP
}

// Attacks are floods, brute force, a bot, infiltration that looks like benign traffic, and slow requests.
var Attacks = []Profile{
	{0.32, 0, 9.2, 0.9, 1.05, 0.15, 0.0, 0.15, 4.9, 0.35, 6.0, 0.30, 0.00, 225},       // HOIC
	{0.22, 0, 9.8, 1.8, 0.90, 0.25, -0.3, 0.30, 5.0, 0.35, 5.4, 0.70, 0.00, 26883},    // Hulk
	{0.13, 0, 9.3, 0.8, 0.95, 0.20, 0.1, 0.15, 4.3, 0.30, 4.4, 0.30, 0.00, 8192},      // bot
	{0.09, 0, 1.6, 0.8, 0.05, 0.05, 0.0, 0.02, -4.0, 0.10, -4.0, 0.10, 0.00, 26883},   // FTP passwords
	{0.09, 0, 12.8, 0.3, 3.05, 0.10, 0.0, 0.08, 4.5, 0.08, 4.75, 0.08, 0.00, 26883},   // SSH passwords
	{0.075, 0, 13.0, 2.8, 1.20, 0.95, -0.2, 0.60, 4.0, 1.10, 4.8, 1.20, 0.15, 8192},   // infiltration
	{0.065, 0, 5.0, 3.0, 0.10, 0.25, -0.6, 0.50, -4.0, 0.10, -4.0, 0.10, 0.05, 26883}, // slow HTTP test
	{0.01, 0, 17.9, 0.5, 1.60, 0.35, -0.1, 0.30, 4.6, 0.40, 5.6, 0.50, 0.95, 26883},   // slowloris
}

// counter gives the numbers of one row.
type counter uint64

func (c counter) uniform(k int) float64 {
	const golden = 0x9E3779B97F4A7C15
	z := uint64(c) + uint64(k) + golden
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return float64((z^z>>31)>>11) / (1 << 53)
}

func (c counter) normal(k int) float64 {
	return math.Sqrt(-2*math.Log(1-c.uniform(k))) * math.Cos(2*math.Pi*c.uniform(k+1))
}

// Flows are n rows of Columns numbers, row-major, of a stream of the profiles: same n, stream and profiles, same rows.
func Flows(n int, stream uint64, of []Profile) []float64 {
	const seed = 20180214
	golden, step := uint64(0x9E3779B97F4A7C15), uint64(0xD1B54A32D192ED03)
	var total float64
	for _, p := range of {
		total += p[0]
	}
	var x []float64
	for i := range n {
		r := counter(seed*golden + stream*step + uint64(i)*64)
		at, sum := 0, 0.0
		for u := r.uniform(0); at < len(of)-1; at++ {
			if sum += of[at][0]; u < sum/total {
				break
			}
		}
		x = append(x, flow(r, of[at])...)
	}
	return x
}

func when(is bool, v float64) float64 {
	if is {
		return v
	}
	return 0
}

func either(is bool, a, b float64) float64 {
	if is {
		return a
	}
	return b
}

// flow is one record.
func flow(r counter, p Profile) []float64 {
	floor, exp, udp := math.Floor, math.Exp, p[1] > 0
	dur := min(floor(exp(p[2]+p[3]*r.normal(1))), 1.2e8)
	fp := max(1, floor(exp(p[4]+p[5]*r.normal(3))+0.5))
	if r.uniform(40) < 0.004 { // an elephant
		fp = floor(fp * min(math.Pow(1-r.uniform(41), -1/1.1), 5e4))
	}
	bp := floor(fp*exp(p[6]+p[7]*r.normal(5)) + 0.35)
	fm := when(r.uniform(42) >= 0.05, min(exp(p[8]+p[9]*r.normal(7)), 1460))
	bm := when(bp > 0, min(exp(p[10]+p[11]*r.normal(9)), 1460))
	fl, bl := floor(fp*fm), floor(bp*bm)
	fmean, bmean := fl/fp, when(bp > 0, bl/max(bp, 1))
	fdisp, bdisp := when(fp > 1 && !udp, 0.4+1.2*r.uniform(11)), when(bp > 1 && !udp, 0.3+1.0*r.uniform(12))
	fstd, bstd := fmean*fdisp, bmean*bdisp
	fmax, bmax := min(floor(fmean+2.2*fstd+0.5), 64440), min(floor(bmean+2.2*bstd+0.5), 64440)
	fmin, bmin := when(fdisp <= 0, floor(fmean)), when(bdisp <= 0, floor(bmean))
	tp, d1 := fp+bp, max(dur, 1)
	iatm := either(tp > 1, dur/max(tp-1, 1), dur)
	iats := when(tp > 2, iatm*exp(0.6*math.Abs(r.normal(13))))
	iatx := either(tp > 2, min(iatm+2.5*iats, dur), dur)
	iatn := either(tp > 2, floor(iatm*math.Pow(r.uniform(15), 6)), dur)
	iat := func(k int, cnt, share float64) []float64 {
		tot := when(cnt > 1, floor(dur*share))
		m := when(cnt > 1, tot/max(cnt-1, 1))
		s := when(cnt > 2, m*exp(0.5*math.Abs(r.normal(k))))
		return []float64{tot, m, s, either(cnt > 2, min(m+2.3*s, tot), tot),
			either(cnt > 2, floor(m*math.Pow(r.uniform(k+2), 5)), tot)}
	}
	fi, bi := iat(16, fp, 0.9+0.1*r.uniform(19)), iat(20, bp, 0.85+0.1*r.uniform(23))
	psh := when(r.uniform(24) < 0.06 && !udp, 1)
	hdr := either(udp, 8, 20+when(r.uniform(25) < 0.2, 12))
	pm := (fl + bl) / tp
	ps := math.Sqrt((fp*(fstd*fstd+(fmean-pm)*(fmean-pm)) + bp*(bstd*bstd+(bmean-pm)*(bmean-pm))) / tp)
	pmin, pmax := min(fmin, either(bp > 0, bmin, fmin)), max(fmax, bmax)
	tcp := when(!udp, 1)
	fin, rst := tcp*when(r.uniform(26) < 0.01, 1), tcp*when(r.uniform(27) < 0.22, 1)
	pshc := tcp * when(r.uniform(28) < 0.45, 1)
	ack, urg := tcp*(1-pshc)*when(r.uniform(29) < 0.7, 1), tcp*when(r.uniform(30) < 0.05, 1)
	w := p[13]
	wf := either(w < 0, -1, either(r.uniform(31) < 0.75, w, floor(65535*r.uniform(32))))
	wb := either(w < 0 || bp == 0, -1, either(r.uniform(33) < 0.6, 63443, floor(65535*r.uniform(34))))
	act := either(udp, fp-1, max(0, floor(fp*0.45)))
	idle := r.uniform(35) < p[12] && dur > 5e6
	im := when(idle, dur*(0.3+0.6*r.uniform(36)))
	isd := when(idle && r.uniform(37) < 0.4, im*0.3*r.uniform(38))
	am := when(idle, floor(exp(11.5+1.5*r.normal(43))))
	asd := when(isd > 0, am*0.8*r.uniform(39))
	x := []float64{dur, fp, bp, fl, bl, fmax, fmin, fmean, fstd, bmax, bmin, bmean, bstd,
		(fl + bl) / d1 * 1e6, tp / d1 * 1e6, iatm, iats, iatx, iatn}
	x = append(append(x, fi...), bi...)
	return append(x, psh, 0, 0, 0, fp*hdr, bp*hdr, fp/d1*1e6, bp/d1*1e6, pmin, pmax, pm, ps, ps*ps,
		fin, psh, rst, pshc, ack, urg, 0, rst, floor(bp/fp), (fl+bl)/max(tp-0.5, 1), fmean, bmean, 0, 0, 0, 0, 0, 0,
		fp, fl, bp, bl, wf, wb, act, hdr, am, asd, am+asd, max(am-asd, 0),
		im, isd, min(im+isd, dur), max(im-isd, 0))
}

// Sets are n benign rows of stream 1 to learn from and m of stream 2 to be scored, scaled by Scale.
func Sets(n, m int) (train, test *data.Set) {
	train, test = set(Flows(n, 1, Benign)), set(Flows(m, 2, Benign))
	Scale(train, test)
	return train, test
}

// Scale brings the columns of train to [0, 1], a constant one to 0, and moves and stretches those of test alike.
func Scale(train, test *data.Set) {
	for j := range train.D {
		low, high := float32(math.Inf(1)), float32(math.Inf(-1))
		for i := range train.N {
			low, high = min(low, train.X[i*train.D+j]), max(high, train.X[i*train.D+j])
		}
		width := either(high > low, float64(high)-float64(low), 1)
		for _, s := range []*data.Set{train, test} {
			for i := j; i < len(s.X); i += s.D {
				s.X[i] = float32((float64(s.X[i]) - float64(low)) / width)
			}
		}
	}
}

// set is rows rounded to float32.
func set(x []float64) *data.Set {
	s := &data.Set{Kind: data.Vectors, N: len(x) / Columns, D: Columns, X: make([]float32, len(x))}
	for i, v := range x {
		s.X[i] = float32(v)
	}
	return s
}
