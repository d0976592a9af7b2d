package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"plumbline/configs"
	"plumbline/data"
	"plumbline/data/source"
	"plumbline/runs/bundle"
	"plumbline/runs/experiment"
	"plumbline/runs/usage"
)

// alone reads the rows of the CSV file, or judges as many, in this process, and prints the seconds and processor
// seconds that this took.
func (b *bench) alone(ctx context.Context, part string) error {
	m, err := bundle.Load(filepath.Join(b.dir, "forest.plumb"))
	if err != nil {
		return err
	}
	in, err := m.Input(ctx, []string{filepath.Join(b.dir, "rows.csv")}, bundle.InputOptions{
		Library: experiment.NewLibrary("", configs.Files)})
	if err != nil {
		return err
	}
	var blocks []*data.Table
	rows := 0
	read := func(keep bool) error {
		rows, blocks = 0, nil
		_, err := source.Stream(ctx, in.Config, in.Finder, 0, false, func(t *data.Table, _ float64) error {
			if rows += t.Rows; keep && len(blocks) < 16 {
				all := make([]int32, t.Rows)
				for i := range all {
					all[i] = int32(i)
				}
				t.Origins = []data.Origin{{Name: "block", Rows: t.Rows}}
				blocks = append(blocks, in.Table(t.Only(all)))
			}
			return nil
		})
		return err
	}
	if part == "judge" {
		if err := read(true); err != nil {
			return err
		}
	}
	begun, before := time.Now(), usage.ProcessTime()
	switch part {
	case "read":
		err = read(false)
	case "judge":
		for done, k := 0, 0; done < rows && err == nil; k++ {
			block := blocks[k%len(blocks)]
			_, err = m.Score(ctx, block)
			done += block.Rows
		}
	default:
		err = fmt.Errorf("-alone: there is no %q", part)
	}
	fmt.Println(time.Since(begun).Seconds(), (usage.ProcessTime() - before).Seconds(), rows)
	return err
}

// score measures plumbline score with the isolation forest, lines as CSV to a file, and holds it to what reading alone
// and the model alone take, each in a process of its own with all processors.
func (b *bench) score(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	part := func(name string) (wall, cpu float64, err error) {
		out, err := exec.CommandContext(ctx, self, "-dir", b.dir, "-alone", name).Output()
		if err != nil {
			return 0, 0, fmt.Errorf("%s: %w", name, err)
		}
		var rows int
		_, err = fmt.Sscan(string(out), &wall, &cpu, &rows)
		if err == nil && rows != b.rows {
			err = fmt.Errorf("%s: %d rows, want %d", name, rows, b.rows)
		}
		return wall, cpu, err
	}
	var walls, cpus [3][]float64
	var shares, cpuShares []float64
	n := float64(b.rows)
	for range b.rounds {
		var wall, cpu [3]float64
		for i, name := range []string{"read", "judge"} {
			if wall[i], cpu[i], err = part(name); err != nil {
				return err
			}
		}
		to := filepath.Join(b.dir, "scores.csv")
		cmd := exec.CommandContext(ctx, b.program, "score", b.forest, b.csv, "-o", to, "--force", "--quiet")
		begun := time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(out)))
		}
		wall[2] = time.Since(begun).Seconds()
		cpu[2] = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
		for i := range wall {
			walls[i], cpus[i] = append(walls[i], n/wall[i]), append(cpus[i], n/cpu[i])
		}
		shares = append(shares, 100*(wall[0]+wall[1])/wall[2])
		cpuShares = append(cpuShares, 100*(cpu[0]+cpu[1])/cpu[2])
	}
	fmt.Printf("\nplumbline score, isolation forest, %d rows of CSV to CSV: median, least to most of %d rounds\n\n",
		b.rows, b.rounds)
	fmt.Println("| | rows/s by the clock | rows a CPU second |\n| --- | --- | --- |")
	for i, name := range []string{"reading alone, r", "the model alone, s", "score"} {
		fmt.Printf("| %s | %s | %s |\n", name, spread(walls[i]), spread(cpus[i]))
	}
	fmt.Printf("| score, %% of 1/(1/r + 1/s) | %s | %s |\n", spread(shares), spread(cpuShares))
	return nil
}
