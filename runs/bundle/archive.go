package bundle

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"plumbline/runs/record"
)

// FileVersion is the format of model files. [Read] refuses a later one.
//
// A model file is two lines of text and a zip archive. The first line is "plumbline-model" and the format; the second
// is "sha256", the hash of the first line and the archive, "bytes" and the size of the archive, both of a fixed width.
// Offsets in the archive count from the beginning of the file, so that unzip reads it as it is. It holds the files of a
// cell's bundle, provenance.json, where the cell has them metrics.json, and the run's experiment.yaml, in the order of
// [members], without times: the same cell gives the same bytes.
const FileVersion = 1

const (
	magic         = "plumbline-model "
	secondLine    = len("sha256 ") + 2*sha256.Size + len(" bytes ") + sizeDigits + 1
	sizeDigits    = 20
	provenanceOf  = "provenance.json"
	metricsName   = "metrics.json"
	experimentOf  = "experiment.yaml"
	maxFirstLine  = len(magic) + 12
	deflateBuffer = 1 << 16
)

// members are the files of a model file, in their order. Those that are optional are left out where there are none.
var members = []string{
	manifestName, specName, prepName, thresholdName, modelName, calibrationName, profileName, provenanceOf, metricsName,
	experimentOf,
}

// optional are the members that a model file may lack.
var optional = []string{calibrationName, profileName, metricsName, experimentOf}

// IsFile says whether a path is that of a file that begins as a model file does.
func IsFile(path string) bool {
	f, err := record.OpenFile(path, maxModel)
	if err != nil {
		return false
	}
	defer f.Close()
	begin := make([]byte, len(magic))
	_, err = io.ReadFull(f, begin)
	return err == nil && string(begin) == magic
}

// pack writes a model file of these contents.
func pack(w io.Writer, contents map[string][]byte) error {
	first := magic + strconv.Itoa(FileVersion) + "\n"
	var body bytes.Buffer
	z := zip.NewWriter(&body)
	z.SetOffset(int64(len(first) + secondLine))
	for _, name := range members {
		raw, ok := contents[name]
		if !ok {
			continue
		}
		f, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
		if err == nil {
			_, err = f.Write(raw)
		}
		if err != nil {
			return fmt.Errorf("bundle: %s: %w", name, err)
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	head := first + sealed(first, body.Bytes())
	if _, err := io.WriteString(w, head); err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	if _, err := w.Write(body.Bytes()); err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	return nil
}

// sealed is the second line of a model file.
func sealed(first string, body []byte) string {
	h := sha256.New()
	io.WriteString(h, first)
	h.Write(body)
	return fmt.Sprintf("sha256 %x bytes %0*d\n", h.Sum(nil), sizeDigits, len(body))
}

// unpack is the contents of a model file, and its hash in hexadecimal digits. Nothing is looked at before the hash is
// found to be right.
func unpack(raw []byte) (contents map[string]*zip.File, hash string, err error) {
	if !bytes.HasPrefix(raw, []byte(magic[:min(len(magic), len(raw))])) || len(raw) == 0 {
		return nil, "", errors.New("not a model file of plumbline: it does not begin with \"" + strings.TrimSpace(magic) +
			"\"")
	}
	end := bytes.IndexByte(raw[:min(len(raw), maxFirstLine)], '\n')
	if end < 0 {
		if len(raw) < maxFirstLine {
			return nil, "", fmt.Errorf("%w: it is cut off after %d bytes", ErrDamaged, len(raw))
		}
		return nil, "", fmt.Errorf("%w: the first line does not say which format it is", ErrDamaged)
	}
	first := string(raw[:end+1])
	version, err := strconv.Atoi(first[len(magic):end])
	switch {
	case err != nil || version < 1:
		return nil, "", fmt.Errorf("%w: the first line says format %q", ErrDamaged, first[len(magic):end])
	case version > FileVersion:
		return nil, "", fmt.Errorf("%w: a model file of format %d, and %d is the last known", ErrVersion, version,
			FileVersion)
	}
	rest := raw[end+1:]
	if len(rest) < secondLine {
		return nil, "", fmt.Errorf("%w: it is cut off after %d bytes", ErrDamaged, len(raw))
	}
	second, body := string(rest[:secondLine]), rest[secondLine:]
	want := sealed(first, body)
	said, sizeErr := strconv.ParseUint(strings.TrimSpace(second[len(second)-sizeDigits-1:]), 10, 63)
	switch {
	case second == want:
	case sizeErr == nil && said > uint64(len(body)) && second[:len("sha256 ")] == "sha256 ":
		return nil, "", fmt.Errorf("%w: it is cut off: %d bytes of %d are there", ErrDamaged, len(raw),
			uint64(end+1+secondLine)+said)
	case sizeErr == nil && said < uint64(len(body)):
		return nil, "", fmt.Errorf("%w: %d bytes stand after its end", ErrDamaged, uint64(len(body))-said)
	default:
		return nil, "", fmt.Errorf("%w: the hash of its content is %s, and the file says %.80q", ErrDamaged,
			want[len("sha256 "):][:12]+"…", second)
	}
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	contents = map[string]*zip.File{}
	for _, f := range z.File {
		if !slices.Contains(members, f.Name) || contents[f.Name] != nil {
			return nil, "", fmt.Errorf("%w: it holds %.100q, which is no file of a bundle or stands there twice", ErrDamaged,
				f.Name)
		}
		contents[f.Name] = f
	}
	for _, name := range members {
		if contents[name] == nil && !slices.Contains(optional, name) {
			return nil, "", fmt.Errorf("%w: it holds no %s", ErrIncomplete, name)
		}
	}
	return contents, want[len("sha256 "):][:2*sha256.Size], nil
}

// member reads one file of an archive, of at most limit bytes.
func member(f *zip.File, limit int64) ([]byte, error) {
	if f.UncompressedSize64 > uint64(limit) {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are read", ErrDamaged, f.UncompressedSize64, limit)
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	defer r.Close()
	var b bytes.Buffer
	b.Grow(int(min(f.UncompressedSize64, deflateBuffer)))
	n, err := io.Copy(&b, io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	case n > limit:
		return nil, fmt.Errorf("%w: more than %d bytes", ErrDamaged, limit)
	}
	return b.Bytes(), nil
}

// Read opens a model file from a reader; the name is for messages. What is wrong with it wraps ErrDamaged, ErrVersion
// or ErrIncomplete.
func Read(r io.Reader, name string) (*Bundle, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxModel+1))
	if err == nil && len(raw) > maxModel {
		err = fmt.Errorf("%w: more than %d bytes", ErrDamaged, maxModel)
	}
	if err != nil {
		return nil, fmt.Errorf("bundle: %s: %w", name, err)
	}
	return fromArchive(raw, name)
}

// openFile opens a model file on disk.
func openFile(path string) (*Bundle, error) {
	raw, err := record.ReadFile(path, maxModel)
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	return fromArchive(raw, path)
}

func fromArchive(raw []byte, name string) (*Bundle, error) {
	contents, hash, err := unpack(raw)
	if err != nil {
		return nil, fmt.Errorf("bundle: %s: %w", name, err)
	}
	return open(name, hash, func(name string, limit int64) ([]byte, error) {
		f, ok := contents[name]
		if !ok {
			return nil, os.ErrNotExist
		}
		return member(f, limit)
	})
}

// inFolder reads the files of a cell's folder.
func inFolder(folder string) func(name string, limit int64) ([]byte, error) {
	return func(name string, limit int64) ([]byte, error) {
		return record.ReadFile(filepath.Join(folder, name), limit)
	}
}

// hashOf is a hash over what a bundle in a folder holds: of its manifest, which has the hashes of the other files.
func hashOf(manifest []byte) string {
	h := sha256.Sum256(manifest)
	return hex.EncodeToString(h[:])
}
