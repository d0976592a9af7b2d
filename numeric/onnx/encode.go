package onnx

import (
	"encoding/binary"
	"errors"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// What is written into models.
const (
	irVersion = 7
	opset     = 13
	mlDomain  = "ai.onnx.ml"
	mlOpset   = 3
	// MaxBytes is the largest message that readers of protocol buffers take.
	MaxBytes = math.MaxInt32
)

// ErrTooLarge is a model that no reader would take.
var ErrTooLarge = errors.New("larger than 2 GiB, the limit of protocol buffers")

func putFloat(b []byte, v float32) []byte {
	return binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
}
func putDouble(b []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
}
func putInt(b []byte, v int64) []byte { return binary.LittleEndian.AppendUint64(b, uint64(v)) }

func varint(b []byte, field protowire.Number, v int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), uint64(v))
}

func text(b []byte, field protowire.Number, v string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), v)
}

func message(b []byte, field protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), v)
}

// Encode is the model as a ModelProto. producer and version are those of the program. A graph that was put together
// wrongly is an error.
func (g *Graph) Encode(producer, version string) ([]byte, error) {
	if len(g.problems) > 0 {
		return nil, errors.Join(g.problems...)
	}
	if len(g.inputs) == 0 || len(g.outputs) == 0 {
		return nil, errors.New("onnx: a graph without inputs or outputs")
	}
	ml := false
	var b []byte
	for _, n := range g.nodes {
		ml = ml || n.domain == mlDomain
		b = message(b, 1, n.encode())
	}
	b = text(b, 2, g.name)
	for _, c := range g.constants {
		b = message(b, 5, tensor(string(c.name), c.of, c.dims, c.raw))
	}
	for _, p := range g.inputs {
		b = message(b, 11, p.encode())
	}
	for _, p := range g.outputs {
		b = message(b, 12, p.encode())
	}
	out := varint(nil, 1, irVersion)
	out = text(out, 2, producer)
	out = text(out, 3, version)
	out = message(out, 7, b)
	out = message(out, 8, operatorSet("", opset))
	if ml {
		out = message(out, 8, operatorSet(mlDomain, mlOpset))
	}
	for _, m := range g.meta {
		out = message(out, 14, text(text(nil, 1, m[0]), 2, m[1]))
	}
	if len(out) > MaxBytes {
		return nil, ErrTooLarge
	}
	return out, nil
}

func operatorSet(domain string, version int64) []byte {
	return varint(text(nil, 1, domain), 2, version)
}

// tensor is a TensorProto.
func tensor(name string, of Type, dims []int, raw []byte) []byte {
	var b []byte
	for _, d := range dims {
		b = varint(b, 1, int64(d))
	}
	b = varint(b, 2, int64(of))
	if name != "" {
		b = text(b, 8, name)
	}
	return message(b, 9, raw)
}

// encode is a ValueInfoProto.
func (p port) encode() []byte {
	var shape []byte
	for _, d := range p.dims {
		var dim []byte
		if d.Name != "" {
			dim = text(nil, 2, d.Name)
		} else {
			dim = varint(nil, 1, int64(d.Size))
		}
		shape = message(shape, 1, dim)
	}
	of := message(varint(nil, 1, int64(p.of)), 2, shape)
	return message(text(nil, 1, string(p.name)), 2, message(nil, 1, of))
}

// encode is a NodeProto.
func (n node) encode() []byte {
	var b []byte
	for _, v := range n.in {
		b = text(b, 1, string(v))
	}
	for _, v := range n.out {
		b = text(b, 2, string(v))
	}
	b = text(b, 3, string(n.out[0]))
	b = text(b, 4, n.op)
	for _, a := range n.attributes {
		b = message(b, 5, a)
	}
	if n.domain != "" {
		b = text(b, 7, n.domain)
	}
	return b
}

// Attribute is a setting of an operator, as an AttributeProto.
type Attribute []byte

// attribute is one with the number of its type.
func attribute(name string, kind int64) Attribute { return varint(text(nil, 1, name), 20, kind) }

// Int is a whole number.
func Int(name string, v int64) Attribute { return varint(attribute(name, 2), 3, v) }

// Flag is 1 or 0.
func Flag(name string, v bool) Attribute {
	if v {
		return Int(name, 1)
	}
	return Int(name, 0)
}

// Number is a float32.
func Number(name string, v float32) Attribute {
	b := protowire.AppendTag(attribute(name, 1), 2, protowire.Fixed32Type)
	return protowire.AppendFixed32(b, math.Float32bits(v))
}

// Text is a string.
func Text(name, v string) Attribute { return text(attribute(name, 3), 4, v) }

// Numbers is a list of float32.
func Numbers(name string, v ...float32) Attribute {
	b := attribute(name, 6)
	for _, x := range v {
		b = protowire.AppendFixed32(protowire.AppendTag(b, 7, protowire.Fixed32Type), math.Float32bits(x))
	}
	return b
}

// Ints is a list of whole numbers.
func Ints(name string, v ...int64) Attribute {
	b := attribute(name, 7)
	for _, x := range v {
		b = varint(b, 8, x)
	}
	return b
}

// Texts is a list of strings.
func Texts(name string, v ...string) Attribute {
	b := attribute(name, 8)
	for _, x := range v {
		b = text(b, 9, x)
	}
	return b
}
