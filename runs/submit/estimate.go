package submit

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"

	"plumbline/data/input"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
)

// estimates is what cells are thought to take.
type estimates struct {
	seconds func(cell int) float64 // by number
	memory  func(c experiment.Cell, workers int) int64
	notes   []string
}

// size is how large a data set is thought to be.
type size struct {
	rows, columns float64
	how           string
}

// Without a file or a config that tells, a data set is taken for one of the common size.
const usualRows, usualColumns = 100_000, 40

// bytesOfColumn is what a value is taken to have in a text file, its delimiter included.
const bytesOfColumn = 6

// estimate looks at how long cells of the run have taken; what nothing is known of is estimated from rows × columns.
func estimate(dir string, e *experiment.Experiment, plan []experiment.Cell, cpus int) (*estimates, error) {
	measured, err := measuredSeconds(dir, plan)
	if err != nil {
		return nil, err
	}
	out := &estimates{}
	sizes := map[*experiment.DataSet]size{}
	for i := range e.Sets {
		set := &e.Sets[i]
		s := sizeOf(e, set)
		sizes[set] = s
		out.notes = append(out.notes, fmt.Sprintf("%s: estimated for %.3g rows and %.3g columns (%s)", set.Config.Name,
			s.rows, s.columns, s.how))
	}
	seconds := make([]float64, len(plan))
	known, unknown := 0, map[string]bool{}
	for i, c := range plan {
		if s, ok := measured[cellKind(c)]; ok {
			seconds[i] = s
			known++
			continue
		}
		s := sizes[c.Set]
		t, rated := guess(&c, s.rows, s.columns, cpus)
		if seconds[i] = t; !rated {
			unknown[c.Entry.Info.Name] = true
		}
	}
	if known > 0 {
		out.notes = append(out.notes,
			fmt.Sprintf("times of %d cells are the means of what such cells of this run took", known))
	}
	if known < len(plan) {
		out.notes = append(out.notes, fmt.Sprintf("times of %d cells are estimates from rows × columns and the model, of "+
			"one machine, and may be wrong by several times: say launch.time where they are", len(plan)-known))
	}
	for name := range unknown {
		out.notes = append(out.notes, "nothing is known of the time that "+name+" takes: it is taken for a usual one")
	}
	slices.Sort(out.notes[len(out.notes)-len(unknown):])
	out.seconds = func(n int) float64 { return seconds[n-1] }
	out.memory = func(c experiment.Cell, workers int) int64 {
		s := sizes[c.Set]
		return memoryOf(&c, s.rows, s.columns, workers)
	}
	return out, nil
}

// cellKind is what cells that take about the same time have in common.
func cellKind(c experiment.Cell) string { return c.Set.Config.Name + "\x00" + c.Entry.Label }

// measuredSeconds is the mean time of ended cells, by kind.
func measuredSeconds(dir string, plan []experiment.Cell) (map[string]float64, error) {
	kinds := make(map[string]string, len(plan))
	for _, c := range plan {
		kinds[c.Path()] = cellKind(c)
	}
	sum, n := map[string]float64{}, map[string]float64{}
	err := record.ReadSteps(dir, func(_ string, s record.Step) {
		if kind, ok := kinds[s.Cell]; ok && s.Seconds > 0 && s.Status == record.OK {
			sum[kind] += s.Seconds
			n[kind]++
		}
	})
	for kind := range sum {
		sum[kind] /= n[kind]
	}
	return sum, err
}

// sizeOf guesses a data set's size: the rows that its config knows, or its files' bytes over those of a row.
func sizeOf(e *experiment.Experiment, set *experiment.DataSet) size {
	c := set.Config
	if c.Generated() {
		return size{usualRows, usualColumns, "taken for usual: the data is simulated"}
	}
	rows := float64(c.Expect.TrainRows + c.Expect.TestRows)
	paths, err := c.Paths(e.Finder)
	if err != nil || len(paths) == 0 {
		return size{max(rows, usualRows), usualColumns, "its files are not here"}
	}
	columns, perRow := sample(paths[0])
	total := 0.0
	for _, p := range paths {
		total += float64(input.TextSize(p))
	}
	if columns == 0 {
		columns, perRow = usualColumns, usualColumns*bytesOfColumn
	}
	if rows > 0 {
		return size{rows, columns, "rows by its config"}
	}
	if total == 0 {
		return size{usualRows, columns, "taken for usual: its files do not say their size"}
	}
	return size{math.Ceil(total / perRow), columns, "its files' bytes over those of a row"}
}

// sampled is how many bytes of a file are looked at.
const sampled = 1 << 18

// sample is how many columns the lines of a text file have, and how many bytes; 0 of a file that is no text.
func sample(path string) (columns, perRow float64) {
	in, err := input.Open(path)
	if err != nil {
		return 0, 0
	}
	defer in.Close()
	raw, err := io.ReadAll(io.LimitReader(bufio.NewReader(in), sampled))
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) || bytes.IndexByte(raw, 0) >= 0 {
		return 0, 0
	}
	lines := bytes.Split(raw, []byte("\n"))
	if len(lines) < 3 {
		return 0, 0
	}
	whole := lines[1 : len(lines)-1]
	text := 0
	for _, l := range whole {
		text += len(l) + 1
	}
	line := whole[len(whole)/2]
	for _, delimiter := range []string{",", "\t", ";", "|", " "} {
		columns = max(columns, float64(bytes.Count(line, []byte(delimiter))+1))
	}
	return columns, float64(text) / float64(len(whole))
}

// cost is what a model takes to be fitted and to score on the reference, and how that grows.
type cost struct {
	seconds float64 // on referenceRows rows, of which 6 in 10 train, and referenceColumns columns, one processor
	power   float64 // of the rows
}

// guess is the seconds of a cell and whether the model is among those that were measured. The program's start and
// reading are in it.
func guess(c *experiment.Cell, rows, columns float64, cpus int) (float64, bool) {
	k, rated := costs[c.Entry.Info.Name]
	if !rated {
		k = cost{30, 1}
	}
	t := k.seconds * math.Pow(rows/referenceRows, k.power) * columns / referenceColumns
	t *= ratio(c.Entry.Spec, c.Entry.Info.Defaults(), "Epochs") * ratio(c.Entry.Spec, c.Entry.Info.Defaults(), "Trees")
	if cpus > 1 {
		t /= math.Sqrt(float64(cpus)) // few models use all processors all the time
	}
	return 2 + rows*columns*readNanoseconds/1e9 + t, rated
}

// readNanoseconds is what a value takes to be read and prepared.
const readNanoseconds = 150

// ratio is how many times as large a whole-number setting is as by default, 1 where a model has none of that name.
func ratio(spec, usual any, field string) float64 {
	one, two := number(reflect.ValueOf(spec), field), number(reflect.ValueOf(usual), field)
	if one <= 0 || two <= 0 {
		return 1
	}
	return one / two
}

func number(v reflect.Value, field string) float64 {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return 0
		}
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return 0
	}
	f := v.FieldByName(field)
	if !f.IsValid() || !f.CanInt() {
		return 0
	}
	return float64(f.Int())
}

// What a process has before it has read anything, and beside each value of its table: the column, the matrix that
// models see with the columns of categories, and what is garbage meanwhile.
const (
	baseBytes  = 300e6
	valueBytes = 48
)

// memoryOf is the bytes of a task: the table and its matrices once, and for each cell side by side what the model makes
// of the training rows, half as much again for safety.
func memoryOf(c *experiment.Cell, rows, columns float64, workers int) int64 {
	model := c.Entry.Info.FitMemory(c.Entry.Spec, int(0.6*rows), int(columns))
	return int64(1.5 * (baseBytes + rows*columns*valueBytes + float64(workers)*(model+rows*columns*4)))
}
