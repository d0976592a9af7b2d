package classic

import (
	"context"
	"encoding/binary"
	"math/bits"

	"plumbline/data"
	"plumbline/models"
)

// Random scores are uniform in [0, 1) and say nothing: a control that shows what the metrics, thresholds
// and intervals of an experiment give to no model at all.
//
// A score is a hash of the seed and the row's place in the set. It is not one of the row's values: in data
// that is full of duplicates, equal rows with equal scores would make chance look like a result.
type Random struct{}

const random = "random"

func init() {
	models.Register(models.Info{
		Name:     random,
		Doc:      "Control: uniform scores that depend on the seed and a row's place in the set, not on the row.",
		Paper:    "none: chance",
		Control:  true,
		Needs:    models.Needs{Input: data.Vectors, Batch: true},
		Defaults: func() models.Spec { return &Random{} },
	})
}

// New builds an unfitted detector.
func (c *Random) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(random, c); err != nil {
		return nil, err
	}
	return models.RowMethod{
		Name: random, Spec: c, Env: env, Min: 1,
		Fit: func(_ context.Context, s *data.Set) (models.RowLearned, error) {
			return randomState{env.Rand(random).Uint64()}, nil
		},
		Load: loadRandom,
	}.Detector(), nil
}

type randomState struct {
	key uint64
}

func (m randomState) ScoreRows(ctx context.Context, _ *data.Set, _ int, out []float64) error {
	for i := range out {
		out[i] = float64(mix(mix(m.key)^uint64(i))>>11) / (1 << 53)
	}
	return ctx.Err()
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

func (m randomState) RowState() (any, models.Arrays) {
	var key [8]byte
	binary.LittleEndian.PutUint64(key[:], m.key)
	return nil, models.Arrays{"key": key[:]}
}

func loadRandom(st models.State) (models.RowLearned, error) {
	key, err := models.Array[uint8](st.Arrays, "key", 8)
	if err != nil {
		return nil, err
	}
	return randomState{binary.LittleEndian.Uint64(key)}, nil
}
