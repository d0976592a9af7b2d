package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"plumbline/cmd/command"
	"plumbline/configs/settings"
	"plumbline/data/export"
	"plumbline/data/flows"
)

// flowSettings are the flags of data flows.
type flowSettings struct {
	as, out, checksums string
	set                []string
	key                command.Pseudonyms
	force              bool
	flows.Settings
}

func (a *app) flowsCommand() *cobra.Command {
	s := flowSettings{Settings: flows.Settings{MaxOpen: flows.DefaultMaxOpen}}
	var kinds []string
	for _, name := range flows.Names() {
		info, _ := flows.Lookup(name)
		kinds = append(kinds, "  "+name+strings.Repeat(" ", max(1, 9-len(name)))+info.Doc)
	}
	c := &cobra.Command{
		Use:   "flows CAPTURE…",
		Short: "Make flows of packet captures, in the columns of a tool",
		Long: `flows reads captures, pcap or pcapng, plain or compressed, one after the other as one stream ("-" is the
standard input), and writes their flows in the columns of --as:

` + strings.Join(kinds, "\n") + `

The name of --out says the format: .parquet, .csv, .ndjson or .log (a log as Zeek writes it), all but the first also
with .gz or .zst; without it CSV goes to stdout. Memory does not grow with the captures: at most --max-open connections
are open at a time. A data config with format: pcap takes captures where others take tables.`,
		Example: `  plumbline data flows capture.pcap --as zeek -o conn.log
  plumbline data flows capture.pcap --as zeek --set tcp_idle=600 --set local_nets=[10.0.0.0/8] -o flows.csv.gz`,
		Args: needs(1, -1, "a capture"),
		RunE: func(c *cobra.Command, args []string) error { return a.flows(c, args, &s) },
	}
	f := c.Flags()
	f.StringVar(&s.as, "as", "", "the tool whose columns the flows have: "+strings.Join(flows.Names(), ", "))
	f.StringVarP(&s.out, "out", "o", "", "file to write instead of stdout")
	f.StringArrayVar(&s.set, "set", nil, "a setting of the tool, such as a time-out, as KEY=VALUE (repeatable)")
	f.BoolVar(&s.Tunnels, "tunnels", false, "open GRE, ERSPAN, VXLAN, GENEVE and IP within IP")
	f.StringVar(&s.checksums, "checksums", "", "check: leave packets with wrong checksums out; ignore: count them; "+
		"default what the tool does")
	f.BoolVar(&s.VLAN, "vlan", false, "keep connections of different VLANs apart")
	f.IntVar(&s.MaxOpen, "max-open", s.MaxOpen, "connections that are open at a time")
	s.key.Flag(c)
	f.BoolVar(&s.force, "force", false, "write over a file that is there")
	f.BoolVarP(&a.Quiet, "quiet", "q", false, "no progress on stderr")
	_ = c.RegisterFlagCompletionFunc("as", cobra.FixedCompletions(flows.Names(), cobra.ShellCompDirectiveNoFileComp))
	return c
}

// vocabulary is the tool of --as with the settings of --set.
func (s *flowSettings) vocabulary() (flows.Vocabulary, error) {
	if s.as == "" {
		return nil, fmt.Errorf("--as: want one of %v", flows.Names())
	}
	info, err := flows.Lookup(s.as)
	if err != nil {
		return nil, fmt.Errorf("--as: %w", err)
	}
	node, err := settings.Parse("--set", []byte("{}"))
	if err != nil {
		return nil, err
	}
	v := info.New()
	for _, kv := range s.set {
		key, _, _ := strings.Cut(kv, "=")
		if !settings.IsOverride(kv) {
			return nil, fmt.Errorf("--set %q: want KEY=VALUE", kv)
		}
		if ps := settings.ApplyOverrides(&node, []string{"+" + strings.TrimPrefix(kv, "+")}); len(ps) > 0 {
			return nil, fmt.Errorf("--set %s: %w", key, ps)
		}
	}
	if ps := node.Decode(v); len(ps) > 0 {
		return nil, ps
	}
	return v, v.Check()
}

func (a *app) flows(c *cobra.Command, captures []string, s *flowSettings) error {
	v, err := s.vocabulary()
	if err != nil {
		return usage(err)
	}
	switch s.checksums {
	case "":
	case "check", "ignore":
		check := s.checksums == "check"
		s.Checksums = &check
	default:
		return usage(fmt.Errorf("--checksums %q: want check or ignore", s.checksums))
	}
	if i := slices.Index(captures, "-"); i >= 0 && slices.Contains(captures[i+1:], "-") {
		return usage(errors.New("the standard input (-) is read once"))
	}
	if s.MaxOpen < 1 {
		return usage(errors.New("--max-open: want at least 1"))
	}
	hidden, err := s.key.Mapper()
	if err != nil {
		return err
	}
	if s.out != "" {
		if _, _, err := export.StreamFormat(s.out); err != nil {
			return usage(err)
		}
	}
	if err := mayWrite(s.out, s.force, captures); err != nil {
		return err
	}
	// an interrupt takes the unfinished file away
	ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	files := &flows.Files{Paths: captures}
	columns, types := flows.TableColumns(v), flows.LogTypes(v)
	var out *export.Stream
	if s.out == "" {
		out, err = export.To(a.Raw, "csv", columns, types)
	} else {
		out, err = export.Create(s.out, columns, types)
	}
	if err != nil {
		return usage(err)
	}
	defer out.Abort()
	done := a.flowProgress(files)
	rep, err := flows.Write(ctx, files, v, s.Settings, hidden, runtime.GOMAXPROCS(0), out)
	done()
	if err == nil {
		err = out.Close()
	}
	if err != nil {
		return failed(err)
	}
	for _, w := range rep.Says() {
		fmt.Fprintf(a.Err, "warning: %s\n", w)
	}
	if s.out != "" {
		fmt.Fprintf(a.Out, "%s: %d flows of %d packets, %.1f MB on the wire\n", s.out, rep.Records, rep.Packets,
			float64(rep.Bytes)/1e6)
	}
	return nil
}

// flowProgress prints a line about every two seconds until the function that it gives is called.
func (a *app) flowProgress(f *flows.Files) (done func()) {
	if a.Quiet {
		return func() {}
	}
	total := int64(0)
	for _, p := range f.Paths {
		st, err := os.Stat(p)
		if err != nil || !st.Mode().IsRegular() {
			total = 0
			break
		}
		total += st.Size()
	}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(2 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-end:
				return
			case <-tick.C:
				share := ""
				if total > 0 {
					share = fmt.Sprintf(" (%d %%)", 100*f.Bytes()/total)
				}
				fmt.Fprintf(a.Err, "%.1f MB read%s\n", float64(f.Bytes())/1e6, share)
			}
		}
	}()
	return func() { close(end); <-ended }
}
