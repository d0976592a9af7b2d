package dashboard

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"plumbline/data"
)

// Countries is networks and the countries that they are in.
type Countries struct {
	of      map[netip.Prefix]string
	lengths [2][]int // of prefixes of IPv4 and IPv6, longest first
}

// ReadCountries reads a CSV file of a prefix and a country of two letters in each line, such as 192.0.2.0/24,NL; a head
// and further columns do no harm. Of several prefixes that hold an address the longest counts.
func ReadCountries(r io.Reader) (*Countries, error) {
	c := &Countries{of: map[netip.Prefix]string{}}
	in := csv.NewReader(r)
	in.FieldsPerRecord, in.Comment, in.TrimLeadingSpace = -1, '#', true
	for first := true; ; first = false {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("dashboard: countries: %w", err)
		}
		line, _ := in.FieldPos(0)
		if len(record) < 2 {
			return nil, fmt.Errorf("dashboard: countries: line %d: want a prefix and a country", line)
		}
		p, err := netip.ParsePrefix(strings.TrimSpace(strings.TrimPrefix(record[0], "\uFEFF")))
		if err != nil {
			if first {
				continue // a head
			}
			return nil, fmt.Errorf("dashboard: countries: line %d: %w", line, err)
		}
		name := strings.ToUpper(strings.TrimSpace(record[1]))
		if len(name) != 2 || name[0] < 'A' || name[0] > 'Z' || name[1] < 'A' || name[1] > 'Z' {
			return nil, fmt.Errorf("dashboard: countries: line %d: %q is no country of two letters", line, record[1])
		}
		p = p.Masked()
		c.of[p] = name
		k := 0
		if p.Addr().Is6() {
			k = 1
		}
		if !slices.Contains(c.lengths[k], p.Bits()) {
			c.lengths[k] = append(c.lengths[k], p.Bits())
		}
	}
	if len(c.of) == 0 {
		return nil, errors.New("dashboard: countries: no prefix in the file")
	}
	for k := range c.lengths {
		slices.SortFunc(c.lengths[k], func(a, b int) int { return cmp.Compare(b, a) })
	}
	return c, nil
}

// Country is that of an address in text, "" where no prefix holds it.
func (c *Countries) Country(text string) string {
	a, err := netip.ParseAddr(text)
	if err != nil {
		return ""
	}
	a = a.Unmap().WithZone("")
	k := 0
	if a.Is6() {
		k = 1
	}
	for _, n := range c.lengths[k] {
		if p, err := a.Prefix(n); err == nil {
			if name, ok := c.of[p]; ok {
				return name
			}
		}
	}
	return ""
}

// column is the country of the other end of each flow: of its destination, where that has none of its source.
func (c *Countries) column(source, destination *data.Column) *data.Column {
	out := &data.Column{Name: source.Name, Type: data.Category, Code: make([]uint32, len(source.Code))}
	names := data.NewInterner(&out.Levels)
	of := func(a *data.Column) []string {
		list := make([]string, len(a.Levels))
		for i, text := range a.Levels {
			list[i] = c.Country(text)
		}
		return list
	}
	from := of(source)
	var to []string
	if destination != nil {
		out.Name = destination.Name
		to = of(destination)
	}
	for i := range out.Code {
		name := ""
		if to != nil && destination.Code[i] != data.Missing {
			name = to[destination.Code[i]]
		}
		if name == "" && source.Code[i] != data.Missing {
			name = from[source.Code[i]]
		}
		if out.Code[i] = data.Missing; name != "" {
			out.Code[i] = uint32(names.ID([]byte(name)))
		}
	}
	return out
}
