package neural

import (
	"fmt"
	"math"

	"plumbline/models"
)

// widthMeta is what a saved network must know besides its weights: how many columns it takes.
type widthMeta struct{ Width int }

// arrays is the weights by name.
func (p Params) arrays() models.Arrays {
	out := models.Arrays{}
	for i, a := range p {
		out[paramName(i)] = a
	}
	return out
}

func paramName(i int) string {
	if i%2 == 0 {
		return fmt.Sprintf("layer%d.weight", i/2)
	}
	return fmt.Sprintf("layer%d.bias", i/2)
}

// load takes the weights of a network of this width from a file.
func (m widthMeta) load(model string, arrays models.Arrays, network func(d int) Network) (Network, Params, error) {
	if m.Width < 1 || m.Width > 1<<20 {
		return Network{}, nil, fmt.Errorf("%s: load: %w: width %d", model, models.ErrState, m.Width)
	}
	net := network(m.Width)
	p := make(Params, 2*len(net.Layers))
	for i := range p {
		l := net.Layers[i/2]
		n := l.Out
		if i%2 == 0 {
			n *= l.In
		}
		var err error
		if p[i], err = models.Array[float32](arrays, paramName(i), n); err != nil {
			return net, nil, fmt.Errorf("%s: load: %w", model, err)
		}
		for _, v := range p[i] {
			if v != v || math.IsInf(float64(v), 0) {
				return net, nil, fmt.Errorf("%s: load: %w: a weight is %v", model, models.ErrState, v)
			}
		}
	}
	return net, p, nil
}
