// Command captures makes a large capture by repeating small ones with shifted times and addresses, and times the flows
// that plumbline makes of it beside other tools. The tables of docs/performance.md, from the root of the repository:
//
//	go run ./cmd/speed/captures -fresh CAPTURE…
//
// builds the program, makes a capture of -mb and one of -open connections in a folder for the time being, and measures
// both. Its steps one by one:
//
//	go build -o plumbline ./cmd/plumbline
//	go run ./cmd/speed/captures -out big.pcap -mb 500 CAPTURE…
//	go run ./cmd/speed/captures -out open.pcap -open 1000000
//	go run ./cmd/speed/captures -measure big.pcap -plumbline ./plumbline -rounds 3
//
// Each round runs every tool once, in turn, but for tshark, which runs in the first one alone; tools that are not
// installed are left out. What counts is processor time, user and system, of a tool and of all that it starts; cores is
// that over time by the clock.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() { os.Exit(exit(os.Args[1:])) }

func exit(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, args); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "captures:", err)
		return 1
	}
	return 0
}

func run(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("captures", flag.ContinueOnError)
	out := f.String("out", "", "capture to write, repeated from those that the arguments name")
	megabytes := f.Int("mb", 500, "its size at least, in 1e6 bytes")
	measured := f.String("measure", "", "capture to time the tools on")
	program := f.String("plumbline", "plumbline", "the program")
	connections := f.Int("open", 1_000_000, "connections of a capture of those that are open at a time")
	fresh := f.Bool("fresh", false, "build the program, make both captures of those that the arguments name, and measure")
	rounds := f.Int("rounds", 3, "times that each tool is run, in turn")
	peers := f.String("peers", "argus,tshark,nfpcapd", "the other tools, by the program that they need")
	kinds := f.String("as", "zeek,argus,netflow,cic", "the columns that plumbline makes")
	if err := f.Parse(args); err != nil {
		return err
	}
	opened := false
	f.Visit(func(f *flag.Flag) { opened = opened || f.Name == "open" })
	choose := func(program, peers string) []tool {
		return slices.DeleteFunc(tools(program, strings.Split(*kinds, ",")), func(t tool) bool {
			return t.needs != program && !slices.Contains(strings.Split(peers, ","), t.needs)
		})
	}
	switch {
	case *fresh:
		folder, err := os.MkdirTemp("", "captures")
		if err != nil {
			return err
		}
		defer os.RemoveAll(folder)
		built, big, open := filepath.Join(folder, "plumbline"), filepath.Join(folder, "big.pcap"),
			filepath.Join(folder, "open.pcap")
		build := exec.CommandContext(ctx, "go", "build", "-o", built, "./cmd/plumbline")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("go build: %w", err)
		}
		if err := repeat(big, int64(*megabytes)*1e6, f.Args()); err != nil {
			return err
		}
		if err := measure(ctx, big, choose(built, *peers), *rounds); err != nil {
			return err
		}
		if err := many(open, *connections); err != nil {
			return err
		}
		return measure(ctx, open, choose(built, ""), 1)
	case *out != "" && opened:
		return many(*out, *connections)
	case *out != "":
		return repeat(*out, int64(*megabytes)*1e6, f.Args())
	case *measured != "":
		return measure(ctx, *measured, choose(*program, *peers), *rounds)
	}
	return errors.New("want -fresh, -out or -measure")
}

// tool is a program that makes something of a capture.
type tool struct {
	name  string
	needs string                                // the program
	shell func(capture, folder string) []string // what is run
	once  bool                                  // in the first round alone
	like  string                                // what plumbline does that is the same
}

const plumbline = "plumbline --as "

func tools(program string, kinds []string) []tool {
	var list []tool
	for _, k := range kinds {
		list = append(list, tool{name: plumbline + k, needs: program, shell: func(capture, folder string) []string {
			return []string{program, "data", "flows", capture, "--as", k, "-q", "--force", "--max-open", "4000000", "-o",
				filepath.Join(folder, k+".csv")}
		}})
	}
	pipe := func(text string) func(capture, folder string) []string {
		return func(capture, folder string) []string {
			text := strings.NewReplacer("CAPTURE", "'"+capture+"'", "FOLDER", "'"+folder+"'").Replace(text)
			return []string{"sh", "-c", text}
		}
	}
	return append(list,
		tool{name: "argus, then ra", needs: "argus", like: "argus", shell: pipe("rm -f FOLDER/argus.out; " +
			"argus -r CAPTURE -w FOLDER/argus.out && ra -r FOLDER/argus.out -n -c , > FOLDER/ra.csv")},
		tool{name: "tshark -T fields", needs: "tshark", like: "zeek", once: true, shell: pipe("tshark -n " +
			"-r CAPTURE -T fields -e frame.time_epoch -e ip.src -e ip.dst -e ip.proto -e tcp.srcport " +
			"-e tcp.dstport -e udp.srcport -e udp.dstport -e frame.len > FOLDER/tshark.tsv")},
		tool{name: "nfpcapd", needs: "nfpcapd", like: "netflow", shell: pipe("nfpcapd -r CAPTURE -l FOLDER " +
			"> FOLDER/nfpcapd.log 2>&1")},
	)
}

// measure runs every tool once a round and prints the medians.
func measure(ctx context.Context, capture string, list []tool, rounds int) error {
	folder, err := os.MkdirTemp("", "captures")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	list = slices.DeleteFunc(list, func(t tool) bool {
		_, err := exec.LookPath(t.needs)
		if err != nil {
			fmt.Fprintf(os.Stderr, "left out: %s\n", t.name)
		}
		return err != nil
	})
	cpu, wall := make([][]float64, len(list)), make([][]float64, len(list))
	memory := make([]int64, len(list))
	for round := range rounds {
		for i, t := range list {
			if t.once && round > 0 {
				continue
			}
			args := t.shell(capture, folder)
			cmd := exec.CommandContext(ctx, args[0], args[1:]...)
			cmd.Stderr = os.Stderr
			begun := time.Now()
			if err := cmd.Run(); err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			wall[i] = append(wall[i], time.Since(begun).Seconds())
			cpu[i] = append(cpu[i], (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds())
			memory[i] = max(memory[i], peak(cmd.ProcessState))
		}
	}
	fmt.Println("| tool | CPU s | wall s | cores | peak MB |\n| --- | --- | --- | --- | --- |")
	for i, t := range list {
		c, w := median(cpu[i]), median(wall[i])
		fmt.Printf("| %s | %.2f | %.2f | %.2f | %.0f |\n", t.name, c, w, c/w, float64(memory[i])/1e6)
	}
	for i, t := range list {
		k := slices.IndexFunc(list, func(o tool) bool { return t.like != "" && o.name == plumbline+t.like })
		if k >= 0 {
			fmt.Printf("%s takes %.2f times the processor time of --as %s, %.2f times its time by the clock\n", t.name,
				median(cpu[i])/median(cpu[k]), t.like, median(wall[i])/median(wall[k]))
		}
	}
	return nil
}

func median(v []float64) float64 {
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
