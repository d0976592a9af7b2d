package nn

import "plumbline/models"

// WidthMeta is what a saved network must know besides its weights: how many columns it takes.
type WidthMeta struct{ Width int }

// arrays is the weights by name.
func (n Network) ByName(p Params) models.Arrays {
	out := models.Arrays{}
	for i, a := range n.Arrays() {
		out[a.Name] = p[i]
	}
	return out
}
