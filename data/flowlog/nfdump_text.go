package flowlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"plumbline/configs/settings"
	"plumbline/data/corpus"
	"plumbline/data/rows"
	"plumbline/data/value"
)

// NfdumpText reads what nfdump prints for people: -o line, long, extended and their 6 variants, and -o fmt with the
// same titles, also with a label that somebody added as the last column (the *.netflow.labeled files of CTU-13). The
// header line names the columns; they get the names of nfdump -o csv. Addresses and ports are taken apart, numbers
// with K, M, G or T written out (1.2 M is 1,200,000: the rest was lost when the text was written), durations become
// seconds, and the type and code of ICMP, where the port stands, becomes type times 256 plus code. The lines of
// totals are passed over.
type NfdumpText struct{}

// textPart is a column of the text: its title, and the columns that its cells become.
type textPart struct {
	title   string
	columns []rows.ColumnSpec
}

var nfdumpParts = []textPart{
	{"Date first seen", rows.Columns("ts time")},
	{"Date flow start", rows.Columns("ts time")},
	{"Date last seen", rows.Columns("te time")},
	{"Date flow end", rows.Columns("te time")},
	{"Event", rows.Columns("event category")},
	{"Duration", rows.Columns("td number")},
	{"Durat", rows.Columns("td number")},
	{"Proto", rows.Columns("pr category")},
	{"Prot", rows.Columns("pr category")},
	{"Src IP Addr:Port", rows.Columns("sa address, sp number")},
	{"Dst IP Addr:Port", rows.Columns("da address, dp number")},
	{"Src IP Addr", rows.Columns("sa address")},
	{"Dst IP Addr", rows.Columns("da address")},
	{"Src Pt", rows.Columns("sp number")},
	{"Dst Pt", rows.Columns("dp number")},
	{"Flags", rows.Columns("flg category")},
	{"Tos", rows.Columns("stos number")},
	{"Packets", rows.Columns("ipkt number")},
	{"Bytes", rows.Columns("ibyt number")},
	{"In Pkt", rows.Columns("ipkt number")},
	{"In Byte", rows.Columns("ibyt number")},
	{"Out Pkt", rows.Columns("opkt number")},
	{"Out Byte", rows.Columns("obyt number")},
	{"Input", rows.Columns("in number")},
	{"Output", rows.Columns("out number")},
	{"Src AS", rows.Columns("sas number")},
	{"Dst AS", rows.Columns("das number")},
	{"pps", rows.Columns("pps number")},
	{"bps", rows.Columns("bps number")},
	{"Bpp", rows.Columns("bpp number")},
	{"Flows", rows.Columns("fl number")},
	{"Label", rows.Columns("label category")},
	{"Labels", rows.Columns("label category")},
}

// Schema is nil: the files name their columns.
func (d *NfdumpText) Schema() []rows.ColumnSpec { return nil }

// Check says what is wrong with the settings.
func (d *NfdumpText) Check(settings.Node) settings.Problems { return nil }

func (d *NfdumpText) Read(ctx context.Context, in io.Reader, name string, tb *rows.Builder, workers int) error {
	br := corpus.PastBOM(in)
	line := 1
	var head string
	for ; ; line++ { // lines before the header are empty
		raw, err := corpus.ReadLine(br)
		head = strings.TrimSpace(string(raw))
		if errors.Is(err, io.EOF) && head == "" {
			return fmt.Errorf("%s: the file is empty", name)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("%s:%d: %w", name, line, err)
		}
		if head != "" {
			break
		}
	}
	parts, err := nfdumpHeader(head)
	if err != nil {
		return fmt.Errorf("%s:%d: %w", name, line, err)
	}
	tf := &rows.TextFormat{
		File:    name,
		Missing: [][]byte{{}},
		Times:   value.Times{Layouts: []string{"2006-01-02 15:04:05.000", "2006-01-02 15:04:05"}},
	}
	for _, p := range parts {
		tf.Specs = append(tf.Specs, p.columns...)
	}
	tf.Cut = func(line []byte, cells [][]byte) ([][]byte, error) { return nfdumpCells(parts, line, cells) }
	return rows.Parse(ctx, br, tf, line+1, tb, workers)
}

// nfdumpHeader cuts a header into the titles that it is made of.
func nfdumpHeader(head string) ([]textPart, error) {
	rest := strings.Join(strings.Fields(head), " ")
	var parts []textPart
	for rest != "" {
		if after, ok := strings.CutPrefix(rest, "->"); ok {
			rest = strings.TrimSpace(after)
			continue
		}
		best := -1
		for i, p := range nfdumpParts {
			after, ok := strings.CutPrefix(rest, p.title)
			if ok && (after == "" || after[0] == ' ') && (best < 0 || len(p.title) > len(nfdumpParts[best].title)) {
				best = i
			}
		}
		if best < 0 {
			return nil, fmt.Errorf("not a header of nfdump: %q is no title that is known", rows.Clip([]byte(rest)))
		}
		p := nfdumpParts[best]
		for _, c := range p.columns {
			if slices.ContainsFunc(parts, func(o textPart) bool { return slices.Contains(o.columns, c) }) {
				return nil, fmt.Errorf("the header has a column %s twice", c.Name)
			}
		}
		parts = append(parts, p)
		rest = strings.TrimSpace(strings.TrimPrefix(rest, p.title))
	}
	return parts, nil
}

// nfdumpTotals are how the lines begin that are no flows: totals, and headers of outputs put together.
var nfdumpTotals = [][]byte{
	[]byte("Summary:"), []byte("Time window:"), []byte("Total flows processed:"), []byte("Sys:"), []byte("Date f"),
}

// nfdumpCells are the cells of one flow.
func nfdumpCells(parts []textPart, line []byte, cells [][]byte) ([][]byte, error) {
	for _, t := range nfdumpTotals {
		if bytes.HasPrefix(line, t) {
			return nil, rows.ErrPassOver
		}
	}
	w := words{rest: line}
	var protocol []byte
	for _, p := range parts {
		cell := w.next()
		if bytes.Equal(cell, []byte("->")) || bytes.Equal(cell, []byte("<->")) {
			cell = w.next()
		}
		if cell == nil && p.columns[0].Name != "label" {
			return nil, fmt.Errorf("the line ends before column %s", p.title)
		}
		switch first := p.columns[0]; {
		case first.Type == "time":
			clock := w.next()
			cells = append(cells, bytes.Join([][]byte{cell, clock}, []byte{' '}))
		case len(p.columns) == 2:
			address, port, err := addressAndPort(cell, protocol, first.Name == "da")
			if err != nil {
				return nil, err
			}
			cells = append(cells, address, port)
		case first.Name == "td":
			seconds, err := clockSeconds(cell)
			if err != nil {
				return nil, err
			}
			cells = append(cells, seconds)
		case first.Name == "label":
			cells = append(cells, bytes.TrimSpace(append(slices.Clip(cell), w.rest...)))
			w.rest = nil
		case first.Type == "number":
			var err error
			if first.Name == "dp" {
				cell, err = icmpPort(cell, protocol)
			} else {
				cell, err = w.scaled(cell)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.title, err)
			}
			cells = append(cells, cell)
		default:
			if first.Name == "pr" {
				protocol = cell
			}
			cells = append(cells, cell)
		}
	}
	if left := w.next(); left != nil {
		return nil, fmt.Errorf("%q is left after the last column", rows.Clip(left))
	}
	return cells, nil
}

// words cuts a line at runs of blanks and tabs.
type words struct{ rest []byte }

func (w *words) next() []byte {
	rest := bytes.TrimLeft(w.rest, " \t")
	if len(rest) == 0 {
		w.rest = nil
		return nil
	}
	end := bytes.IndexAny(rest, " \t")
	if end < 0 {
		end = len(rest)
	}
	w.rest = rest[end:]
	return rest[:end]
}

// scaled is a number written out whose letter for a power of a thousand follows as a word of its own.
func (w *words) scaled(cell []byte) ([]byte, error) {
	saved := w.rest
	letter := w.next()
	power := -1
	if len(letter) == 1 {
		power = bytes.IndexByte([]byte("KMGT"), letter[0])
	}
	if power < 0 {
		w.rest = saved
		return cell, nil
	}
	v, err := value.Number(cell)
	if err != nil {
		return nil, fmt.Errorf("%q is not a number", rows.Clip(cell))
	}
	return strconv.AppendFloat(nil, v*[]float64{1e3, 1e6, 1e9, 1e12}[power], 'f', -1, 64), nil
}

// addressAndPort takes 10.0.0.1:80 and 2001:db8::1.80 apart. Where ICMP's type and code stand for the port, as in
// 10.0.0.1:3.1, it becomes type times 256 plus code.
func addressAndPort(cell, protocol []byte, destination bool) (address, port []byte, err error) {
	at := bytes.IndexByte(cell, ':')
	if v4 := at > 0 && bytes.IndexByte(cell[:at], '.') > 0; v4 && bytes.IndexByte(cell[at+1:], ':') > 0 {
		return cell[:at], cell[bytes.LastIndexByte(cell, ':')+1:], nil // 10.0.0.1:0:0, where there are no ports
	}
	at = bytes.LastIndexByte(cell, ':')
	icmp := bytes.HasPrefix(protocol, []byte("ICMP"))
	if v6 := at >= 0 && bytes.IndexByte(cell[:at], ':') >= 0; v6 {
		dot := bytes.LastIndexByte(cell, '.')
		if icmp && destination && bytes.Count(cell[at:], []byte{'.'}) == 2 {
			dot = at + bytes.IndexByte(cell[at:], '.')
		}
		if dot < at {
			return nil, nil, fmt.Errorf("%q has no port", rows.Clip(cell))
		}
		at = dot
	}
	if at < 0 {
		return nil, nil, fmt.Errorf("%q has no port", rows.Clip(cell))
	}
	port, err = icmpPort(cell[at+1:], protocol)
	return cell[:at], port, err
}

// icmpPort is the type and code of ICMP, as in 3.1, as one number; a port as it is.
func icmpPort(cell, protocol []byte) ([]byte, error) {
	kind, code, ok := bytes.Cut(cell, []byte{'.'})
	if !ok || !bytes.HasPrefix(protocol, []byte("ICMP")) {
		return cell, nil
	}
	k, err1 := strconv.ParseUint(string(kind), 10, 8)
	c, err2 := strconv.ParseUint(string(code), 10, 8)
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("%q is no type and code of ICMP", rows.Clip(cell))
	}
	return strconv.AppendUint(nil, k<<8|c, 10), nil
}

// clockSeconds is a duration in seconds, which newer versions write as 00:01:02.500.
func clockSeconds(cell []byte) ([]byte, error) {
	fields := bytes.Split(cell, []byte{':'})
	if len(fields) == 1 {
		return cell, nil
	}
	total := 0.0
	for _, f := range fields {
		v, err := value.Number(f)
		if err != nil || !value.Finite(v) || len(fields) > 3 {
			return nil, fmt.Errorf("%q is not a duration", rows.Clip(cell))
		}
		total = float64(total*60) + v
	}
	return strconv.AppendFloat(nil, total, 'f', 3, 64), nil
}
