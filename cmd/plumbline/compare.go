package main

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"plumbline/eval"
	"plumbline/runs/compare"
	"plumbline/runs/record"
)

func (a *app) compareCommand() *cobra.Command {
	var metric, format, out string
	var columns []string
	var published bool
	c := &cobra.Command{
		Use:   "compare RUNDIR…",
		Short: "Set finished runs side by side",
		Long: `compare ranks the models of one or more run directories, per data set, by the mean of a metric over their
seeds and folds, with standard deviation, 95 % interval and what it is over: seeds (Student's t), folds, whose
values are means over seeds, or the choice of test units for a model that was trained once. A metric that only
describes, such as the threshold, ranks nothing. Cells that failed are counted, not hidden; so are those that are
missing or whose files are not what the run wrote, and then stderr names the files and the exit code is 1.`,
		Example: `  plumbline compare runs/20240101-120000-quickstart
  plumbline compare runs/*-nsl-kdd-baselines --metric auprc --format markdown
  plumbline compare runs/20240101-120000-quickstart --metric accuracy --columns precision,recall --published`,
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
			table, err := compare.Compare(records, metric, columns)
			if err != nil {
				return usage(err)
			}
			if published {
				if err := table.AddPublished(); err != nil {
					return failed(err)
				}
			}
			if err := a.output(out, args, func(w io.Writer) error { return usage(table.Render(w, format)) }); err != nil {
				return err
			}
			return a.faults(records...)
		},
	}
	c.Flags().StringVar(&metric, "metric", "auroc", "what to rank by: "+strings.Join(eval.MetricNames(), ", "))
	c.Flags().StringVarP(&format, "format", "f", "table", strings.Join(compare.Formats, ", "))
	c.Flags().StringVarP(&out, "out", "o", "", "file to write to instead of stdout")
	c.Flags().StringSliceVar(&columns, "columns", nil, "other metrics to show, in place of the usual ones")
	c.Flags().BoolVar(&published, "published", false,
		"what papers report on data of that name and unit, below each table and in json")
	c.RegisterFlagCompletionFunc("columns", cobra.FixedCompletions(eval.MetricNames(), cobra.ShellCompDirectiveNoFileComp))
	c.RegisterFlagCompletionFunc("metric", cobra.FixedCompletions(eval.MetricNames(), cobra.ShellCompDirectiveNoFileComp))
	c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(compare.Formats, cobra.ShellCompDirectiveNoFileComp))
	return c
}
