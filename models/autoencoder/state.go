package autoencoder

import (
	"fmt"

	"plumbline/models"
	"plumbline/models/nn"
)

// load takes the weights of a network from a file.
func load(st models.State, network func(d int) nn.Network) (nn.Network, nn.Params, error) {
	if st.Columns > 1<<20 {
		return nn.Network{}, nil, fmt.Errorf("%d columns", st.Columns)
	}
	net := network(st.Columns)
	var p nn.Params
	for _, a := range net.Arrays() {
		values, err := models.FiniteArray[float32](st.Arrays, a.Name, a.Len)
		if err != nil {
			return net, nil, err
		}
		for _, v := range values {
			if a.Part == nn.Variance && v < 0 {
				return net, nil, fmt.Errorf("%s is %v", a.Name, v)
			}
		}
		p = append(p, values)
	}
	return net, p, nil
}
