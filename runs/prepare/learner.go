package prepare

import (
	"context"

	"plumbline/data"
	"plumbline/data/prep"
	"plumbline/models"
)

// learner fits the models that preprocessing ranks columns by. Their seed is fixed: all cells of a fold share what is
// prepared.
func learner(workers int) prep.Learner {
	return func(ctx context.Context, model string, train *data.Set) (prep.Scorer, error) {
		ref := models.AnyReferenceTo(model)
		if !ref.Labels().Any() {
			train = train.Subset(benignOf(train)).Unlabelled()
		}
		det, err := ref.Fit(ctx, models.Env{Seed: 1, Workers: workers}, train)
		if err != nil {
			return nil, err
		}
		return det.Score, nil
	}
}

func benignOf(s *data.Set) []int {
	var rows []int
	for i, attack := range s.Attack {
		if !attack {
			rows = append(rows, i)
		}
	}
	return rows
}
