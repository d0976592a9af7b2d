package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"plumbline/runs/bundle"
)

// trained is the experiment that trains what is served: the shrink auto-encoder is that of sae-cao2019 but for the
// number of epochs, which scoring does not depend on.
const trained = `name: serving
data: [nsl-kdd]
models:
  - iforest
  - {model: sae, params: {tied: true, shrink: 10, latent: znorm, bias: 0, epochs: 3, batch: 100}}
seeds: [1]
controls: off
bootstrap: 0
audit: off
`

// prepare makes the models and the rows, as far as they are not in the folder from before.
func (b *bench) prepare(ctx context.Context) error {
	in := func(name string) string { return filepath.Join(b.dir, name) }
	b.forest, b.shrink, b.csv, b.parquet = in("forest.plumb"), in("shrink.plumb"), in("rows.csv"), in("rows.parquet")
	if err := os.MkdirAll(b.dir, 0o777); err != nil {
		return err
	}
	if _, err := os.Stat(b.shrink); errors.Is(err, os.ErrNotExist) {
		if err := os.WriteFile(in("experiment.yaml"), []byte(trained), 0o666); err != nil {
			return err
		}
		out, err := b.plumbline(ctx, "run", in("experiment.yaml"), "--data", b.data, "--out", b.dir, "--quiet")
		if err != nil {
			return err
		}
		lines := strings.Split(strings.TrimSpace(out), "\n")
		for label, file := range map[string]string{"iforest": b.forest, "sae": b.shrink} {
			if _, err := b.plumbline(ctx, "bundle", lines[len(lines)-1]+"/"+label, "-o", file, "--force"); err != nil {
				return err
			}
		}
	}
	if _, err := os.Stat(b.parquet); errors.Is(err, os.ErrNotExist) {
		if _, err := b.plumbline(ctx, "data", "export", "nsl-kdd", b.parquet, "--data", b.data, "--quiet"); err != nil {
			return err
		}
	}
	b.parquetRows = 125_973 + 22_544
	m, err := bundle.Load(b.forest)
	if err != nil {
		return err
	}
	for _, c := range m.Columns {
		b.names = append(b.names, c.Name)
	}
	if len(b.names) != 41 {
		return fmt.Errorf("NSL-KDD has 41 columns, the model says %d", len(b.names))
	}
	return b.writeRows()
}

// plumbline is what the program prints.
func (b *bench) plumbline(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, b.program, args...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", b.program, strings.Join(args, " "), err, strings.TrimSpace(said.String()))
	}
	return out.String(), nil
}

// lines are those of a file of NSL-KDD, compressed or not.
func (b *bench) lines(name string) ([]string, error) {
	raw, err := os.ReadFile(filepath.Join(b.data, "nsl-kdd", name))
	if errors.Is(err, os.ErrNotExist) {
		var packed []byte
		if packed, err = os.ReadFile(filepath.Join(b.data, "nsl-kdd", name+".gz")); err != nil {
			return nil, err
		}
		z, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return nil, err
		}
		if raw, err = io.ReadAll(z); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimSpace(string(raw)), "\n"), nil
}

// writeRows writes the rows of the test file many times, under a header, and the training file for the peer.
func (b *bench) writeRows() error {
	test, err := b.lines("KDDTest+.txt")
	if err != nil {
		return err
	}
	b.rows = len(test) * b.repeat
	if err := b.peerFiles(); err != nil {
		return err
	}
	out, err := os.Create(b.csv)
	if err != nil {
		return err
	}
	defer out.Close()
	w := bufio.NewWriterSize(out, 1<<20)
	fmt.Fprintln(w, strings.Join(b.names, ","))
	for range b.repeat {
		for _, line := range test {
			fmt.Fprintln(w, strings.Join(strings.Split(line, ",")[:len(b.names)], ","))
		}
	}
	return errors.Join(w.Flush(), out.Close())
}

// record is a row of the test file as the body of a request, for both servers.
func (b *bench) record() ([]byte, error) {
	test, err := b.lines("KDDTest+.txt")
	if err != nil {
		return nil, err
	}
	record := map[string]any{}
	for i, cell := range strings.Split(test[0], ",")[:len(b.names)] {
		if i >= 1 && i <= 3 {
			record[b.names[i]] = cell
		} else {
			record[b.names[i]] = json.Number(cell)
		}
	}
	return json.Marshal(map[string]any{"records": []any{record}})
}
