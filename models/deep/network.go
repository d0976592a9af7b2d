package deep

import (
	"errors"
	"fmt"
	"math"

	"plumbline/models"
	"plumbline/models/nn"
)

// layers is a stack of dense layers on d columns, the last one linear.
func layers(d int, sizes []int, act nn.Activation, noBias bool) []nn.Dense {
	var out []nn.Dense
	for i, h := range sizes {
		l := nn.Dense{In: d, Out: h, Activation: act, NoBias: noBias}
		if i == len(sizes)-1 {
			l.Activation = nn.Linear
		}
		out = append(out, l)
		d = h
	}
	return out
}

// checkTraining says what is wrong with the settings of a network that has an objective of its own.
func checkTraining(t nn.Training) error {
	err := t.Check()
	if t.Engine != "fused" {
		err = errors.Join(err, fmt.Errorf("engine: %s trains no networks with an objective of their own; take fused",
			t.Engine))
	}
	return err
}

// badSpec is an error of a model's settings taken together; nil where there is none.
func badSpec(model string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w: %w", model, models.ErrSpec, err)
}

// maxColumns bounds the columns of a saved network.
const maxColumns = 1 << 20

// loadNetwork takes the weights of a network from a file.
func loadNetwork(st models.State, network func(d int) nn.Network) (nn.Network, nn.Params, error) {
	if st.Columns > maxColumns {
		return nn.Network{}, nil, fmt.Errorf("%d columns", st.Columns)
	}
	net := network(st.Columns)
	p, err := nn.LoadParams(st.Arrays, net.Arrays())
	return net, p, err
}

// bounded is a number that float32 arithmetic on the way may have made infinite or no number: then it is as far off as
// can be.
func bounded(v float64) float64 {
	if !(math.Abs(v) <= math.MaxFloat32) {
		return math.MaxFloat32
	}
	return v
}

// squaredDistance is ‖z − c‖².
func squaredDistance(z []float32, c []float64) float64 {
	sum := 0.0
	for j, v := range z {
		e := float64(v) - c[j]
		sum += float64(e * e)
	}
	return sum
}
