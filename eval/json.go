package eval

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strings"
)

// JSON has no NaN: the numbers of results are written as null where they are undefined, and read back as NaN
// from null and where they are absent.

func (m Metrics) MarshalJSON() ([]byte, error)      { return marshal(m) }
func (c ClassMetrics) MarshalJSON() ([]byte, error) { return marshal(c) }
func (i Interval) MarshalJSON() ([]byte, error)     { return marshal(i) }
func (r Repeats) MarshalJSON() ([]byte, error)      { return marshal(r) }

func (c ClusterMetrics) MarshalJSON() ([]byte, error) { return marshal(c) }
func (c ClusterMetric) MarshalJSON() ([]byte, error)  { return marshal(c) }

func (c *ClusterMetrics) UnmarshalJSON(raw []byte) error {
	type plain ClusterMetrics
	undefine(reflect.ValueOf(c).Elem())
	return json.Unmarshal(raw, (*plain)(c))
}

func (c *ClusterMetric) UnmarshalJSON(raw []byte) error {
	type plain ClusterMetric
	undefine(reflect.ValueOf(c).Elem())
	return json.Unmarshal(raw, (*plain)(c))
}

func (m *Metrics) UnmarshalJSON(raw []byte) error {
	type plain Metrics
	undefine(reflect.ValueOf(m).Elem())
	return json.Unmarshal(raw, (*plain)(m))
}

func (c *ClassMetrics) UnmarshalJSON(raw []byte) error {
	type plain ClassMetrics
	undefine(reflect.ValueOf(c).Elem())
	return json.Unmarshal(raw, (*plain)(c))
}

func (i *Interval) UnmarshalJSON(raw []byte) error {
	type plain Interval
	undefine(reflect.ValueOf(i).Elem())
	return json.Unmarshal(raw, (*plain)(i))
}

func (r *Repeats) UnmarshalJSON(raw []byte) error {
	type plain Repeats
	undefine(reflect.ValueOf(r).Elem())
	return json.Unmarshal(raw, (*plain)(r))
}

// marshal writes the fields of a struct in order, under the names of their json tags.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	rv := reflect.ValueOf(v)
	for i := range rv.NumField() {
		name, opts, _ := strings.Cut(rv.Type().Field(i).Tag.Get("json"), ",")
		f := rv.Field(i)
		if opts == "omitempty" && f.Len() == 0 {
			continue
		}
		text := []byte("null")
		if !f.CanFloat() || !math.IsNaN(f.Float()) && !math.IsInf(f.Float(), 0) {
			var err error
			if text, err = json.Marshal(f.Interface()); err != nil {
				return nil, err
			}
		}
		b.WriteString(`,"` + name + `":`)
		b.Write(text)
	}
	b.WriteByte('}')
	out := b.Bytes()
	out[0] = '{'
	return out, nil
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
