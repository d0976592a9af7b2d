package infer

import (
	"fmt"
	"slices"
	"strings"

	"plumbline/data/guess"
	"plumbline/data/source"
)

// truthName is a name as truthNames has it.
func truthName(name string) string {
	return strings.NewReplacer(" ", "", "_", "", "-", "", ".", "").Replace(strings.ToLower(name))
}

// labelNames are what label columns are called, likeliest first.
var labelNames = []string{
	"label", "class", "attacklabel", "binarylabel", "attackcat", "attack", "attacktype", "category", "outcome",
	"target", "anomaly",
	"isanomaly", "isattack", "malicious", "type", "y", "trafficcategory", "stage", "mitreattacktactics", "labeltactic",
}

// benignTexts are what benign traffic is called.
var benignTexts = []string{
	"benign", "normal", "normal traffic", "background", "legitimate", "clean", "0", "false", "good", "normal.",
	"no", "none",
}

// findLabel is the index of the likeliest label column, or −1, and the texts of benign rows in it.
func findLabel(columns []*guess.Column) (at int, benign []string) {
	for _, want := range labelNames {
		for i, c := range columns {
			if truthName(c.Name) == want && len(c.Values) <= fewLevels && len(c.Values) > 0 {
				return i, benignIn(c)
			}
		}
	}
	for i, c := range columns {
		if n := truthName(c.Name); (strings.HasPrefix(n, "label") || strings.HasSuffix(n, "label")) &&
			len(c.Values) > 1 && len(c.Values) <= fewLevels {
			return i, benignIn(c)
		}
	}
	// without a header the label usually stands last, or before the difficulty that NSL-KDD adds
	for last := len(columns) - 1; last > 0 && last >= len(columns)-2; last-- {
		if c := columns[last]; len(c.Values) <= 60 {
			unnamed := c.Name == fmt.Sprintf("c%d", len(columns))
			if b := benignIn(c); b != nil && (c.Kind == guess.Category || unnamed && len(c.Values) == 2) {
				return last, b
			}
		}
	}
	return -1, nil
}

// benignIn is the texts of a label column that usually mean benign traffic.
func benignIn(c *guess.Column) (out []string) {
	for _, want := range benignTexts {
		for v := range c.Values {
			if source.SameLabel(v) == want {
				out = append(out, v)
			}
		}
		if out != nil {
			slices.Sort(out)
			return out
		}
	}
	return nil
}

// attackTexts are what attacks are called where nobody says which; alone in a column 1 and true are such too.
var attackTexts = []string{"attack", "attacks", "malicious", "malware", "anomaly", "anomalous", "abnormal", "intrusion",
	"botnet", "bad"}

func looksLikeAttack(c *guess.Column, v string) bool {
	text := source.SameLabel(v)
	return slices.Contains(attackTexts, text) || len(c.Values) == 1 && (text == "1" || text == "true")
}

// commonestValue is the most frequent text of a label column that does not look like an attack, or "".
func commonestValue(c *guess.Column) string {
	best, top := "", -1
	for v, n := range c.Values {
		if !looksLikeAttack(c, v) && (n > top || n == top && v < best) {
			best, top = v, n
		}
	}
	return best
}
