package nn

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"plumbline/models"
)

// once is run, unless the same training is kept: then its weights are those, and its history is reported as if it had
// been trained.
func (l loop) once(ctx context.Context, env models.Env, cfg Training) (Params, error) {
	key, err := l.key(env.Seed, cfg)
	if err != nil { // numbers that JSON cannot hold
		return l.run(ctx, env, cfg)
	}
	if w := env.Trained.Find(key); w != nil {
		env.Logger().Info("the same network has been trained for another cell: its weights are taken", "key", key,
			"epochs", len(w.History), "seconds", w.Took.Seconds())
		for _, e := range w.History {
			env.Progress(e)
		}
		return copied(w.Arrays), nil
	}
	resumed := false
	l.onResume = func(Trainer, int) error {
		resumed = true
		return nil
	}
	var history []models.Epoch
	heard := env
	heard.Observe = func(e models.Epoch) {
		history = append(history, e)
		env.Progress(e)
	}
	began := time.Now()
	p, err := l.run(ctx, heard, cfg)
	if err == nil && !resumed { // how long the whole took is not known of one that went on
		env.Trained.Keep(key, &models.Weights{Arrays: copied(p), History: history, Took: time.Since(began)})
	}
	return p, err
}

// key tells the training apart from all others.
func (l loop) key(seed uint64, cfg Training) (string, error) {
	sum := sha256.New()
	if err := writeDescription(sum, seed, cfg, l.description, []int{l.n, len(l.x), len(l.t)}); err != nil {
		return "", err
	}
	writeNumbers(sum, l.x)
	if len(l.t) != len(l.x) || len(l.t) > 0 && &l.t[0] != &l.x[0] {
		writeNumbers(sum, l.t)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

func copied(arrays [][]float32) (out Params) {
	for _, a := range arrays {
		out = append(out, slices.Clone(a))
	}
	return out
}
