package eval

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
)

// Number is a float64 in JSON, which has neither NaN nor infinities: both are written as null, and null is read
// as NaN. The structs of this package keep float64 and write their numbers in the same way.
type Number float64

// MarshalJSON writes null for what JSON cannot hold.
func (n Number) MarshalJSON() ([]byte, error) {
	if v := float64(n); math.IsNaN(v) || math.IsInf(v, 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON reads null as NaN.
func (n *Number) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		*n = Number(math.NaN())
		return nil
	}
	return json.Unmarshal(raw, (*float64)(n))
}

func (c ClassMetrics) MarshalJSON() ([]byte, error)   { return marshal(c) }
func (i Interval) MarshalJSON() ([]byte, error)       { return marshal(i) }
func (r Repeats) MarshalJSON() ([]byte, error)        { return marshal(r) }
func (c ClusterMetrics) MarshalJSON() ([]byte, error) { return marshal(c) }
func (c ClusterMetric) MarshalJSON() ([]byte, error)  { return marshal(c) }
func (d Difference) MarshalJSON() ([]byte, error)     { return marshal(d) }
func (r Ranks) MarshalJSON() ([]byte, error)          { return marshal(r) }
func (t Test) MarshalJSON() ([]byte, error)           { return marshal(t) }

func (c *ClassMetrics) UnmarshalJSON(raw []byte) error {
	type plain ClassMetrics
	return unmarshal(raw, (*plain)(c))
}

func (i *Interval) UnmarshalJSON(raw []byte) error {
	type plain Interval
	return unmarshal(raw, (*plain)(i))
}

func (r *Repeats) UnmarshalJSON(raw []byte) error {
	type plain Repeats
	return unmarshal(raw, (*plain)(r))
}

func (c *ClusterMetrics) UnmarshalJSON(raw []byte) error {
	type plain ClusterMetrics
	return unmarshal(raw, (*plain)(c))
}

func (c *ClusterMetric) UnmarshalJSON(raw []byte) error {
	type plain ClusterMetric
	return unmarshal(raw, (*plain)(c))
}

// object writes a JSON object key by key.
type object struct {
	bytes.Buffer
	err error
}

func (o *object) add(key string, v any) {
	if f, ok := v.(float64); ok {
		v = Number(f)
	}
	text, err := json.Marshal(v)
	if err != nil && o.err == nil {
		o.err = fmt.Errorf("%s: %w", key, err)
	}
	o.WriteString(`,"` + key + `":`)
	o.Write(text)
}

func (o *object) done() ([]byte, error) {
	out := append([]byte{'{'}, bytes.TrimPrefix(o.Bytes(), []byte{','})...)
	return append(out, '}'), o.err
}

// marshal writes the fields of a struct in order, under the names of their json tags.
func marshal(v any) ([]byte, error) {
	var o object
	rv := reflect.ValueOf(v)
	for i := range rv.NumField() {
		name, opts, _ := strings.Cut(rv.Type().Field(i).Tag.Get("json"), ",")
		if f := rv.Field(i); opts != "omitempty" || f.Len() > 0 {
			o.add(name, f.Interface())
		}
	}
	return o.done()
}

// unmarshal reads a struct whose numbers are NaN where they are absent or null.
func unmarshal(raw []byte, into any) error {
	undefine(reflect.ValueOf(into).Elem())
	return json.Unmarshal(raw, into)
}

// undefine sets every number of a struct to NaN.
func undefine(v reflect.Value) {
	for i := range v.NumField() {
		switch f := v.Field(i); {
		case f.CanFloat():
			f.SetFloat(math.NaN())
		case f.Kind() == reflect.Struct:
			undefine(f)
		}
	}
}
