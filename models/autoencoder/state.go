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
	p, err := nn.LoadParams(st.Arrays, net.Arrays())
	return net, p, err
}
