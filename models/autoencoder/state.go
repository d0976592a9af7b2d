package autoencoder

import (
	"fmt"
	"math"

	"plumbline/models"
	"plumbline/models/nn"
)

// load takes the weights of a network of this width from a file.
func load(m nn.StateMeta, model string, arrays models.Arrays, network func(d int) nn.Network) (nn.Network, nn.Params, error) {
	if m.Width < 1 || m.Width > 1<<20 {
		return nn.Network{}, nil, fmt.Errorf("%s: load: %w: width %d", model, models.ErrState, m.Width)
	}
	net := network(m.Width)
	var p nn.Params
	for _, a := range net.Arrays() {
		values, err := models.Array[float32](arrays, a.Name, a.Len)
		if err != nil {
			return net, nil, fmt.Errorf("%s: load: %w", model, err)
		}
		for _, v := range values {
			if v != v || math.IsInf(float64(v), 0) || a.Part == nn.Variance && v < 0 {
				return net, nil, fmt.Errorf("%s: load: %w: %s is %v", model, models.ErrState, a.Name, v)
			}
		}
		p = append(p, values)
	}
	return net, p, nil
}
