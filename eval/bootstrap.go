package eval

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Interval is a 95 % interval. Both ends are NaN when there is none.
type Interval struct{ Low, High float64 }

// Bootstrap is the percentile intervals of AUROC and average precision over resamples of the test
// samples, attacks and benign samples drawn apart so that the prevalence stays. It is deterministic in the
// seed.
func (r *Ranking) Bootstrap(resamples int, seed uint64) (auroc, ap Interval) {
	none := Interval{math.NaN(), math.NaN()}
	if resamples < 2 || r.attacks == 0 || r.benigns == 0 {
		return none, none
	}
	rng := rand.New(rand.NewPCG(seed, 0xb007))
	attacks, benigns := r.members(true), r.members(false)
	b := Ranking{groups: make([]group, len(r.groups)), attacks: r.attacks, benigns: r.benigns}
	rocs, aps := make([]float64, resamples), make([]float64, resamples)
	for k := range resamples {
		clear(b.groups)
		for range len(attacks) {
			b.groups[attacks[rng.IntN(len(attacks))]].attacks++
		}
		for range len(benigns) {
			b.groups[benigns[rng.IntN(len(benigns))]].benigns++
		}
		rocs[k], aps[k] = b.ROCAUC(), b.AveragePrecision()
	}
	return percentiles(rocs), percentiles(aps)
}

// members is the group of each sample of one kind.
func (r *Ranking) members(attack bool) []int32 {
	var out []int32
	for i, g := range r.groups {
		n := g.benigns
		if attack {
			n = g.attacks
		}
		for range int(n) {
			out = append(out, int32(i))
		}
	}
	return out
}

func percentiles(v []float64) Interval {
	slices.Sort(v)
	return Interval{Quantile(v, 0.025), Quantile(v, 0.975)}
}
