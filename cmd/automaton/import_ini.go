package automaton

import (
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"plumbline/models/automata/flexfringe"
	"plumbline/models/automata/machine"
)

func (a *app) importINICommand() *cobra.Command {
	var out, model, compat string
	c := &cobra.Command{
		Use:   "import-ini FILE",
		Short: "Turn a FlexFringe ini file into a model's settings",
		Long: `import-ini reads a FlexFringe ini file and prints the settings that mean the same here, as a model's config for
configs/models. Comments after them say how traces are to be cut, and which keys have no effect here and why; DIFFERS
marks those that would change the machine. What the file does not say has FlexFringe's default.`,
		Example: "  plumbline automaton import-ini sm.ini --model sequent --compat v23 > configs/models/sequent-sm.yaml",
		Args:    needs(1, 1, "an ini file"),
		RunE: func(_ *cobra.Command, args []string) error {
			if !slices.Contains([]string{"pdfa", "sequent"}, model) {
				return usage(fmt.Errorf("--model %q: want pdfa or sequent", model))
			}
			if !slices.Contains([]string{"clean", "v26", "v23"}, compat) {
				return usage(fmt.Errorf("--compat %q: want clean, v26 or v23", compat))
			}
			f, err := os.Open(args[0])
			if err != nil {
				return usage(err)
			}
			defer f.Close()
			in, err := flexfringe.ImportINI(f, args[0], machine.Compat(compat))
			if err != nil {
				return usage(err)
			}
			return a.Output(out, args, func(w io.Writer) error { return failed(writeImported(w, in, model)) })
		},
	}
	c.Flags().StringVarP(&out, "out", "o", "", "file to write to instead of stdout")
	c.Flags().StringVar(&model, "model", "pdfa", "whose settings: pdfa or sequent")
	c.Flags().StringVar(&compat, "compat", "v26",
		"the FlexFringe that the file was written for: v26, v23, or clean for neither")
	return c
}

func writeImported(w io.Writer, in *flexfringe.Imported, model string) error {
	if _, err := io.WriteString(w, in.YAML(model)); err != nil {
		return err
	}
	if in.Window > 0 {
		fmt.Fprintf(w, "\n# in the experiment or data config: traces: {window: {kind: count, length: %d, stride: %d}}\n",
			in.Window, in.Stride)
	}
	if in.Spec.Heuristic == "edsm" {
		fmt.Fprintln(w, "\n# edsm needs labelled words: for plumbline automaton learn, not for detectors, which learn from "+
			"benign traces")
	}
	if len(in.Notes) > 0 {
		fmt.Fprintln(w, "\n# without effect here:")
	}
	for _, n := range in.Notes {
		where := "absent"
		if n.Line > 0 {
			where = fmt.Sprintf("line %d", n.Line)
		}
		if _, err := fmt.Fprintf(w, "#   %s: %q = %q: %s\n", where, n.Key, n.Value, n.Text); err != nil {
			return err
		}
	}
	return nil
}
