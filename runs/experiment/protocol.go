package experiment

import (
	"math/rand/v2"
	"slices"
	"strings"

	"plumbline/configs/settings"
)

// Protocol is how the test rows are scored.
type Protocol struct {
	// batch: by the model as training left it; prequential: test-then-train, in turn
	Kind string `yaml:"kind" jsonschema:"enum=batch,enum=prequential"`
	// prequential: rows that are scored before the model learns them; models that judge a row by the rows before it
	// learn each row at once
	Block int `yaml:"block" jsonschema:"minimum=1,maximum=1000000000"`
	// prequential: the test rows come in the order of their files, or shuffled by the split's seed, which spreads bursts
	Order string `yaml:"order" jsonschema:"enum=file,enum=shuffled"`
}

var protocols = []string{"batch", "prequential"}

func defaultProtocol() Protocol { return Protocol{Kind: "batch", Block: 100, Order: "file"} }

// Forms are a kind, or a map.
func (*Protocol) Forms() []settings.Form {
	type plain Protocol
	return []settings.Form{{Texts: protocols}, {Keys: plain{}}}
}

// UnmarshalSettings takes a kind, or a map.
func (p *Protocol) UnmarshalSettings(d settings.Node) settings.Problems {
	*p = defaultProtocol()
	if name, ok := d.Scalar(); ok {
		if !slices.Contains(protocols, name) {
			return settings.Problems{d.Problem("protocol %q is not one of %s%s; a map {kind, block, order} says more", name,
				strings.Join(protocols, ", "), settings.DidYouMean(name, protocols))}
		}
		p.Kind = name
		return nil
	}
	type plain Protocol
	q := plain(*p)
	ps := d.Decode(&q)
	*p = Protocol(q)
	return ps
}

// MarshalYAML is the shortest form that UnmarshalSettings reads.
func (p Protocol) MarshalYAML() (any, error) {
	if d := defaultProtocol(); p.Block == d.Block && p.Order == d.Order {
		return p.Kind, nil
	}
	return map[string]any{"kind": p.Kind, "block": p.Block, "order": p.Order}, nil
}

// Prequential says whether models go on learning while they are tested.
func (p Protocol) Prequential() bool { return p.Kind == "prequential" }

// Turns is the places of n test rows in the order in which they come.
func (p Protocol) Turns(n int, seed uint64) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	if p.Order == "shuffled" {
		rand.New(rand.NewPCG(seed, 0x570)).Shuffle(n, func(i, j int) { out[i], out[j] = out[j], out[i] })
	}
	return out
}
