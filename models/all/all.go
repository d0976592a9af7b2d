// Package all registers every detector: import it for its side effect. Its test runs the conformance suite
// over the registry.
package all

import (
	_ "plumbline/models/autoencoder"
	_ "plumbline/models/automata"
	_ "plumbline/models/classic"
	_ "plumbline/models/deep"
	_ "plumbline/models/ensemble"
	_ "plumbline/models/golearn"
	_ "plumbline/models/neighbours"
	_ "plumbline/models/nn/gorgonia"
	_ "plumbline/models/oneclass"
	_ "plumbline/models/recurrent"
	_ "plumbline/models/streaming"
	_ "plumbline/models/supervised"
)
