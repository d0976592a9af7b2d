package alerts

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Alert is a flow, window or entity whose score is above its model's threshold. Its JSON is the layout plumbline.
type Alert struct {
	// ID is the same whenever the same model finds the same row at the same place of the same stream: see [NewID].
	ID        string    `json:"id"`
	Seq       int64     `json:"seq,omitempty"` // place in the store, from 1
	Time      time.Time `json:"time,omitzero"` // of the traffic; zero: not known
	Model     string    `json:"model"`
	Hash      string    `json:"model_hash"` // of what scored
	Score     float64   `json:"score"`
	Threshold float64   `json:"threshold"`
	P         *float64  `json:"p_value,omitempty"` // conformal; nil: the model has none
	Unit      string    `json:"unit"`              // what is judged: flow, host, connection, or columns
	Entity    string    `json:"entity,omitempty"`  // which host or connection, or whose trace
	Source    string    `json:"src,omitempty"`     // address
	SrcPort   string    `json:"src_port,omitempty"`
	Dest      string    `json:"dst,omitempty"`
	DestPort  string    `json:"dst_port,omitempty"`
	Protocol  string    `json:"protocol,omitempty"`
	Service   string    `json:"service,omitempty"`
	File      string    `json:"file,omitempty"` // that the row stands in, or where packets came in
	Line      int64     `json:"line,omitempty"` // 1-based
	Cause     string    `json:"cause"`          // root cause: a column, a state, or none
	Group     string    `json:"group"`          // of the alerts of one model with one cause: see [GroupID]
	Reasons   []Reason  `json:"reasons,omitempty"`
	// Held is how many alerts of the group were held back by the limit since the last one that was not.
	Held int64 `json:"held,omitempty"`
	// Limited says that the limit held this one back.
	Limited bool `json:"limited,omitempty"`
	// Record is the row as it was read, by column.
	Record map[string]string `json:"record,omitempty"`

	// Verdict and Note are what an analyst says: see [Store.Judge].
	Verdict Verdict `json:"verdict,omitempty"`
	Note    string  `json:"note,omitempty"`
}

// Reason is what adds to a score.
type Reason struct {
	Name     string  `json:"name"`
	Share    float64 `json:"share"`              // of all that adds to the score, in (0, 1]
	Actual   string  `json:"actual,omitempty"`   // value of the column
	Expected string  `json:"expected,omitempty"` // what the model expects there
}

// Verdict is what an analyst says of an alert; empty: nothing yet.
type Verdict string

// Verdicts.
const (
	True  Verdict = "true"  // it is what it says
	False Verdict = "false" // it is benign
	Note  Verdict = "note"  // neither, with a note
)

// ParseVerdict reads a verdict.
func ParseVerdict(text string) (Verdict, error) {
	switch v := Verdict(strings.ToLower(text)); v {
	case True, False, Note:
		return v, nil
	}
	return "", fmt.Errorf("verdict %q: want true, false or note", text)
}

// idBytes is how many bytes of a hash name an alert or a group.
const idBytes = 8

// NewID names what a model found at row n of a stream, from 0: where it ran before, on the same or another machine,
// the alert has the same name, so that one that is sent twice can be told.
func NewID(modelHash, stream string, n int64, entity string) string {
	return shortHash(modelHash, stream, fmt.Sprint(n), entity)
}

// GroupID names the alerts of a model that have one root cause.
func GroupID(modelHash, cause string) string { return shortHash(modelHash, cause) }

func shortHash(texts ...string) string {
	h := sha256.New()
	for _, t := range texts {
		fmt.Fprintf(h, "%d:%s", len(t), t)
	}
	return hex.EncodeToString(h.Sum(nil)[:idBytes])
}

// Where is file:line.
func (a *Alert) Where() string {
	if a.File == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", a.File, a.Line)
}

// address is an address as such, without the zone, where the text is one.
func address(text string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(text)
	return a.WithZone("").Unmap(), err == nil
}
