package dashboard

import (
	"testing"

	"plumbline/runs/page/pagetest"
)

// BenchmarkFilterInBrowser is how long a page of 500,000 flows takes to answer a filter: until the charts in the window
// are drawn, and until all are.
func BenchmarkFilterInBrowser(b *testing.B) {
	f := scored(500_000, 13)
	tab := pagetest.Start(b).Open(b, written(b, f, nil), pagetest.Screens[0])
	tab.Run(`load().then(() => 0)`)
	b.ReportMetric(float64(f.N), "flows")
	for name, step := range map[string]string{"time": `change({time: [1709370000000, 1709460000000 + i * 1e6]})`,
		"protocol": `change({time: null, levels: {proto: [i % 2 ? "tcp" : "udp"]}})`,
		"score":    `change({levels: {}, score: [1 + i, null]})`,
		"none":     `change({...fresh(), sort: i % 2 ? "time" : "score"})`} {
		b.Run(name, func(b *testing.B) {
			took := pagetest.Eval[[]float64](tab, `(async () => {
				const all = [];
				for (let i = 0; i < 9; i++) {
					const began = performance.now();
					await `+step+`;
					all.push(took.all);
					await settled;
					all.push(performance.now() - began);
				}
				const of = k => all.filter((_, i) => i % 2 === k).sort((a, b) => a - b)[4]; return [of(0), of(1)]; })()`)
			b.ReportMetric(took[0], "ms-seen") // until the charts in the window are drawn
			b.ReportMetric(took[1], "ms-all")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkView is how long a view of five million flows takes in Go.
func BenchmarkView(b *testing.B) {
	f := scored(1_000_000, 14)
	keep := make([]int32, 5_000_000)
	for i := range keep {
		keep[i] = int32(i / 5)
	}
	f.keep(keep)
	for _, query := range queries[:5] {
		b.Run(query, func(b *testing.B) {
			for b.Loop() {
				view(b, f, query, 2)
			}
		})
	}
}
