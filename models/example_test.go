package models_test

import (
	"context"
	"fmt"

	"plumbline/data"
	"plumbline/models"
	_ "plumbline/models/classic"
)

// A detector is built by name from its default settings, learns from a set and scores another. Higher scores are
// more anomalous.
func Example() {
	ctx := context.Background()
	train := &data.Set{Kind: data.Vectors, N: 4, D: 2, X: []float32{
		1, 10,
		2, 20,
		3, 30,
		4, 40,
	}}
	test := &data.Set{Kind: data.Vectors, N: 2, D: 2, X: []float32{
		2, 25, // as in training
		9, 10, // not
	}}
	spec, err := models.Decode("znorm")
	if err != nil {
		fmt.Println(err)
		return
	}
	det, err := spec.New(models.Env{Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := det.Fit(ctx, train); err != nil {
		fmt.Println(err)
		return
	}
	scores, err := det.Score(ctx, test)
	fmt.Printf("%.2f %v\n", scores, err)
	// Output: [0.45 5.97] <nil>
}

// An unknown name is an error that proposes the closest one.
func ExampleLookup() {
	_, err := models.Lookup("iforst")
	fmt.Println(err)
	// Output: models: unknown model "iforst"; did you mean "iforest"?
}
