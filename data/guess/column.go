package guess

import (
	"math"
	"net/netip"
	"slices"
	"strings"

	"plumbline/data/value"
)

// Kinds of columns, as data configs name them.
const (
	Number   = "number"
	Category = "category"
	Time     = "time"
	Address  = "address"
	Port     = "port" // a number that may be hexadecimal
)

// maxValues is how many different texts of a column are kept.
const maxValues = 5000

// Column is what is known of a column so far.
type Column struct {
	Name     string
	Kind     string         // one of the kinds, after Decide
	Layout   string         // of times that are texts
	Other    string         // another layout that fits all times just as well, with day and month the other way round
	HalfDay  bool           // the clock has 12 hours, and nothing says which half of the day it is
	Notation value.Notation // of numbers
	Values   map[string]int // texts and how often they occur, the first maxValues of them
	N        int            // texts that are not missing
	Infinite bool           // an infinite number occurs
	Missing  []string       // texts that stand for a missing value in this column

	soft                     map[string]int // marks of missing values that may be values
	addresses, endpoints     bool
	notations                []value.Notation   // that all numbers fit; the first is the plain one
	numbers                  map[string]float64 // some texts that fit them, and what they are by the first
	hex, anyHex              bool
	layouts                  []clock
	integers                 bool
	low, high, last          float64
	rising, falls, unit, num int // numbers: not below the one before; below; exactly one more; all
}

// marks are texts that mean missing wherever they stand.
var marks = []string{"", "?", "null", "NULL", "None", "NA", "N/A", "<NA>", "NaT", "nan", "NaN"}

// notations are tried in this order.
var notations = []value.Notation{
	{}, {Units: true}, {Thousands: ','}, {Decimal: ','}, {Decimal: ',', Thousands: '.'}, {Thousands: ',', Units: true},
	{Decimal: ',', Units: true}, {Thousands: '\''}, {Thousands: ' '},
}

// New is a column of which nothing was seen.
func New(name string) *Column {
	return &Column{
		Name: name, Values: map[string]int{}, soft: map[string]int{}, addresses: true, endpoints: true, hex: true,
		integers: true, notations: slices.Clone(notations), numbers: map[string]float64{},
		low: math.Inf(1), high: math.Inf(-1),
	}
}

// Look takes the next text in.
func (c *Column) Look(text string) {
	text = strings.TrimSpace(text)
	switch {
	case slices.Contains(marks, text):
		c.mark(text)
		return
	case text == "-":
		c.soft[text]++
		return
	}
	c.N++
	before := c.Values[text]
	if len(c.Values) < maxValues || before > 0 {
		c.Values[text] = before + 1
	}
	if before == 0 { // nothing new is learned from a text that was there
		c.addresses = c.addresses && isAddress(text)
		c.endpoints = c.endpoints && isEndpoint(text)
	}
	c.number(text)
	c.time(text)
}

func (c *Column) mark(text string) {
	if !slices.Contains(c.Missing, text) {
		c.Missing = append(c.Missing, text)
	}
}

// number checks a text against the notations of numbers.
func (c *Column) number(text string) {
	if x, ok := c.numbers[text]; ok {
		c.follow(x)
		return
	}
	if len(c.notations) > 0 {
		x, fits := 0.0, false
		before := len(c.notations)
		c.notations = slices.DeleteFunc(c.notations, func(n value.Notation) bool {
			v, err := n.Number([]byte(text))
			if err == nil && !fits {
				x, fits = v, true
			}
			return err != nil
		})
		if len(c.notations) != before {
			clear(c.numbers)
		}
		if fits {
			if len(c.numbers) < maxValues {
				c.numbers[text] = x
			}
			c.follow(x)
			return
		}
	}
	if _, err := value.Hex([]byte(text)); err != nil {
		if _, err := value.Number([]byte(text)); err != nil {
			c.hex = false
		}
	} else {
		c.anyHex = true
	}
}

// follow looks how a number follows the one before.
func (c *Column) follow(x float64) {
	if !value.Finite(x) {
		c.Infinite = true
		return
	}
	if c.num > 0 {
		switch {
		case x == c.last+1:
			c.unit++
			c.rising++
		case x >= c.last:
			c.rising++
		default:
			c.falls++
		}
	}
	c.num++
	c.integers = c.integers && x == math.Trunc(x)
	c.last, c.low, c.high = x, min(c.low, x), max(c.high, x)
}

// Decide settles the kind, from all that was seen.
func (c *Column) Decide() {
	if c.N == 0 {
		c.Kind = Category
		return
	}
	switch {
	case c.addresses:
		c.Kind = Address
	case len(c.notations) > 0:
		c.Kind, c.Notation = Number, c.notations[0]
		switch {
		case c.Notation.Plain() && c.isEpoch():
			c.Kind = Time
		case c.Notation.Plain() && c.integers && c.isCode():
			c.Kind = Category
		}
	case c.hex && c.anyHex:
		c.Kind = Port
	default:
		c.Kind = Category
		c.decideTime()
	}
	if c.Kind != Category {
		for text := range c.soft {
			c.mark(text)
		}
	} else if n := c.soft["-"]; n > 0 {
		c.N += n
		c.Values["-"] += n
	}
}

// isEpoch says whether numbers are times since 1970: by their size, and by the name of the column or their order.
func (c *Column) isEpoch() bool {
	const from, to = 9e8, 2.2e9 // 1998 to 2039
	fits := false
	for _, unit := range []float64{1, 1e3, 1e6, 1e9} {
		fits = fits || c.low >= from*unit && c.high <= to*unit
	}
	if !fits || c.Infinite {
		return false
	}
	name := plainName(c.Name)
	for _, hint := range []string{"time", "stamp", "date", "epoch", "first", "last", "start", "end"} {
		if strings.Contains(name, hint) {
			return true
		}
	}
	const few = 20
	return name == "ts" || c.num >= few && c.falls*few <= c.num && c.high > c.low
}

// plainName is a name without case, blanks and marks.
func plainName(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, name)
}

// codeNames are columns whose numbers name something.
var codeNames = []string{
	"proto", "protocol", "protocoltype", "ipproto", "tcpflags", "clienttcpflags", "servertcpflags", "l7proto",
	"icmptype", "icmpipv4type", "dnsquerytype", "ftpcommandretcode",
}

// isCode says whether numbers are codes.
func (c *Column) isCode() bool {
	const most = 300
	return slices.Contains(codeNames, plainName(c.Name)) && len(c.Values) <= most
}

// IsPort says whether the column holds ports, by its name and its numbers.
func (c *Column) IsPort() bool {
	name := plainName(c.Name)
	named := strings.HasSuffix(name, "port") ||
		slices.Contains([]string{"idorigp", "idrespp", "sp", "dp", "dsport", "srcpt", "dstpt"}, name)
	return named && (c.Kind == Port || c.Kind == Number && c.integers && c.low >= 0 && c.high <= math.MaxUint16)
}

// indexNames are columns that number rows.
var indexNames = []string{
	"",
	"unnamed0",
	"indexlevel0",
	"index",
	"id",
	"pkseqid",
	"rowid",
	"row",
	"rownumber",
	"no",
	"number",
}

// Counts says whether the column numbers the rows: each is one more than the one before, or they rise throughout and
// the name says so.
func (c *Column) Counts() bool {
	const few = 20
	if c.Kind != Number || !c.integers || c.num < few || c.soft["-"] > 0 || len(c.Missing) > 0 {
		return false
	}
	name := plainName(c.Name)
	named := slices.Contains(indexNames, name) || strings.HasPrefix(c.Name, "column ")
	return c.unit == c.num-1 || named && c.falls*few <= c.num && len(c.Values) >= min(c.num, maxValues)
}

// Names says whether the column names single rows: nearly each has a text of its own, or its name is that of an
// identifier.
func (c *Column) Names() bool {
	if c.Kind != Category {
		return false
	}
	switch plainName(c.Name) {
	case "flowid", "uid", "communityid":
		return true
	}
	return len(c.Values) > 100 && 2*len(c.Values) > min(c.N, 2*maxValues)
}

// Endpoints says whether each text is an address and a port, such as 10.0.0.1:80.
func (c *Column) Endpoints() bool { return c.Kind == Category && c.N > 0 && c.endpoints }

func isEndpoint(v string) bool {
	_, err := netip.ParseAddrPort(v)
	return err == nil
}

func isAddress(v string) bool {
	if _, err := netip.ParseAddr(v); err == nil {
		return true
	}
	if len(v) != 17 {
		return false
	}
	for i, c := range v { // aa:bb:cc:dd:ee:ff
		if i%3 == 2 && c != ':' && c != '-' || i%3 != 2 && !strings.ContainsRune("0123456789abcdefABCDEF", c) {
			return false
		}
	}
	return true
}

// Common is the notation that all number columns can be read in, and those that cannot in it: they become categories.
func Common(columns []*Column) (n value.Notation, others []*Column) {
	best := -1
	for _, candidate := range notations {
		var not []*Column
		for _, c := range columns {
			if c.Kind == Number && !slices.Contains(c.notations, candidate) {
				not = append(not, c)
			}
		}
		if best < 0 || len(not) < best {
			best, n, others = len(not), candidate, not
		}
	}
	for _, c := range others {
		c.Kind = Category
	}
	return n, others
}
