package experiment

import (
	"slices"
	"strings"

	"plumbline/configs/settings"
)

// Keep is which of a cell's larger files are written.
type Keep struct {
	// scores.csv.zst
	Scores bool `yaml:"scores"`
	// model.bin
	Models bool `yaml:"models"`
	// coordinates.csv, which puts test rows into the plane: a list of pca and tsne, or a map {methods, rows, perplexity}
	Coordinates Coordinates `yaml:"coordinates,omitempty"`
	// importance.json: the AUROC that the model loses when a column's values are shuffled among test rows, the mean over
	// this many shuffles; 0: none
	Importance int `yaml:"importance" jsonschema:"minimum=0,maximum=1000"`
}

// Coordinates is how test rows are put into the plane.
type Coordinates struct {
	// pca: principal components; tsne: t-SNE; latent: principal components of the model's own codes, of models that have a
	// bottleneck
	Methods []string `yaml:"methods" jsonschema:"enum=pca,enum=tsne,enum=latent"`
	// of latent: after which epochs of training the codes are drawn too, 0 before the first; a training that is watched
	// leaves no checkpoints
	Epochs []int `yaml:"epochs,omitempty" jsonschema:"minimum=0"`
	// rows at most; of more, a sample is drawn, the same for all cells of a fold
	Rows int `yaml:"rows" jsonschema:"minimum=4,maximum=1000000"`
	// of t-SNE: neighbours that count
	Perplexity float64 `yaml:"perplexity" jsonschema:"minimum=1,maximum=1000"`
}

var coordinateMethods = []string{"pca", "tsne", "latent"}

func defaultCoordinates() Coordinates { return Coordinates{Rows: 5000, Perplexity: 30} }

// Forms are a list of methods, or a map.
func (*Coordinates) Forms() []settings.Form {
	type plain Coordinates
	return []settings.Form{{List: &settings.Form{Texts: coordinateMethods}}, {Keys: plain{}}}
}

// UnmarshalSettings takes a list of methods, or a map.
func (c *Coordinates) UnmarshalSettings(d settings.Node) (ps settings.Problems) {
	*c = defaultCoordinates()
	if d.IsMap() {
		type plain Coordinates
		q := plain(*c)
		ps = d.Decode(&q)
		*c = Coordinates(q)
	} else {
		ps = d.Decode(&c.Methods)
	}
	if len(c.Epochs) > 0 && !slices.Contains(c.Methods, "latent") {
		ps = append(ps, d.Problem("epochs are of the method latent, which is not among the methods"))
	}
	for _, m := range c.Methods {
		if !slices.Contains(coordinateMethods, m) {
			ps = append(ps, d.Problem("%q is none of %s%s", m, strings.Join(coordinateMethods, ", "),
				settings.DidYouMean(m, coordinateMethods)))
		}
	}
	return ps
}

// IsZero says that nothing is asked for, which files leave out.
func (c Coordinates) IsZero() bool { return len(c.Methods) == 0 }

// MarshalYAML is the shortest form that UnmarshalSettings reads.
func (c Coordinates) MarshalYAML() (any, error) {
	methods := append([]string{}, c.Methods...)
	if d := defaultCoordinates(); len(methods) == 0 ||
		c.Rows == d.Rows && c.Perplexity == d.Perplexity && len(c.Epochs) == 0 {
		return methods, nil
	}
	out := map[string]any{"methods": methods, "rows": c.Rows, "perplexity": c.Perplexity}
	if len(c.Epochs) > 0 {
		out["epochs"] = c.Epochs
	}
	return out, nil
}
