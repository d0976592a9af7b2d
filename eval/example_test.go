package eval_test

import (
	"fmt"

	"plumbline/eval"
)

// Three benign flows and two attacks, judged by a detector that ranks one benign flow above an attack.
var (
	scores = []float64{0.1, 0.4, 0.2, 0.3, 0.9}
	attack = []bool{false, false, false, true, true}
)

// A ranking needs no threshold: of the six pairs of an attack and a benign flow, five are in the right order.
func ExampleRank() {
	r, err := eval.Rank(scores, attack)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("AUROC %.4f, average precision %.4f\n", r.ROCAUC(), r.AveragePrecision())
	// Output: AUROC 0.8333, average precision 0.8333
}

// A threshold is fitted to benign scores that no model was trained on, and then judged on others.
func ExampleThresholdRule_Fit() {
	heldOut := []float64{0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5}
	threshold, _, err := eval.ThresholdRule{Rule: "fpr", Value: 0.2}.Fit(heldOut)
	if err != nil {
		fmt.Println(err)
		return
	}
	c := eval.Confuse(scores, attack, threshold)
	fmt.Printf("above %.2f: %d of %d attacks, %d false alarms\n", threshold, c.TP, c.TP+c.FN, c.FP)
	// Output: above 0.40: 1 of 2 attacks, 0 false alarms
}

// The interval over seeds is Student's t on the logit scale, so that it stays within 0 and 1; fewer than five seeds
// give a warning with the result.
func ExampleRepeat() {
	r := eval.Repeat([]float64{0.91, 0.93, 0.92}, eval.Share)
	fmt.Printf("%.3f ± %.3f [%.3f, %.3f]\n", r.Mean, r.SD, r.Interval.Low, r.Interval.High)
	fmt.Println(r.Warnings[0])
	// Output:
	// 0.920 ± 0.010 [0.891, 0.942]
	// 3 seeds are few: take 5 or more
}
