package dashboard

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Query is what a view is of: filters, and what its charts show. It is written as that of a URL.
type Query struct {
	From, To int                 // bins of the time axis, To excluded; both 0: all
	Levels   map[string][]string // of a dim's key: one of these texts
	Low      float64             // of the score; NaN: no bound
	High     float64
	Mark     string // "yes", "no" or "" for both
	Sign     string // that is there
	X, Y     string // keys of the numbers of the scatter
	Sort     string // of the flows: "score" or "time", latest first
	Offset   int    // of the flows
}

// ErrQuery is wrapped by errors about a query.
var ErrQuery = errors.New("not a view of these flows")

// maxValues is the most values of a filter.
const maxValues = 100

// Parse reads a query: time=FROM,TO in milliseconds since 1970 or rows, score=LOW,HIGH of which one may be empty,
// mark=yes or no, sign=NAME, a dim's key=LEVEL as often as wanted, x and y, sort=score or time, offset=N.
func (f *Flows) Parse(v url.Values) (Query, error) {
	q := Query{Levels: map[string][]string{}, Low: math.NaN(), High: math.NaN(), Sort: "score"}
	if f.Score == nil {
		q.Sort = "time"
	}
	q.X, q.Y = f.axes()
	for key, values := range v {
		if len(values) > maxValues {
			return q, fmt.Errorf("dashboard: %w: %s has %d values", ErrQuery, key, len(values))
		}
		if f.dim(key) >= 0 {
			q.Levels[key] = values
			continue
		}
		if err := q.take(f, key, values[0]); err != nil {
			return q, fmt.Errorf("dashboard: %w: %s=%s: %w", ErrQuery, key, values[0], err)
		}
	}
	return q, nil
}

// axes are the numbers that the scatter shows first.
func (f *Flows) axes() (x, y string) {
	if len(f.Nums) > 0 {
		x, y = f.Nums[0].Key, f.Nums[min(1, len(f.Nums)-1)].Key
	}
	return x, y
}

func (q *Query) take(f *Flows, key, value string) error {
	oneOf := func(to *string, of ...string) error {
		if !slices.Contains(of, value) {
			return fmt.Errorf("want one of: %s", strings.Join(of, ", "))
		}
		*to = value
		return nil
	}
	var keys []string
	for i := range f.Nums {
		keys = append(keys, f.Nums[i].Key)
	}
	switch key {
	case "time":
		from, to, ok := strings.Cut(value, ",")
		a, bad := strconv.ParseInt(from, 10, 64)
		b, worse := strconv.ParseInt(to, 10, 64)
		if !ok || bad != nil || worse != nil || a >= b {
			return errors.New("want FROM,TO")
		}
		last := f.Axis.edge(f.Axis.Bins)
		q.From = f.Axis.bin(min(max(a, f.Axis.Start), last-1))
		q.To = f.Axis.bin(min(max(b, f.Axis.Start+1), last)-1) + 1
		return nil
	case "score":
		low, high, ok := strings.Cut(value, ",")
		for _, s := range []struct {
			text string
			to   *float64
		}{{low, &q.Low}, {high, &q.High}} {
			v, err := strconv.ParseFloat(s.text, 64)
			if s.text != "" && err != nil || !ok {
				return errors.New("want LOW,HIGH")
			}
			if s.text != "" {
				*s.to = v
			}
		}
		return nil
	case "mark":
		return oneOf(&q.Mark, "yes", "no")
	case "sign":
		return oneOf(&q.Sign, f.Signs...)
	case "x":
		return oneOf(&q.X, keys...)
	case "y":
		return oneOf(&q.Y, keys...)
	case "sort":
		return oneOf(&q.Sort, "score", "time")
	case "offset":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 {
			return errors.New("want a number")
		}
		q.Offset = n
		return nil
	}
	return errors.New("no such filter")
}
