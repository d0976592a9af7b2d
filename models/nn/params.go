package nn

import (
	"fmt"

	"plumbline/models"
)

// Params are the numbers of a network, in the order of its Arrays: the weights that are trained, and averages that
// training collects.
type Params [][]float32

// Array is one of the arrays of Params.
type Array struct {
	Name    string // layer3.weight
	Layer   int
	Part    Part
	Len     int
	Trained bool // by the optimiser; the others are averages that training collects
}

// Part says what an array is to its layer.
type Part int

const (
	Weight Part = iota // Out×In, row by row
	Bias               // Out
	Scale              // Out, and so the next ones: of the normalisation
	Shift
	Mean
	Variance
)

var partNames = [...]string{"weight", "bias", "scale", "shift", "mean", "variance"}

// check says what does not fit the arrays, if anything.
func (p Params) check(arrays []Array) error {
	if len(p) != len(arrays) {
		return fmt.Errorf("neural: %d parameter arrays, the network wants %d", len(p), len(arrays))
	}
	for i, a := range arrays {
		if len(p[i]) != a.Len {
			return fmt.Errorf("neural: %s has %d numbers, wants %d", a.Name, len(p[i]), a.Len)
		}
	}
	return nil
}

// Named is the numbers by the names of a network's arrays, to be saved. They share memory.
func (p Params) Named(arrays []Array) models.Arrays {
	out := models.Arrays{}
	for i, a := range arrays {
		out[a.Name] = p[i]
	}
	return out
}

// LoadParams takes a network's arrays from saved ones. Numbers that are not finite and variances below 0 are errors.
func LoadParams(saved models.Arrays, arrays []Array) (Params, error) {
	var p Params
	for _, a := range arrays {
		values, err := models.FiniteArray[float32](saved, a.Name, a.Len)
		if err != nil {
			return nil, err
		}
		for _, v := range values {
			if a.Part == Variance && v < 0 {
				return nil, fmt.Errorf("%s is %v", a.Name, v)
			}
		}
		p = append(p, values)
	}
	return p, nil
}
