package flows

import (
	"fmt"
	"slices"
)

// Info is a vocabulary as it is registered.
type Info struct {
	Name string // as --as and the option as have it
	Doc  string // one sentence
	New  func() Vocabulary
}

var vocabularies = map[string]Info{}

// Register makes a vocabulary known. It is called from init and panics where the name is taken.
func Register(i Info) {
	if _, dup := vocabularies[i.Name]; dup {
		panic("flows: vocabulary registered twice: " + i.Name)
	}
	vocabularies[i.Name] = i
}

// Names are those of the vocabularies, in order.
func Names() (names []string) {
	for n := range vocabularies {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Lookup is the vocabulary of that name.
func Lookup(name string) (Info, error) {
	i, ok := vocabularies[name]
	if !ok {
		return Info{}, fmt.Errorf("flows: no vocabulary %q; there are %v", name, Names())
	}
	return i, nil
}
