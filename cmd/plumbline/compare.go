package main

import (
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"plumbline/cmd/command"
	"plumbline/configs"
	"plumbline/eval"
	"plumbline/runs/compare"
	"plumbline/runs/record"
	"plumbline/runs/visible"
)

func (a *app) compareCommand() *cobra.Command {
	var metric, format, out, diagram string
	var columns, pair, pivot, group []string
	var published, asJSON bool
	c := &cobra.Command{
		Use:   "compare RUNDIR…",
		Short: "Set finished runs side by side",
		Long: `compare ranks the models of one or more run directories, per data set, by the mean of a metric over their
seeds and folds, with standard deviation, 95 % interval and what it is over: seeds (Student's t), folds, whose
values are means over seeds, or the choice of test units for a model that was trained once. A metric that only
describes, such as the threshold, ranks nothing. Cells that failed are counted, not hidden; so are those that are
missing or whose files are not what the run wrote, and then stderr names the files and the exit code is 1.

The best of each data set and those that are not significantly worse are marked.

With --pivot ROWS,COLUMNS the table is another: models against data sets (model,data, which has mean ranks too),
metrics, attack classes (of auroc or recall), seeds or folds, either way round. Each cell is a mean, half the width of
its interval, and how many cells are ok. --group says what names a row, label and run where it does not; runs are joined
with --group label, and what their cells differ in is warned of.

Where the experiment of a run holds what sources report (configs/papers do), each value stands beside ours with the
difference and a verdict: reproduced, not reproduced, or not comparable, with the reason. --published adds what other
papers report on data of that name and unit.

Formats: table for a terminal, markdown, latex (booktabs), html (a fragment), csv, json. Warnings are in each.

With --test A,B two models of one run are compared with each other on the test units that both judged: DeLong's test
for each pair of cells with the same seed and fold, Holm's correction for the number of data sets, and over several
data sets the signed-rank test. McNemar's test of the decisions at the thresholds, a paired bootstrap of AUPRC, the
corrected t-test over folds and the effect size A12 stand below. The last line says what can be claimed.

--test all holds the best model of each data set against each of the others, and over several data sets that with the
best mean rank: Friedman's test with Nemenyi's critical difference, signed ranks with Holm's correction, A12, and the
Bayesian signed-rank test with differences up to .01 as equivalent. It is kept as tests.json; "run" makes it too, where
there are at most 3 million lines of scores. Tables of AUROC mark by it.`,
		Example: `  plumbline compare runs/20240101-120000-quickstart
  plumbline compare runs/*-nsl-kdd-baselines --metric auprc --format markdown
  plumbline compare runs/20240101-120000-quickstart --metric accuracy --columns precision,recall --published
  plumbline compare runs/20240101-120000-quickstart --pivot model,data --format latex
  plumbline compare runs/20240101-120000-quickstart --pivot metric,model --columns auprc,tpr_at_1fpr
  plumbline compare runs/20240101-120000-quickstart --test iforest,znorm
  plumbline compare runs/20240101-120000-quickstart --test all`,
		Args:              needs(1, -1, "one or more run directories"),
		ValidArgsFunction: completeFolders(-1),
		RunE: func(_ *cobra.Command, args []string) error {
			var records []*record.Record
			for _, dir := range args {
				r, err := record.Open(dir)
				if err != nil {
					return usage(err)
				}
				records = append(records, r)
			}
			if len(pair) > 0 {
				return a.test(records, pair, args, out, asJSON)
			}
			if asJSON {
				format = "json"
			}
			if format == "matrix" {
				if pivot == nil {
					pivot = []string{"model", "data"}
				}
				format = "markdown"
			}
			if len(pivot) > 0 && (len(pivot) != 2 || published) {
				return usage(errors.New("--pivot takes two axes, as model,data, and no --published"))
			}
			table, err := compare.CompareBy(records, metric, columns, group)
			if err != nil {
				return usage(err)
			}
			if err := table.AddPublished(configs.Files, published); err != nil {
				return failed(err)
			}
			if diagram != "" {
				over, err := table.OverDataSets()
				if err != nil {
					return usage(err)
				}
				drawing, err := over.Diagram(672)
				if err != nil {
					return usage(err)
				}
				format := strings.TrimPrefix(strings.ToLower(filepath.Ext(diagram)), ".")
				err = a.Output(diagram, args, func(w io.Writer) error { return usage(drawing.Write(w, format)) })
				if err != nil {
					return err
				}
			}
			render := func(w io.Writer) error { return usage(table.Render(w, format)) }
			var pivots []*compare.Pivot
			if pivot != nil {
				if pivots, err = table.Pivot(pivot[0], pivot[1]); err != nil {
					return usage(err)
				}
				render = func(w io.Writer) error { return usage(compare.RenderPivots(w, format, pivots)) }
			}
			plain := func(w io.Writer) error {
				if format == "table" || format == "markdown" {
					w = &visible.Writer{To: w}
				}
				return render(w)
			}
			if err := a.Output(out, args, plain); err != nil {
				return err
			}
			if a.Draws && format == "table" && out == "" {
				if err := a.draw(table, pivots); err != nil {
					return err
				}
			}
			return a.faults(records...)
		},
	}
	c.Flags().StringSliceVar(&pair, "test", nil, "two models, as A,B: paired tests in place of the table; "+
		"all: the best against each other one, and over data sets")
	c.Flags().StringVar(&diagram, "diagram", "",
		"file (.svg, .pdf or .png) for the diagram of critical differences over the data sets")
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON, the tests too")
	c.Flags().StringVar(&metric, "metric", "auroc", "what to rank by: "+strings.Join(eval.MetricNames(), ", "))
	c.Flags().StringVarP(&format, "format", "f", "table",
		strings.Join(compare.Formats, ", ")+"; matrix is markdown of --pivot model,data")
	c.Flags().StringVarP(&out, "out", "o", "", "file to write to instead of stdout")
	c.Flags().StringSliceVar(&columns, "columns", nil, "other metrics to show, in place of the usual ones")
	c.Flags().StringSliceVar(&pivot, "pivot", nil, "rows and columns of the table: model and one of "+
		strings.Join(compare.Axes, ", "))
	c.Flags().StringSliceVar(&group, "group", nil, "what names a row: "+strings.Join(compare.Keys, ", "))
	c.Flags().BoolVar(&published, "published", false,
		"what all papers report on data of that name and unit, not only those that the run's experiment holds")
	for _, name := range []string{"format", "metric", "columns", "pivot", "group", "published", "diagram"} {
		c.MarkFlagsMutuallyExclusive("test", name)
	}
	c.MarkFlagsMutuallyExclusive("format", "json")
	command.Idle(c, func([]string) bool { return len(pivot) > 0 && !slices.Contains(pivot, "metric") },
		"where --pivot has no axis of metrics", "columns")
	c.RegisterFlagCompletionFunc("pivot", cobra.FixedCompletions(append([]string{"model"}, compare.Axes...),
		cobra.ShellCompDirectiveNoFileComp))
	c.RegisterFlagCompletionFunc("group", cobra.FixedCompletions(compare.Keys, cobra.ShellCompDirectiveNoFileComp))
	c.RegisterFlagCompletionFunc("columns", cobra.FixedCompletions(eval.MetricNames(), cobra.ShellCompDirectiveNoFileComp))
	c.RegisterFlagCompletionFunc("metric", cobra.FixedCompletions(eval.MetricNames(), cobra.ShellCompDirectiveNoFileComp))
	c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(compare.Formats, cobra.ShellCompDirectiveNoFileComp))
	return c
}

// draw draws what a table on the terminal shows.
func (a *app) draw(table *compare.Comparison, pivots []*compare.Pivot) error {
	if pivots != nil {
		return drawCurves(a.Out, pivots)
	}
	return drawGroups(a.Out, table.Groups)
}

// test prints the tests of a run: of all models, which are kept in its directory, or of two.
func (a *app) test(records []*record.Record, pair, args []string, out string, asJSON bool) error {
	all := slices.Equal(pair, []string{"all"})
	if len(records) != 1 || !all && len(pair) != 2 {
		return usage(errors.New("--test takes one run directory and two models, as A,B, or all"))
	}
	var tests any
	var text func(io.Writer) error
	if all {
		t, err := compare.MakeTests(records[0], 0)
		if err != nil {
			return usage(err)
		}
		dir := records[0].Dir
		if err := record.NewDirectory(dir).WriteJSON(compare.TestsFile, t); err != nil {
			return failed(err)
		}
		if err := a.Keep(dir, compare.TestsFile); err != nil {
			return failed(err)
		}
		tests, text = t, t.Write
	} else {
		t, err := compare.TestPair(records[0], pair[0], pair[1])
		if err != nil {
			return usage(err)
		}
		tests, text = t, func(w io.Writer) error { _, err := io.WriteString(w, t.Text()); return err }
	}
	err := a.Output(out, args, func(w io.Writer) error {
		if asJSON {
			return failed(command.WriteJSON(w, tests))
		}
		return failed(text(&visible.Writer{To: w}))
	})
	if err != nil {
		return err
	}
	return a.faults(records...)
}
