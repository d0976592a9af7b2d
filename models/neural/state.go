package neural

import (
	"fmt"
	"math"

	"plumbline/models"
)

// widthMeta is what a saved network must know besides its weights: how many columns it takes.
type widthMeta struct{ Width int }

// arrays is the weights by name.
func (n Network) arrays(p Params) models.Arrays {
	out := models.Arrays{}
	for i, a := range n.Arrays() {
		out[a.Name] = p[i]
	}
	return out
}

// load takes the weights of a network of this width from a file.
func (m widthMeta) load(model string, arrays models.Arrays, network func(d int) Network) (Network, Params, error) {
	if m.Width < 1 || m.Width > 1<<20 {
		return Network{}, nil, fmt.Errorf("%s: load: %w: width %d", model, models.ErrState, m.Width)
	}
	net := network(m.Width)
	var p Params
	for _, a := range net.Arrays() {
		values, err := models.Array[float32](arrays, a.Name, a.Len)
		if err != nil {
			return net, nil, fmt.Errorf("%s: load: %w", model, err)
		}
		for _, v := range values {
			if v != v || math.IsInf(float64(v), 0) || a.Part == Variance && v < 0 {
				return net, nil, fmt.Errorf("%s: load: %w: %s is %v", model, models.ErrState, a.Name, v)
			}
		}
		p = append(p, values)
	}
	return net, p, nil
}
