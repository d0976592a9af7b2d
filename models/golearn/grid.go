package golearn

import (
	"fmt"

	"github.com/sjwhitworth/golearn/base"

	"plumbline/data"
)

// view is some rows and columns of a training set, as golearn is shown them.
type view struct {
	train   *data.Set
	rows    []int
	columns []int     // nil: all
	limits  []float64 // of each column: it is binary, set where the value is above; nil: columns are numbers
	numeric bool      // the class is a number, as golearn's CART wants it, not a word
}

// classes are the words of golearn's class attribute.
var classes = [2]string{"benign", "attack"}

// instances is the view as golearn's table. The label is its class attribute and no other.
func (v view) instances() (*base.DenseInstances, error) {
	columns := v.columns
	if columns == nil {
		for j := range v.train.D {
			columns = append(columns, j)
		}
	}
	grid := base.NewDenseInstances()
	specs := make([]base.AttributeSpec, len(columns))
	for k, j := range columns {
		var a base.Attribute = base.NewFloatAttribute(columnName(j))
		if v.limits != nil {
			a = base.NewBinaryAttribute(columnName(j))
		}
		specs[k] = grid.AddAttribute(a)
	}
	present := base.AttributeSpec{} // golearn's naive Bayes counts no class without a bit in any row
	if v.limits != nil {
		present = grid.AddAttribute(base.NewBinaryAttribute("present"))
	}
	var class base.Attribute = base.NewFloatAttribute("class")
	if !v.numeric {
		words := base.NewCategoricalAttribute()
		words.SetName("class")
		for _, w := range classes {
			words.GetSysValFromString(w)
		}
		class = words
	}
	at := grid.AddAttribute(class)
	if err := grid.AddClassAttribute(class); err != nil {
		return nil, fmt.Errorf("golearn: %w", err)
	}
	if err := grid.Extend(len(v.rows)); err != nil {
		return nil, fmt.Errorf("golearn: %w", err)
	}
	for i, r := range v.rows {
		row := v.train.Row(r)
		for k, j := range columns {
			switch {
			case v.limits == nil:
				grid.Set(specs[k], i, base.PackFloatToBytes(float64(row[j])))
			case float64(row[j]) > v.limits[j]:
				grid.Set(specs[k], i, []byte{1})
			default:
				grid.Set(specs[k], i, []byte{0})
			}
		}
		if v.limits != nil {
			grid.Set(present, i, []byte{1})
		}
		truth := 0
		if len(v.train.Attack) > 0 && v.train.Attack[r] {
			truth = 1
		}
		if v.numeric {
			grid.Set(at, i, base.PackFloatToBytes(float64(truth)))
		} else {
			grid.Set(at, i, class.GetSysValFromString(classes[truth]))
		}
	}
	return grid, nil
}

func columnName(j int) string { return fmt.Sprintf("c%d", j) }

// caught runs golearn, which panics where others return an error.
func caught(do func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("golearn: %v", r)
		}
	}()
	if err := do(); err != nil {
		return fmt.Errorf("golearn: %w", err)
	}
	return nil
}

// byTruth is the benign rows and the attacks.
func byTruth(train *data.Set) (rows [2][]int) {
	for i, a := range train.Attack {
		k := 0
		if a {
			k = 1
		}
		rows[k] = append(rows[k], i)
	}
	return rows
}

// every is the numbers of n rows.
func every(n int) []int {
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	return rows
}
