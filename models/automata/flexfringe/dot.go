package flexfringe

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"plumbline/models/automata/machine"
)

// WriteDOT writes the machine for Graphviz, in the manner of FlexFringe: a state's label is its id, the
// words through it (#), the words that end and that go on in it by label, and both sums; an edge's label is
// a line with symbol and count for each symbol. Red states are boxes with a solid line, blue ones are dashed, sinks
// grey.
//
// What a drawing does not show stands in the attributes counts (symbols without an edge, with their count),
// access, source and class, so that ReadDOT gives the same machine back. Names are percent-encoded where they
// hold blanks, quotes or punctuation that the labels are made of; the graph attribute encoding says so.
func WriteDOT(m *machine.Machine, w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "digraph DFA {\n\tgraph [encoding=\"percent\" types=\"%s\" alphabet=\"%s\"];\n",
		encodeNames(m.Types), encodeNames(m.Alphabet))
	fmt.Fprintf(b, "\tI [label=\"\" shape=none];\n\tI -> %d;\n", m.States[0].ID)
	for q := range m.States {
		dotState(m, b, int32(q))
	}
	for q := range m.States {
		dotEdges(m, b, int32(q))
	}
	b.WriteString("}\n")
	if err := b.Flush(); err != nil {
		return fmt.Errorf("automata: write: %w", err)
	}
	return nil
}

func dotState(m *machine.Machine, b *bufio.Writer, q int32) {
	s := &m.States[q]
	fmt.Fprintf(b, "\t%d [label=\"%d #%d\\nfin:%s\\npath:%s\\n%d %d\"", s.ID, s.ID, s.Size, dotTypes(m, s.FinalTypes),
		dotTypes(m, s.PathTypes), s.Paths, s.Final)
	var class []string
	style := ""
	if s.Red {
		class = append(class, "red")
	}
	if s.Blue {
		class = append(class, "blue")
		style = " style=dashed"
	}
	if s.Sink {
		class = append(class, "sink")
		style = " style=\"dashed,filled\" fillcolor=lightgrey"
	}
	fmt.Fprintf(b, " shape=box%s class=\"%s\" source=\"%d\"", style, strings.Join(class, " "), s.Source)
	if len(s.Access) > 0 {
		fmt.Fprintf(b, " access=\"%s\"", encodeNames(names(m, s.Access)))
	}
	var counts []string
	for i := m.CountStart[q]; i < m.CountStart[q+1]; i++ {
		if m.Next(q, m.CountOn[i]) < 0 {
			counts = append(counts, encodeName(m.Alphabet[m.CountOn[i]])+":"+strconv.Itoa(int(m.Count[i])))
		}
	}
	if len(counts) > 0 {
		fmt.Fprintf(b, " counts=\"%s\"", strings.Join(counts, " "))
	}
	b.WriteString("];\n")
}

// dotTypes is the counts by label as FlexFringe writes them.
func dotTypes(m *machine.Machine, counts []int32) string {
	var b strings.Builder
	for k, name := range m.Types {
		if c := at(counts, k); c > 0 {
			fmt.Fprintf(&b, " %s:%d ,", encodeName(name), c)
		}
	}
	return b.String()
}

// dotEdges writes one arrow for each state that q has edges to.
func dotEdges(m *machine.Machine, b *bufio.Writer, q int32) {
	label := map[int32]string{}
	var order []int32
	for i := m.Start[q]; i < m.Start[q+1]; i++ {
		to := m.To[i]
		line := encodeName(m.Alphabet[m.On[i]]) + " " + strconv.Itoa(int(m.Seen(q, m.On[i])))
		if _, has := label[to]; has {
			line = label[to] + "\\n" + line
		} else {
			order = append(order, to)
		}
		label[to] = line
	}
	for _, to := range order {
		fmt.Fprintf(b, "\t%d -> %d [label=\"%s\"];\n", m.States[q].ID, m.States[to].ID, label[to])
	}
}

func names(m *machine.Machine, word []int32) []string {
	out := make([]string, len(word))
	for i, a := range word {
		out[i] = m.Alphabet[a]
	}
	return out
}

func encodeNames(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = encodeName(n)
	}
	return strings.Join(out, " ")
}

// encodeName spells out what is not a letter, a digit or one of -_.+*/ in ASCII, byte by byte, and what is no UTF-8;
// all other characters beyond ASCII stay. The empty name is %.
func encodeName(name string) string {
	if name == "" {
		return "%"
	}
	var b strings.Builder
	for i, r := range name {
		switch size := utf8.RuneLen(r); {
		case r == utf8.RuneError: // or bytes that are none, one at a time
			if !strings.HasPrefix(name[i:], string(utf8.RuneError)) {
				size = 1
			}
			for _, c := range []byte(name[i : i+size]) {
				fmt.Fprintf(&b, "%%%02X", c)
			}
		case r >= 0x80 || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z',
			strings.ContainsRune("-_.+*/", r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "%%%02X", r)
		}
	}
	return b.String()
}

func decodeName(text string) (string, error) {
	if text == "%" {
		return "", nil
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			b.WriteByte(text[i])
			continue
		}
		if i+3 > len(text) {
			return "", fmt.Errorf("name %q ends in the middle of a percent code", text)
		}
		v, err := strconv.ParseUint(text[i+1:i+3], 16, 8)
		if err != nil {
			return "", fmt.Errorf("name %q holds a percent sign without two hexadecimal digits", text)
		}
		b.WriteByte(byte(v))
		i += 2
	}
	return b.String(), nil
}
