package derive

import (
	"fmt"
	"math"
	"reflect"
	"runtime/debug"
	"slices"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"

	"plumbline/data"
	"plumbline/numeric/parallel"
)

// maxNodes bounds an expression: a person writes a few dozen.
const maxNodes = 1000

// program is an expression that was checked.
type program struct {
	code    *vm.Program
	uses    []string // columns, in order of name
	result  data.ColumnType
	boolean bool
}

var numeric = []struct {
	name string
	of   func(float64) float64
}{{"log", math.Log}, {"log1p", math.Log1p}, {"sqrt", math.Sqrt}, {"exp", math.Exp}}

// compile checks an expression against the columns that are known; where others says so, there may be more, of any
// type.
func compile(text string, columns map[string]data.ColumnType, others bool) (*program, error) {
	env := map[string]any{}
	for name, kind := range columns {
		env[name] = 0.0
		if kind == data.Category || kind == data.Address {
			env[name] = ""
		}
	}
	names := &columnNames{known: env, others: others, uses: map[string]bool{}}
	options := []expr.Option{
		expr.Env(env), expr.Patch(names), expr.MaxNodes(maxNodes), expr.DisableAllBuiltins(),
		expr.Function("missing", func(v ...any) (any, error) {
			switch x := v[0].(type) {
			case float64:
				return math.IsNaN(x), nil
			case string:
				return x == "", nil
			}
			return false, nil
		}, new(func(any) bool)),
	}
	for _, b := range []string{"abs", "ceil", "floor", "round", "min", "max", "int", "float", "lower", "upper", "trim"} {
		options = append(options, expr.EnableBuiltin(b))
	}
	for _, n := range numeric {
		options = append(options, expr.Function(n.name, func(v ...any) (any, error) {
			return n.of(v[0].(float64)), nil
		}, new(func(float64) float64)))
	}
	if others {
		options = append(options, expr.AllowUndefinedVariables())
	}
	code, err := safeCompile(text, options)
	if names.missing != "" {
		return nil, fmt.Errorf("expr %q: no column %q; there are %s", text, names.missing, known(columns))
	}
	if err != nil {
		return nil, fmt.Errorf("expr %q: %w", text, err)
	}
	p := &program{code: code, result: data.Number}
	for name := range names.uses {
		p.uses = append(p.uses, name)
	}
	slices.Sort(p.uses)
	switch kind := code.Node().Type(); kind.Kind() {
	case reflect.Float64, reflect.Int, reflect.Float32, reflect.Int64:
	case reflect.Interface: // a whole number or a fraction, or of columns that are not known yet
	case reflect.Bool:
		p.boolean = true
	case reflect.String:
		p.result = data.Category
	default:
		return nil, fmt.Errorf("expr %q is of type %v: want a number, a text, or true or false", text, kind)
	}
	return p, nil
}

// safeCompile is expr.Compile, whose panics on odd input are errors.
func safeCompile(text string, options []expr.Option) (p *vm.Program, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("cannot be compiled: %v (%d bytes of stack)", r, len(debug.Stack()))
		}
	}()
	return expr.Compile(text, options...)
}

// columnNames turns col("a name") and dotted names into columns, and notes which columns an expression uses.
type columnNames struct {
	known   map[string]any
	others  bool
	uses    map[string]bool
	missing string // the first column that is not there
}

// Visit looks at one node.
func (c *columnNames) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.CallNode:
		callee, ok := n.Callee.(*ast.IdentifierNode)
		if !ok || callee.Value != "col" || len(n.Arguments) != 1 {
			return
		}
		if text, ok := n.Arguments[0].(*ast.StringNode); ok {
			c.use(node, text.Value)
		}
	case *ast.MemberNode:
		if name, ok := dotted(n); ok && (c.has(name) || c.others) {
			c.use(node, name)
		}
	case *ast.IdentifierNode:
		if c.has(n.Value) {
			c.uses[n.Value] = true
		}
	}
}

func (c *columnNames) has(name string) bool { _, ok := c.known[name]; return ok }

func (c *columnNames) use(node *ast.Node, name string) {
	if !c.has(name) && !c.others {
		if c.missing == "" {
			c.missing = name
		}
		return
	}
	c.uses[name] = true
	ast.Patch(node, &ast.IdentifierNode{Value: name})
}

// dotted is a name such as id.orig_p, which reads as a member of id.
func dotted(n *ast.MemberNode) (string, bool) {
	member, ok := n.Property.(*ast.StringNode)
	if !ok || n.Optional {
		return "", false
	}
	switch of := n.Node.(type) {
	case *ast.IdentifierNode:
		return of.Value + "." + member.Value, true
	case *ast.MemberNode:
		head, ok := dotted(of)
		return head + "." + member.Value, ok
	}
	return "", false
}

// types are the columns of a table by name.
func types(t *data.Table) map[string]data.ColumnType {
	out := map[string]data.ColumnType{}
	for i := range t.Columns {
		out[t.Columns[i].Name] = t.Columns[i].Type
	}
	return out
}

// addExpr adds the column that the expression makes.
func (s Spec) addExpr(t *data.Table, workers int) error {
	if err := fresh(t, s.Name); err != nil {
		return err
	}
	p, err := compile(s.Expr, types(t), false)
	if err != nil {
		return err
	}
	out := data.Column{Name: s.Name, Type: p.result}
	var texts []string
	if p.result == data.Number {
		out.Num = make([]float64, t.Rows)
	} else {
		texts = make([]string, t.Rows)
	}
	err = p.run(t, workers, func(row int, v any) error {
		if texts != nil {
			texts[row], _ = v.(string)
			return nil
		}
		x, err := number(v)
		if math.IsInf(x, 0) {
			x = math.NaN()
		}
		out.Num[row] = x
		return err
	})
	if err != nil {
		return fmt.Errorf("expr %q: %w", s.Expr, err)
	}
	if texts != nil {
		out.Code = make([]uint32, t.Rows)
		ids := map[string]uint32{}
		for i, text := range texts {
			if text == "" {
				out.Code[i] = data.Missing
				continue
			}
			id, ok := ids[text]
			if !ok {
				id = uint32(len(out.Levels))
				ids[text] = id
				out.Levels = append(out.Levels, text)
			}
			out.Code[i] = id
		}
	}
	t.Columns = append(t.Columns, out)
	return nil
}

func number(v any) (float64, error) {
	switch x := v.(type) {
	case float64:
		return x, nil
	case int:
		return float64(x), nil
	case int64:
		return float64(x), nil
	case float32:
		return float64(x), nil
	case bool:
		if x {
			return 1, nil
		}
		return 0, nil
	}
	return 0, fmt.Errorf("%v is of type %T, not a number", v, v)
}

// run evaluates the expression for every row, on up to workers goroutines; take is called once a row.
func (p *program) run(t *data.Table, workers int, take func(row int, v any) error) error {
	columns := make([]*data.Column, len(p.uses))
	for i, name := range p.uses {
		c, err := t.Column(name)
		if err != nil {
			return err
		}
		columns[i] = c
	}
	workers = max(1, min(workers, t.Rows/4096))
	errs := make([]error, workers)
	var wg parallel.Group
	for w := range workers {
		wg.Go(func() {
			machine, env := vm.VM{}, make(map[string]any, len(columns))
			for row := w * t.Rows / workers; row < (w+1)*t.Rows/workers; row++ {
				for i, c := range columns {
					env[p.uses[i]] = valueOf(c, row)
				}
				v, err := machine.Run(p.code, env)
				if err == nil {
					err = take(row, v)
				}
				if err != nil {
					errs[w] = fmt.Errorf("%s: %w", t.Where(int32(row)), err)
					return
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func valueOf(c *data.Column, row int) any {
	switch c.Type {
	case data.Number:
		return c.Num[row]
	case data.Time:
		if v := c.Nanos[row]; v != data.NoTime {
			return float64(v) / 1e9
		}
		return math.NaN()
	}
	return c.Level(int32(row))
}
