package cluster

import (
	"math"

	"plumbline/numeric/stat"
)

// maxElbow is the largest number of classes that an elbow is looked for among.
const maxElbow = 10

// KMeans1D is the ascending centres of k-means on ascending values, by Lloyd's iterations from centres at
// equal shares of the values: deterministic. k = 0 takes the elbow of the sums of squares of 1 to 10
// classes, the point farthest below the line from the first to the last.
func KMeans1D(v []float64, k int) []float64 {
	if k > 0 {
		centres, _ := lloyd1D(v, k)
		return centres
	}
	var all [][]float64
	var ss []float64
	for n := 1; n <= maxElbow; n++ {
		c, s := lloyd1D(v, n)
		all, ss = append(all, c), append(ss, s)
	}
	best, far := 0, 0.0
	for i := range ss {
		line := ss[0] + (ss[len(ss)-1]-ss[0])*float64(i)/float64(len(ss)-1)
		if d := line - ss[i]; d > far {
			best, far = i, d
		}
	}
	return all[best]
}

// lloyd1D is at most k distinct centres and the sum of squared distances to them.
func lloyd1D(v []float64, k int) (centres []float64, ss float64) {
	for i := range k {
		c := stat.Quantile(v, (float64(i)+0.5)/float64(k))
		if len(centres) == 0 || c > centres[len(centres)-1] {
			centres = append(centres, c)
		}
	}
	for range 100 {
		sums, n := make([]float64, len(centres)), make([]float64, len(centres))
		ss = 0
		at := 0
		for _, x := range v { // ascending: the nearest centre only moves up
			for at+1 < len(centres) && math.Abs(centres[at+1]-x) < math.Abs(centres[at]-x) {
				at++
			}
			sums[at] += x
			n[at]++
			d := x - centres[at]
			ss += float64(d * d)
		}
		moved := false
		for i := range centres {
			if n[i] > 0 && sums[i]/n[i] != centres[i] {
				centres[i], moved = sums[i]/n[i], true
			}
		}
		if !moved {
			break
		}
	}
	return centres, ss
}
