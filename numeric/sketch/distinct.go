package sketch

import (
	"math/bits"

	"github.com/axiomhq/hyperloglog"
)

// Distinct counts different values by their hashes in 16 KB, to 0.8 % (one standard error): HyperLogLog (Flajolet and
// others 2007).
type Distinct struct{ log *hyperloglog.Sketch }

// NewDistinct is a count of nothing.
func NewDistinct() *Distinct { return &Distinct{hyperloglog.New14()} }

// Add adds a value by a hash of it that is as good as random, such as that of [Mix].
func (d *Distinct) Add(hash uint64) { d.log.InsertHash(hash) }

// Count is about how many different values were added.
func (d *Distinct) Count() int { return int(d.log.Estimate()) }

// DistinctError is the standard error of [Distinct.Count], as a share of it.
const DistinctError = 0.0081

// Mix makes a hash of 64 bits that are all as good as random, by multiplying twice to 128 bits.
func Mix(v uint64) uint64 {
	hi, lo := bits.Mul64(v^0x9e3779b97f4a7c15, 0xa0761d6478bd642f)
	hi, lo = bits.Mul64(hi^lo^0xe7037ed1a0b428db, 0x8ebc6af09c88c6e3)
	return hi ^ lo
}
