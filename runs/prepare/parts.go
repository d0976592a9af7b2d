package prepare

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"strings"

	"plumbline/data"
)

// PartNames are what Part knows.
var PartNames = []string{"train", "valid", "test"}

// Part is one part of the fold as vectors, and the hash of its values. train is the benign rows that models without
// labels learn from; with labels it is the labelled rows, and truth stands in every part.
func (p *Prepared) Part(ctx context.Context, name string, labels bool) (*data.Set, string, error) {
	of, ok := map[string]part{"train": trainPart(labels), "valid": partValid, "test": partTest}[name]
	if !ok {
		return nil, "", fmt.Errorf("runs: unknown part %q; known: %s", name, strings.Join(PartNames, ", "))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.fits(Needs{Labels: labels}, p.beside(), p.src.Memory); err != nil {
		return nil, "", err
	}
	s, sum, err := p.vectors(ctx, of, false)
	if err == nil && !labels {
		s = s.Unlabelled()
	}
	return s, sum, err
}

// part is a part of a fold that models see as one set.
type part string

const (
	partBenign part = "train"          // for models without labels
	partTrain  part = "labelled train" // for models with labels
	partValid  part = "validation"
	partTest   part = "test"
)

func trainPart(labels bool) part {
	if labels {
		return partTrain
	}
	return partBenign
}

// table is the table that a part is made of.
func (l *live) table(of part) *data.Table {
	if of == partTrain {
		return l.labelled
	}
	return l.Table
}

// rows is the table rows of a part.
func (l *live) rows(of part) []int32 {
	switch of {
	case partBenign:
		return l.benign
	case partTrain:
		return l.split.Labelled(l.Table)
	case partValid:
		return l.split.Valid
	}
	return l.split.Test
}

// vectors is a part as a matrix, for native models or others, and its check sum.
func (p *Prepared) vectors(ctx context.Context, of part, native bool) (*data.Set, string, error) {
	if s, sum := p.takeVectors(of, native); s != nil {
		return s, sum, nil
	}
	l, err := p.alive(ctx)
	if err != nil {
		return nil, "", err
	}
	s, err := p.Pipeline(Needs{Native: native}).Apply(ctx, l.table(of), l.rows(of), p.src.Workers)
	if err != nil {
		return nil, "", err
	}
	sum := checksum(s)
	p.keepVectors(of, native, s, sum)
	return s, sum, nil
}

// sequences is a part as traces, and its check sum.
func (p *Prepared) sequences(ctx context.Context, of part) (*data.Set, string, error) {
	if s, sum := p.takeSequences(of); s != nil {
		return s, sum, nil
	}
	l, err := p.alive(ctx)
	if err != nil {
		return nil, "", err
	}
	q, err := p.Tracer.Sequences(ctx, l.table(of), l.rows(of), p.Pipe)
	if err != nil {
		return nil, "", err
	}
	s := p.Tracer.Cut(q, p.classes)
	sum := checksum(s)
	p.keepSequences(of, q, sum)
	return s, sum, nil
}

// checksum is a hash of the values that a model sees, so that two runs can be shown to have had the same.
func checksum(s *data.Set) string {
	h := sha256.New()
	fmt.Fprintf(h, "%v %d %d %d\n", s.Kind, s.N, s.D, len(s.Alphabet))
	hashFloats(h, s.X)
	for i := range s.Traces {
		t := &s.Traces[i]
		fmt.Fprintf(h, "%s %d\n", t.Key, len(t.Symbols))
		buf := make([]byte, 4*len(t.Symbols))
		for k, v := range t.Symbols {
			binary.LittleEndian.PutUint32(buf[4*k:], uint32(v))
		}
		h.Write(buf)
		hashFloats(h, t.Events)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func hashFloats(h io.Writer, x []float32) {
	var buf [4096]byte
	for len(x) > 0 {
		n := min(len(x), len(buf)/4)
		for k, v := range x[:n] {
			binary.LittleEndian.PutUint32(buf[4*k:], math.Float32bits(v))
		}
		h.Write(buf[:4*n])
		x = x[n:]
	}
}
