package use

import (
	"bufio"
	"encoding/json"
	"io"

	"github.com/spf13/cobra"

	"plumbline/cmd/command"
	"plumbline/runs/alerts"
)

func (a *app) alertsExportCommand() *cobra.Command {
	var o alertQuery
	var out, layout string
	var records, force bool
	c := &cobra.Command{
		Use:   "export",
		Short: "Write alerts as a JSON object a line",
		Long: `export writes alerts, oldest first, as a JSON object a line. With --records it writes the rows that they come
from, by column, with the verdict: what an analyst called false is benign traffic that a model can be trained on.`,
		Example: "  plumbline alerts export --store alerts.db --layout zeek-notice\n" +
			"  plumbline alerts export --store alerts.db --verdict false --records -o benign.ndjson",
		Args: needs(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := o.open()
			if err != nil {
				return err
			}
			defer s.Close()
			if err := mayWrite(out, force, []string{o.store}); err != nil {
				return err
			}
			o.q.Oldest = true
			return a.Output(out, []string{o.store}, func(w io.Writer) error {
				b := bufio.NewWriter(w)
				err := s.Each(c.Context(), o.q, func(x *alerts.Alert) error {
					line, err := x.Encode(layout)
					if records {
						if x.Record == nil { // a row without a value
							x.Record = map[string]string{}
						}
						if x.Verdict != "" {
							x.Record["verdict"] = string(x.Verdict)
						}
						line, err = json.Marshal(x.Record)
					}
					if err != nil {
						return usage(err)
					}
					b.Write(line)
					return b.WriteByte('\n')
				})
				if err != nil {
					return err
				}
				return failed(b.Flush())
			})
		},
	}
	o.flags(c)
	c.Flags().StringVar(&layout, "layout", "plumbline", "plumbline, ecs, zeek-notice or text")
	c.Flags().BoolVar(&records, "records", false, "the rows, by column")
	c.Flags().StringVarP(&out, "out", "o", "", "file to write to instead of stdout")
	c.Flags().BoolVar(&force, "force", false, "write over a file that is there")
	c.MarkFlagsMutuallyExclusive("layout", "records")
	command.NeedsOut(c, &out)
	return c
}
