package corpus

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"plumbline/data"
)

// AbbadingoDialect says how the lines of a trace file begin.
type AbbadingoDialect uint8

const (
	Abbadingo AbbadingoDialect = iota // label length symbol…
	PAutomaC                          // length symbol…; every trace gets the label "1"
)

// ReadAbbadingo reads symbolic traces in the text format of the Abbadingo competition:
//
//	traces symbols                  header; "symbols:k" or "symbols:type/name,…" announces k attributes
//	label length sym sym …          a trace a line; with attributes "sym:v,v" (and "/data", which is ignored)
//
// Separators are blanks and tabs, a trailing one is allowed, length 0 is legal. Symbols and labels get ids
// in order of first appearance, starting from those that into already holds. The announced number of
// symbols is not checked (no program writes it reliably), that of traces is. Errors name file:line:column.
func ReadAbbadingo(r io.Reader, file string, dialect AbbadingoDialect, into *Corpus) error {
	p := &abbadingo{
		file:    file,
		dialect: dialect,
		c:       into,
		symbols: data.NewInterner(&into.Alphabet),
		types:   data.NewInterner(&into.Types),
	}
	br := bufio.NewReaderSize(r, 1<<20)
	for {
		raw, err := ReadLine(br)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("data: %s:%d: %w", file, p.line+1, err)
		}
		if err != nil && len(raw) == 0 {
			break
		}
		p.line++
		if perr := p.parse(bytes.TrimRight(raw, "\r\n")); perr != nil {
			return fmt.Errorf("data: %s:%d:%d: %w", file, p.line, p.col, perr)
		}
		if err != nil {
			break
		}
	}
	switch {
	case p.line == 0:
		return fmt.Errorf("data: %s: empty file", file)
	case p.read != p.announced:
		return fmt.Errorf("data: %s: header announces %d traces, the file has %d", file, p.announced, p.read)
	}
	return nil
}

// maxLine bounds a line, in bytes: a trace of some 50 million symbols.
const maxLine = 1 << 28

func ReadLine(br *bufio.Reader) ([]byte, error) {
	line, err := br.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, err
	}
	long := bytes.Clone(line)
	for errors.Is(err, bufio.ErrBufferFull) {
		if len(long) > maxLine {
			return nil, fmt.Errorf("line longer than %d bytes", maxLine)
		}
		line, err = br.ReadSlice('\n')
		long = append(long, line...)
	}
	return long, err
}

type abbadingo struct {
	file           string
	dialect        AbbadingoDialect
	c              *Corpus
	symbols, types data.Interner
	line, col      int
	announced      int
	read           int
}

func (p *abbadingo) parse(line []byte) error {
	p.col = 1
	if p.line == 1 {
		return p.header(bytes.TrimPrefix(line, []byte("\xef\xbb\xbf")))
	}
	rest, word := line, []byte(nil)
	if word, rest = p.word(line, line); word == nil {
		if p.read < p.announced {
			return errors.New("empty line, want a trace")
		}
		return nil
	}
	label := []byte("1")
	if p.dialect == Abbadingo {
		label = word
		if word, rest = p.word(line, rest); word == nil {
			return errors.New("the trace has no length")
		}
	}
	word, _, _ = bytes.Cut(word, []byte(":")) // attributes of the whole trace are not used
	n, err := strconv.Atoi(string(word))
	if err != nil || n < 0 {
		return fmt.Errorf("trace length %q is not a whole number", word)
	}
	got := 0
	for {
		if word, rest = p.word(line, rest); word == nil {
			break
		}
		if got++; got > n {
			return fmt.Errorf("more than the announced %d symbols", n)
		}
		if err := p.symbol(word); err != nil {
			return err
		}
	}
	if got != n {
		return fmt.Errorf("%d symbols, the line announces %d", got, n)
	}
	p.c.Ends = append(p.c.Ends, len(p.c.Symbols))
	p.c.Type = append(p.c.Type, p.types.ID(label))
	p.read++
	return nil
}

// word is the next word of rest, nil at the end, and what follows it. It moves the column on.
func (p *abbadingo) word(line, rest []byte) (word, after []byte) {
	i := 0
	for i < len(rest) && (rest[i] == ' ' || rest[i] == '\t') {
		i++
	}
	rest = rest[i:]
	if len(rest) == 0 {
		return nil, nil
	}
	p.col = len(line) - len(rest) + 1
	end := bytes.IndexAny(rest, " \t")
	if end < 0 {
		end = len(rest)
	}
	return rest[:end], rest[end:]
}

func (p *abbadingo) symbol(word []byte) error {
	name, attributes, has := bytes.Cut(word, []byte(":"))
	if !has {
		name, _, _ = bytes.Cut(word, []byte("/"))
	}
	if len(name) == 0 {
		return errors.New("symbol without a name")
	}
	p.c.Symbols = append(p.c.Symbols, p.symbols.ID(name))
	if p.c.Width == 0 {
		return nil
	}
	attributes, _, _ = bytes.Cut(attributes, []byte("/"))
	n := 0
	for text := range bytes.SplitSeq(attributes, []byte(",")) {
		v, err := strconv.ParseFloat(string(text), 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("attribute %d of symbol %q is %q, want a number", n+1, name, text)
		}
		p.c.Attributes = append(p.c.Attributes, v)
		n++
	}
	if n != p.c.Width {
		return fmt.Errorf("symbol %q has %d attributes, the header announces %d", name, n, p.c.Width)
	}
	return nil
}

// header reads "N A", "N A:k" and "N A:type/name,…".
func (p *abbadingo) header(line []byte) error {
	words := strings.Fields(string(line))
	if len(words) != 2 {
		return fmt.Errorf("header has %d words, want the number of traces and of symbols", len(words))
	}
	count, _, _ := strings.Cut(words[0], ":")
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 {
		return fmt.Errorf("number of traces %q is not a whole number", count)
	}
	size, attributes, has := strings.Cut(words[1], ":")
	if _, err := strconv.Atoi(size); err != nil {
		return fmt.Errorf("number of symbols %q is not a whole number", size)
	}
	width := 0
	var list []string
	if has {
		if k, err := strconv.Atoi(attributes); err == nil {
			width = k
		} else {
			for entry := range strings.SplitSeq(attributes, ",") {
				if _, name, ok := strings.Cut(entry, "/"); ok {
					entry = name
				}
				list = append(list, entry)
			}
			width = len(list)
		}
	}
	if width < 0 || width > 1<<16 {
		return fmt.Errorf("%d attributes", width)
	}
	if p.c.Len() > 0 && p.c.Width != width {
		return fmt.Errorf("%d attributes, the traces read before have %d", width, p.c.Width)
	}
	p.announced, p.c.Width, p.c.Names = n, width, list
	return nil
}
