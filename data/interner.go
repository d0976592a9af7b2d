package data

// Interner gives ids to texts in order of first appearance.
type Interner struct {
	id   map[string]int32
	list *[]string
}

// NewInterner continues the list: the texts in it keep their places as ids.
func NewInterner(list *[]string) Interner {
	n := Interner{id: make(map[string]int32, len(*list)), list: list}
	for i, s := range *list {
		n.id[s] = int32(i)
	}
	return n
}

// ID is the id of a text. The bytes are copied when they are new.
func (n Interner) ID(text []byte) int32 {
	if id, ok := n.id[string(text)]; ok {
		return id
	}
	id := int32(len(*n.list))
	s := string(text)
	n.id[s] = id
	*n.list = append(*n.list, s)
	return id
}
