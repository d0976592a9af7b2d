package runs

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"plumbline/runs/experiment"
	"plumbline/runs/record"
)

// ParseCells reads numbers of cells, from 1: "7", "1-4" or several with commas between them. They come in ascending
// order, each once.
func ParseCells(text string) ([]int, error) {
	out := []int{}
	for one := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(one), "-")
		from, err := strconv.Atoi(first)
		to := from
		if err == nil && isRange {
			to, err = strconv.Atoi(last)
		}
		if err != nil || from < 1 || to < from || to-from >= maxCells {
			return nil, fmt.Errorf("%q names no cells: want a number, FIRST-LAST, or several with commas", one)
		}
		for n := from; n <= to; n++ {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// ErrNoCell is wrapped by errors that name a cell that the plan of a run does not have.
var ErrNoCell = errors.New("there is no cell")

// NamedCells is the numbers of cells of a run that have these names, or whose names alone hold them.
func NamedCells(dir string, lo experiment.LoadOptions, names []string) ([]int, error) {
	e, err := experiment.Load(filepath.Join(dir, "experiment.yaml"), lo)
	if err != nil {
		return nil, err
	}
	var cells []string
	for _, c := range e.Plan() {
		cells = append(cells, c.Path())
	}
	var out []int
	for _, name := range names {
		found := record.Fitting(cells, name)
		switch len(found) {
		case 0:
			return nil, fmt.Errorf("runs: %w %q in %s", ErrNoCell, name, dir)
		case 1:
			out = append(out, found[0]+1)
		default:
			return nil, fmt.Errorf("runs: %q fits %d cells, first: %s and %s", name, len(found), cells[found[0]],
				cells[found[1]])
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// maxCells is the most cells that a range may name.
const maxCells = 10_000_000

// FormatCells is the shortest text that ParseCells reads as these numbers, which ascend.
func FormatCells(numbers []int) string {
	var b strings.Builder
	for i := 0; i < len(numbers); {
		k := i
		for k+1 < len(numbers) && numbers[k+1] == numbers[k]+1 {
			k++
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(numbers[i]))
		if k > i {
			b.WriteString("-" + strconv.Itoa(numbers[k]))
		}
		i = k + 1
	}
	return b.String()
}
