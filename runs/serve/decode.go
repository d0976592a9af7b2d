package serve

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/data/value"
)

// members reads a JSON object whose members are known by name. Each is given as it stands, with its pointer; what the
// object lacks, has twice or has besides is an error.
func members(raw []byte, at jsontext.Pointer, take map[string]func(v jsontext.Value, at jsontext.Pointer) error) error {
	d := jsontext.NewDecoder(bytes.NewBuffer(raw))
	if d.PeekKind() != '{' {
		if _, err := d.ReadValue(); err != nil {
			return located(err, at)
		}
		return wrong(at, "want an object")
	}
	if _, err := d.ReadToken(); err != nil {
		return located(err, at)
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return located(err, at)
		}
		key := name.String()
		v, err := d.ReadValue()
		if err != nil {
			return located(err, at)
		}
		f, ok := take[key]
		if !ok {
			var names []string
			for n := range take {
				names = append(names, n)
			}
			return wrong(at.AppendToken(key), "unknown member%s", settings.DidYouMean(key, names))
		}
		// v is valid until the next read: what stays is where it stands in the text
		end := d.InputOffset()
		if err := f(raw[end-int64(len(v)):end], at.AppendToken(key)); err != nil {
			return err
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return located(err, at)
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return wrong(at, "there is more after the end of the JSON value")
	}
	return nil
}

// located puts the place of a part of the body before that of a fault within it.
func located(err error, at jsontext.Pointer) error {
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		to := *syntax
		to.JSONPointer = at + to.JSONPointer
		return &to
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return wrong(at, "the JSON ends too early")
	}
	return err
}

// records reads a list of records: objects with the model's columns, or arrays with a value for each of columns (nil:
// the model's inputs in their order). limit is how many there may be.
func (c *collector) records(raw []byte, at jsontext.Pointer, columns []int, limit int) error {
	d := jsontext.NewDecoder(bytes.NewBuffer(raw))
	if d.PeekKind() != '[' {
		return wrong(at, "want a list of records")
	}
	if _, err := d.ReadToken(); err != nil {
		return located(err, at)
	}
	r := &reader{collector: c, d: d, base: at, seen: make([]int, len(c.m.inputs))}
	for {
		var err error
		switch k := d.PeekKind(); k {
		case '{':
			err = r.object()
		case '[':
			err = r.array(columns)
		case ']':
			_, err := d.ReadToken()
			return located(err, at)
		default:
			if _, err = d.ReadValue(); err == nil {
				err = wrong(r.pointer(), "want an object with the columns, or an array of their values")
			}
		}
		if err != nil {
			return located(err, at)
		}
		c.n++
		if c.pad(); c.n > limit {
			return refuse(http.StatusRequestEntityTooLarge, string(at), "more than %d records; send them to predict/batch",
				limit)
		}
	}
}

// reader reads records of a JSON text.
type reader struct {
	*collector
	d     *jsontext.Decoder
	base  jsontext.Pointer
	seen  []int // record in which an input was last met, from 1
	found int   // needed inputs of this record
	text  []byte
}

// pointer is where the value stands that was just read.
func (r *reader) pointer() jsontext.Pointer { return r.base + r.d.StackPointer() }

func (r *reader) object() error {
	r.found = 0
	if err := r.nested(nil); err != nil {
		return err
	}
	if r.found == r.m.needs {
		return nil
	}
	at := r.base.AppendToken(strconv.Itoa(r.n))
	for i, in := range r.m.inputs[:r.m.needs] {
		if r.seen[i] <= r.n {
			return wrong(at.AppendToken(in.Name), "the record has no %s (%v)", in.Name, in.Type)
		}
	}
	return nil
}

// nested reads an object whose members are columns, with a prefix before their names.
func (r *reader) nested(prefix []byte) error {
	if _, err := r.d.ReadToken(); err != nil {
		return err
	}
	for r.d.PeekKind() != '}' {
		raw, err := r.d.ReadValue()
		if err != nil {
			return err
		}
		name, err := r.unquoted(raw, prefix)
		if err != nil {
			return err
		}
		i, ok := r.m.findBytes(name)
		switch {
		case !ok && r.d.PeekKind() == '{' && r.m.groups[string(name)]:
			if err := r.nested(append(bytes.Clone(name), '.')); err != nil {
				return err
			}
			continue
		case !ok:
			if err := r.d.SkipValue(); err != nil {
				return err
			}
			continue
		case r.seen[i] > r.n:
			return wrong(r.pointer(), "the record has %s twice", r.m.inputs[i].Name)
		}
		if r.seen[i] = r.n + 1; i < r.m.needs {
			r.found++
		}
		if err := r.value(i); err != nil {
			return err
		}
	}
	_, err := r.d.ReadToken()
	return err
}

// unquoted is a JSON string without its quotes, valid until the next.
func (r *reader) unquoted(raw jsontext.Value, prefix []byte) ([]byte, error) {
	if len(prefix) == 0 && bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1], nil
	}
	var err error
	r.text, err = jsontext.AppendUnquote(append(r.text[:0], prefix...), raw)
	return r.text, err
}

func (r *reader) array(columns []int) error {
	if _, err := r.d.ReadToken(); err != nil {
		return err
	}
	want := len(columns)
	if columns == nil {
		want = r.m.needs
	}
	n := 0
	for ; r.d.PeekKind() != ']'; n++ {
		i := n
		switch {
		case n >= want:
			if err := r.d.SkipValue(); err != nil {
				return err
			}
			continue
		case columns != nil:
			i = columns[n]
		}
		if i < 0 {
			if err := r.d.SkipValue(); err != nil {
				return err
			}
			continue
		}
		if err := r.value(i); err != nil {
			return err
		}
	}
	if _, err := r.d.ReadToken(); err != nil {
		return err
	}
	if n != want {
		return wrong(r.base.AppendToken(strconv.Itoa(r.n)), "%d values, want %d", n, want)
	}
	return nil
}

// value reads the value of an input.
func (r *reader) value(i int) error {
	raw, err := r.d.ReadValue()
	if err != nil {
		return err
	}
	if why := r.take(i, raw); why != "" {
		return wrong(r.pointer(), "%s", why)
	}
	return nil
}

// take adds a JSON value to an input, or says why it cannot. What is not needed and cannot be read is missing.
func (c *collector) take(i int, raw jsontext.Value) (why string) {
	if why = c.read(i, raw); why != "" && i >= c.m.needs {
		c.missing(i)
		return ""
	}
	return why
}

func (c *collector) read(i int, raw jsontext.Value) (why string) {
	in := &c.m.inputs[i]
	kind := raw.Kind()
	if kind == 'n' {
		if !in.null {
			return "is null, and the model cannot do without " + in.Name
		}
		c.missing(i)
		return ""
	}
	switch in.Type {
	case data.Number:
		return c.takeNumber(i, raw, kind)
	case data.Time:
		return c.takeTime(i, raw, kind)
	}
	switch kind {
	case '"':
		text := []byte(raw[1 : len(raw)-1])
		if bytes.IndexByte(raw, '\\') >= 0 {
			var err error
			if text, err = jsontext.AppendUnquote(nil, raw); err != nil {
				return err.Error()
			}
		}
		if text = bytes.TrimSpace(text); len(text) == 0 {
			c.missing(i)
		} else {
			c.text(i, text)
		}
	case '0':
		c.text(i, raw)
	case 't':
		c.text(i, []byte("1"))
	case 'f':
		c.text(i, []byte("0"))
	default:
		return "want a text"
	}
	return ""
}

func (c *collector) takeNumber(i int, raw jsontext.Value, kind jsontext.Kind) (why string) {
	v := 0.0
	switch kind {
	case '0':
		var err error
		if v, err = value.Number(raw); err != nil || !value.Finite(v) {
			return "is too large a number"
		}
	case 't':
		v = 1
	case 'f':
	default:
		return "want a number"
	}
	c.num[i] = append(c.num[i], v)
	return ""
}

func (c *collector) takeTime(i int, raw jsontext.Value, kind jsontext.Kind) (why string) {
	var at int64
	var err error
	switch kind {
	case '0':
		at, err = value.Epoch(raw)
	case '"':
		var text []byte
		if text, err = jsontext.AppendUnquote(nil, raw); err != nil {
			break
		}
		if at, err = c.m.times.Parse(text); err != nil {
			var t time.Time
			if t, err = time.Parse(time.RFC3339Nano, string(text)); err == nil {
				at = t.UnixNano()
			}
		}
	default:
		return "want a time: seconds since 1970, or a text such as 2026-01-31T12:00:00Z"
	}
	if err != nil {
		return "is no time: want seconds since 1970, or a text such as 2026-01-31T12:00:00Z"
	}
	c.nanos[i] = append(c.nanos[i], at)
	return ""
}

// text reads a JSON string.
func text(raw jsontext.Value, at jsontext.Pointer) (string, error) {
	if raw.Kind() != '"' {
		return "", wrong(at, "want a text")
	}
	out, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return "", wrong(at, "%v", err)
	}
	return string(out), nil
}

// texts reads a JSON array of strings.
func texts(raw jsontext.Value, at jsontext.Pointer) (out []string, err error) {
	err = elements(raw, at, func(v jsontext.Value, at jsontext.Pointer) error {
		s, err := text(v, at)
		out = append(out, s)
		return err
	})
	return out, err
}

// elements calls each with the values of a JSON array.
func elements(raw jsontext.Value, at jsontext.Pointer, each func(v jsontext.Value, at jsontext.Pointer) error) error {
	if raw.Kind() != '[' {
		return wrong(at, "want a list")
	}
	d := jsontext.NewDecoder(bytes.NewBuffer(raw))
	if _, err := d.ReadToken(); err != nil {
		return located(err, at)
	}
	for n := 0; d.PeekKind() != ']'; n++ {
		v, err := d.ReadValue()
		if err != nil {
			return located(err, at)
		}
		if err := each(v, at.AppendToken(strconv.Itoa(n))); err != nil {
			return err
		}
	}
	return nil
}

// number reads a JSON number.
func number(raw jsontext.Value, at jsontext.Pointer) (float64, error) {
	if raw.Kind() != '0' {
		return 0, wrong(at, "want a number")
	}
	v, err := value.Number(raw)
	if err != nil || !value.Finite(v) {
		return 0, wrong(at, "is too large a number")
	}
	return v, nil
}
