package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"plumbline/data/synth/capture"
)

func (a *app) simulateCommand() *cobra.Command {
	s := capture.Default()
	var out, truth string
	var force bool
	c := &cobra.Command{
		Use:   "simulate",
		Short: "Make a packet capture of a small office, with attacks",
		Long: `simulate writes a capture (pcap) of an office network: names, web, mail, files, databases and remote shells,
with losses, repetitions, packets out of order and connections that fail, and in the later part of the time attacks:
` + strings.Join(capture.Attacks, ", ") + `. --truth writes a table that says when which addresses took part in
one; label.join of a data config labels flows by it. The same settings give the same bytes.`,
		Example: `  plumbline data simulate -o capture.pcap --seed 1 --minutes 10 --truth truth.csv
  plumbline data simulate -o benign.pcap --seed 2 --minutes 20 --attacks none --snaplen 128`,
		Args: needs(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			if len(s.Attacks) == 1 && s.Attacks[0] == "none" {
				s.Attacks = nil
			}
			if err := s.Check(); err != nil {
				return usage(err)
			}
			for _, file := range []string{out, truth} {
				if err := mayWrite(file, force, nil); err != nil {
					return err
				}
			}
			var done capture.Summary
			err := a.Output(out, nil, func(w io.Writer) (err error) {
				done, err = s.Write(w)
				return failed(err)
			})
			if err != nil {
				return err
			}
			if truth != "" {
				err := a.Output(truth, nil, func(w io.Writer) error {
					return failed(capture.WriteTruth(w, done.Intervals))
				})
				if err != nil {
					return err
				}
			}
			fmt.Fprintf(a.Err, "%d packets, %.1f MB on the wire, %d intervals of attacks\n", done.Packets,
				float64(done.Bytes)/1e6, len(done.Intervals))
			return nil
		},
	}
	f := c.Flags()
	f.StringVarP(&out, "out", "o", "", "capture to write instead of stdout")
	f.StringVar(&truth, "truth", "", "CSV file to write the attacks to")
	f.BoolVar(&force, "force", false, "write over files that are there")
	f.Uint64Var(&s.Seed, "seed", s.Seed, "of the simulation")
	f.Float64Var(&s.Minutes, "minutes", s.Minutes, "simulated time")
	f.IntVar(&s.Clients, "clients", s.Clients, "machines at which people work, 1 to 200")
	f.Float64Var(&s.Rate, "rate", s.Rate, "sessions a minute of a client, each of one to ten connections")
	f.StringSliceVar(&s.Attacks, "attacks", s.Attacks, "which happen, or none")
	f.Float64Var(&s.AttackFrom, "attack-from", s.AttackFrom, "share of the time before the first attack")
	f.TimeVar(&s.Start, "start", s.Start, []string{"2006-01-02T15:04:05Z07:00"}, "time of the beginning")
	f.IntVar(&s.Snaplen, "snaplen", s.Snaplen, "bytes of a packet that are written; 0: all")
	return c
}
