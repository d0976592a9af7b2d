package classic

import (
	"context"
	"encoding/binary"
	"io"
	"math"
	"math/bits"

	"plumbline/data"
	"plumbline/models"
)

// Random scores are uniform in [0, 1) and say nothing: a control that shows what the metrics, thresholds
// and intervals of an experiment give to no model at all.
//
// A score is a hash of the seed and the row's values, so that it is the same in any company and order, and
// whatever the number of workers; scores of different rows are independent, those of equal rows equal.
type Random struct{}

const random = "random"

func init() {
	models.Register(models.Info{
		Name:     random,
		Doc:      "Control: uniform scores that depend on the seed and, as by chance, on the row.",
		Paper:    "none: chance",
		Needs:    models.Needs{Input: data.Vectors},
		Defaults: func() models.Spec { return &Random{} },
	})
}

// New builds an unfitted detector.
func (c *Random) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(random, c); err != nil {
		return nil, err
	}
	return &detector{
		name: random, env: env, min: 1,
		fit: func(_ context.Context, s *data.Set) (learned, error) {
			return randomState{s.D, env.Rand(random).Uint64()}, nil
		},
		load: loadRandom,
	}, nil
}

type randomState struct {
	d   int
	key uint64
}

func (m randomState) width() int { return m.d }

func (m randomState) score(ctx context.Context, s *data.Set, workers int, out []float64) error {
	return scoreRows(ctx, s.X, s.D, workers, out, func() func(row []float32) float64 {
		return func(row []float32) float64 {
			h := m.key
			for _, v := range row {
				if v == 0 {
					v = 0 // −0 is the same value
				}
				h = mix(h ^ uint64(math.Float32bits(v)))
			}
			return float64(mix(h)>>11) / (1 << 53)
		}
	})
}

// mix is the finalizer of MurmurHash3 after a rotation and an odd constant, so that 0 does not stay 0.
func mix(h uint64) uint64 {
	h = bits.RotateLeft64(h, 27) + 0x9e3779b97f4a7c15
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

func (m randomState) state() (any, models.Arrays) {
	var key [8]byte
	binary.LittleEndian.PutUint64(key[:], m.key)
	return momentsMeta{m.d}, models.Arrays{"key": key[:]}
}

func loadRandom(r io.Reader) (learned, error) {
	var meta momentsMeta
	arrays, err := models.ReadState(r, random, &meta)
	if err != nil {
		return nil, err
	}
	key, err := models.Array[uint8](arrays, "key", 8)
	if err != nil || meta.Columns < 1 {
		return nil, badState(random, "%d columns, key %v", meta.Columns, key)
	}
	return randomState{meta.Columns, binary.LittleEndian.Uint64(key)}, nil
}
