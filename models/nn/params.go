package nn

import "plumbline/models"

// StateMeta is what a saved network must know besides its weights: how many columns it takes.
type StateMeta struct{ Width int }

// NamedArrays is the weights by name.
func (n Network) NamedArrays(p Params) models.Arrays {
	out := models.Arrays{}
	for i, a := range n.Arrays() {
		out[a.Name] = p[i]
	}
	return out
}
