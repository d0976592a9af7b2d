// Package all registers every detector: import it for its side effect. Its test runs the conformance suite
// over the registry.
package all

import (
	_ "plumbline/models/automata"
	_ "plumbline/models/classic"
	_ "plumbline/models/neural"
	_ "plumbline/models/neural/graph"
	_ "plumbline/models/supervised"
)
