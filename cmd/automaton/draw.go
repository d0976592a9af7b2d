package automaton

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"plumbline/models/automata/flexfringe"
)

func (a *app) drawCommand() *cobra.Command {
	var out, format string
	c := &cobra.Command{
		Use:   "draw MACHINE|RUNDIR/CELL",
		Short: "Draw a machine as DOT or SVG",
		Long: `draw writes a machine as DOT, which every command here reads back, or as SVG when Graphviz's dot is
installed. The format follows from --format or the name of --out. Without dot an SVG cannot be made: the DOT text is
written instead, into a file that ends in .dot, with a note on stderr.

Red states are solid boxes, blue ones dashed, sinks grey. A state shows its id, the words through it (#), the words
that end and that go on by label, and both sums; an edge its symbols and their counts.`,
		Example: "  plumbline automaton draw letters.json > letters.dot\n" +
			"  plumbline automaton draw letters.json -o letters.svg\n" +
			"  plumbline automaton draw runs/20240101-120000-quickstart/markov > markov.dot",
		Args: needs(1, 1, "a machine, or a cell of a run"),
		RunE: func(c *cobra.Command, args []string) error {
			if format == "" {
				format = "dot"
				if strings.EqualFold(filepath.Ext(out), ".svg") {
					format = "svg"
				}
			}
			if format != "dot" && format != "svg" {
				return usage(fmt.Errorf("--format %q: want dot or svg", format))
			}
			m, err := readMachine(args[0])
			if err != nil {
				return err
			}
			var text bytes.Buffer
			if err := flexfringe.WriteDOT(m, &text); err != nil {
				return failed(err)
			}
			drawing := text.Bytes()
			if format == "svg" {
				drawing, err = svg(c.Context(), drawing)
				if err != nil {
					fmt.Fprintf(a.Err, "no SVG: %v; DOT is written instead\n", err)
					drawing = text.Bytes()
					if out != "" {
						out = strings.TrimSuffix(out, filepath.Ext(out)) + ".dot"
					}
				}
			}
			if out != "" {
				fmt.Fprintln(a.Err, out)
			}
			return a.Output(out, args, func(w io.Writer) error { _, err := w.Write(drawing); return failed(err) })
		},
	}
	c.Flags().StringVarP(&out, "out", "o", "", "file to write to instead of stdout")
	c.Flags().StringVar(&format, "format", "", "dot or svg; default from the name of --out, else dot")
	return c
}

// svg lays a drawing out with Graphviz.
func svg(ctx context.Context, dot []byte) ([]byte, error) {
	path, err := exec.LookPath("dot")
	if err != nil {
		return nil, errors.New("the program dot of Graphviz is not installed")
	}
	cmd := exec.CommandContext(ctx, path, "-Tsvg")
	var out, problems bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(dot), &out, &problems
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("dot: %w: %s", err, strings.TrimSpace(problems.String()))
	}
	return out.Bytes(), nil
}
