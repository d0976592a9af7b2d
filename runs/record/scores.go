package record

import (
	"bufio"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"

	"plumbline/eval"
)

// ScoresFile is the scores of a cell, in its folder.
const ScoresFile = "scores.csv.zst"

// scoreColumns are the columns of a scores file.
var scoreColumns = []string{"row", "unit", "score", "attack", "class"}

// Scores are the lines of a scores file, one for each unit.
type Scores struct {
	Row   []int32  // of the table: of the unit's first attack, or its first
	Unit  []string // the units' keys; nil where units are rows
	Score []float64
	Truth eval.Truth // without Attack where there are no labels: attack and class are empty then
}

// Write writes the file. Lines are put together by hand, with encoding/csv for texts alone: there are millions of
// them. The fastest level compresses digits as well as the others do; one line is made while another is compressed.
func (s *Scores) Write(w io.Writer) error {
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(2), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return err
	}
	classes := make([]string, len(s.Truth.Names))
	for i, name := range s.Truth.Names {
		classes[i] = field(name)
	}
	out := bufio.NewWriterSize(z, 1<<16)
	out.WriteString(strings.Join(scoreColumns, ",") + "\n")
	var line []byte
	for i, v := range s.Score {
		line = strconv.AppendInt(line[:0], int64(s.Row[i]), 10)
		row := line
		line = append(line, ',')
		if s.Unit != nil {
			line = append(line, field(s.Unit[i])...)
		} else {
			line = append(line, row...)
		}
		line = strconv.AppendFloat(append(line, ','), v, 'g', -1, 64)
		switch {
		case s.Truth.Attack == nil:
			out.Write(append(line, ",,\n"...))
			continue
		case s.Truth.Attack[i]:
			line = append(line, ",1,"...)
		default:
			line = append(line, ",0,"...)
		}
		out.Write(append(append(line, classes[s.Truth.Class[i]]...), '\n'))
	}
	return errors.Join(out.Flush(), z.Close())
}

// field is a text as a field of a CSV file: in quotes where it needs them.
func field(s string) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.Write([]string{s})
	w.Flush()
	return strings.TrimSuffix(b.String(), "\n")
}

// maxWindow bounds the memory that a scores file may ask for to be decompressed.
const maxWindow = 1 << 27

// ScoreLines reads a scores file line by line.
type ScoreLines struct {
	file *os.File
	z    *zstd.Decoder
	csv  *csv.Reader
}

// OpenScores opens the scores of a cell, at their header. A cell that keeps none is an error that is fs.ErrNotExist.
func OpenScores(dir, cell string) (*ScoreLines, error) {
	f, err := OpenFile(filepath.Join(dir, filepath.FromSlash(cell), ScoresFile), maxFile)
	if err != nil {
		return nil, fmt.Errorf("runs: %w", err)
	}
	z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("runs: %s: %w", f.Name(), err)
	}
	return &ScoreLines{f, z, csv.NewReader(z)}, nil
}

// Next is the next line, nil at the end.
func (s *ScoreLines) Next() ([]string, error) {
	row, err := s.csv.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("runs: %s: %w", s.file.Name(), err)
	}
	return row, nil
}

// Close gives the file up.
func (s *ScoreLines) Close() {
	s.z.Close()
	s.file.Close()
}

// ReadScores is the scores of a cell and their truth, which has no Attack where there are no labels.
func ReadScores(dir, cell string) (scores []float64, truth eval.Truth, err error) {
	lines, err := OpenScores(dir, cell)
	if err != nil {
		return nil, truth, err
	}
	defer lines.Close()
	head, err := lines.Next()
	if err == nil && len(head) < len(scoreColumns) {
		err = fmt.Errorf("runs: %s: the header has %d columns", lines.file.Name(), len(head))
	}
	classes := map[string]uint32{}
	for n := 2; err == nil; n++ {
		var line []string
		if line, err = lines.Next(); err != nil || line == nil {
			break
		}
		v, bad := strconv.ParseFloat(line[2], 64)
		if unlabelled := line[3] == "" && truth.Attack == nil; bad == nil && unlabelled {
			scores = append(scores, v)
			continue
		}
		if bad != nil || line[3] != "0" && line[3] != "1" || len(truth.Attack) < len(scores) {
			err = fmt.Errorf("runs: %s:%d: score %q, attack %q", lines.file.Name(), n, line[2], line[3])
			break
		}
		k, ok := classes[line[4]]
		if !ok {
			k = uint32(len(truth.Names))
			classes[line[4]] = k
			truth.Names = append(truth.Names, line[4])
		}
		scores = append(scores, v)
		truth.Attack, truth.Class = append(truth.Attack, line[3] == "1"), append(truth.Class, k)
	}
	return scores, truth, err
}

// UnitsSum is a hash of which units a cell's scores are of, in their order: cells of one sum can be compared with each
// other line by line.
func UnitsSum(dir, cell string) (string, error) {
	lines, err := OpenScores(dir, cell)
	if err != nil {
		return "", err
	}
	defer lines.Close()
	sum := sha256.New()
	for {
		line, err := lines.Next()
		switch {
		case err != nil:
			return "", err
		case line == nil:
			return hex.EncodeToString(sum.Sum(nil)), nil
		case len(line) < len(scoreColumns):
			return "", fmt.Errorf("runs: %s: a line of %d columns", lines.file.Name(), len(line))
		}
		io.WriteString(sum, line[1]+"\x00"+line[3]+"\x00")
	}
}
