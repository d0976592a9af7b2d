package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"plumbline/runs"
)

// memorySize is the flag --memory: a number of bytes such as 8GB.
type memorySize int64

func (a *app) memoryFlag(c *cobra.Command, to *memorySize) {
	*to = memorySize(runs.MachineMemory())
	c.Flags().Var(to, "memory",
		"what a data set and a model may take together, such as 8GB; 0: any (default the machine's memory)")
	c.Flags().Lookup("memory").DefValue = "" // the machine's would be in the generated manual
}

var memoryUnits = []struct {
	name  string
	bytes float64
}{{"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"tb", 1e12}, {"b", 1}}

// Set takes a number with a unit, or a number of bytes.
func (m *memorySize) Set(text string) error {
	number, unit := strings.ToLower(strings.TrimSpace(text)), 1.0
	for _, u := range memoryUnits {
		if cut, ok := strings.CutSuffix(number, u.name); ok {
			number, unit = strings.TrimSpace(cut), u.bytes
			break
		}
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || !(v >= 0 && v*unit < math.MaxInt64/2) {
		return fmt.Errorf("%q is not a size such as 8GB or 500MB", text)
	}
	*m = memorySize(v * unit)
	return nil
}

func (m *memorySize) String() string { return strconv.FormatInt(int64(*m), 10) }

// Type names the value in the help.
func (m *memorySize) Type() string { return "size" }
