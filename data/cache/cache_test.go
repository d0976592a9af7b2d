package cache

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

type meta struct{ N int }

func sample(n int) Arrays {
	a, b, c, d := make([]float32, n), make([]int32, n+1), make([]uint32, 3), []byte("truth")
	for i := range a {
		a[i], b[i] = float32(i)/3, -int32(i)
	}
	return Arrays{"x": a, "rows": b, "class": c, "attack": d, "none": []float32{}}
}

func put(t testing.TB, s *Store, key string, n int) {
	t.Helper()
	if err := s.Put(key, About{"set", "vectors", "1"}, meta{n}, sample(n)); err != nil {
		t.Fatal(err)
	}
}

func TestPutGet(t *testing.T) {
	s := &Store{Dir: t.TempDir(), Limit: 1 << 20}
	if _, err := s.Get("a"); !errors.Is(err, ErrMiss) {
		t.Fatalf("an empty cache: %v", err)
	}
	for _, n := range []int{0, 1, 17, 1000} {
		put(t, s, "a", n)
		e, err := s.Get("a")
		if err != nil {
			t.Fatal(err)
		}
		want := sample(n)
		x, err1 := Array[float32](e, "x", n)
		rows, err2 := Array[int32](e, "rows", -1)
		class, err3 := Array[uint32](e, "class", 3)
		attack, err4 := Array[byte](e, "attack", 5)
		none, err5 := Array[float32](e, "none", 0)
		if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(x, want["x"].([]float32)) || !slices.Equal(rows, want["rows"].([]int32)) ||
			len(class) != 3 || string(attack) != "truth" || len(none) != 0 {
			t.Errorf("%d: %v %v %v %q", n, x, rows, class, attack)
		}
		if string(e.Meta) != fmt.Sprintf(`{"N":%d}`, n) || e.Name != "set" {
			t.Errorf("meta %s of %+v", e.Meta, e.About)
		}
		for what, err := range map[string]error{
			"name": second(Array[float32](e, "y", -1)),
			"type": second(Array[int32](e, "x", -1)),
			"size": second(Array[float32](e, "x", n+1)),
		} {
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("an array of another %s: %v", what, err)
			}
		}
		// what a reader does to its view is nobody else's
		if n > 0 {
			x[0] = 7
			again, err := s.Get("a")
			if err != nil {
				t.Fatal(err)
			}
			if y, _ := Array[float32](again, "x", n); y[0] != 0 {
				t.Error("a write to an array reached the file")
			}
		}
	}
	if err := s.Put("b", About{}, meta{}, Arrays{"x": []int{1}}); err == nil {
		t.Error("an array of int is taken")
	}
}

func second[T any](_ T, err error) error { return err }

// TestDamage: whatever byte changes, and wherever a file ends, the entry is refused and gone.
func TestDamage(t *testing.T) {
	s := &Store{Dir: t.TempDir(), Limit: 1 << 20}
	put(t, s, "a", 5)
	good, err := os.ReadFile(s.path("a"))
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, raw []byte) {
		t.Helper()
		if err := os.WriteFile(s.path("a"), raw, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get("a"); !errors.Is(err, ErrDamaged) {
			t.Fatalf("%s: %v", what, err)
		}
		if _, err := s.Get("a"); !errors.Is(err, ErrMiss) {
			t.Fatalf("%s: the damaged entry is still there: %v", what, err)
		}
	}
	for i := range good {
		raw := slices.Clone(good)
		raw[i] ^= 0x10
		check("byte "+strconv.Itoa(i), raw)
	}
	for n := range good {
		check("cut at "+strconv.Itoa(n), good[:n])
	}
}

// TestChangedInPlace: what happens to the file of an entry that was read does not reach its arrays.
func TestChangedInPlace(t *testing.T) {
	s := &Store{Dir: t.TempDir(), Limit: 1 << 20}
	put(t, s, "a", 10_000)
	e, err := s.Get("a")
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(s.path("a"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(make([]byte, 20_000), 2000); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(3000), f.Close()); err != nil {
		t.Fatal(err)
	}
	x, err := Array[float32](e, "x", 10_000)
	if err != nil || !slices.Equal(x, sample(10_000)["x"].([]float32)) {
		t.Errorf("the arrays are others: %v", err)
	}
	if _, err := s.Get("a"); !errors.Is(err, ErrDamaged) {
		t.Errorf("a file that is cut off: %v", err)
	}
	if _, err := s.Get("a"); !errors.Is(err, ErrMiss) {
		t.Errorf("the damaged entry is still there: %v", err)
	}
	if err := os.Mkdir(s.path("b"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get("b"); !errors.Is(err, ErrDamaged) {
		t.Errorf("a folder in the place of an entry: %v", err)
	}
}

func TestLimit(t *testing.T) {
	s := &Store{Dir: t.TempDir(), Limit: 28_000}
	for i := range 4 {
		put(t, s, strconv.Itoa(i), 600) // about 5 kB each
		old := time.Now().Add(time.Duration(i-10) * time.Minute)
		os.Chtimes(s.path(strconv.Itoa(i)), old, old)
	}
	if _, err := s.Get("0"); err != nil { // now the last used
		t.Fatal(err)
	}
	if info, err := os.Stat(s.path("0")); err != nil || time.Since(info.ModTime()) > time.Minute {
		t.Fatalf("not marked as used: %v", err)
	}
	earlier := time.Now().Add(-time.Minute) // the clock of new files may be some milliseconds behind that of marks
	os.Chtimes(s.path("0"), earlier, earlier)
	if err := os.WriteFile(filepath.Join(s.Dir, "1"+unsure), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-2 * stale)
	os.Chtimes(filepath.Join(s.Dir, "1"+unsure), long, long)
	put(t, s, "new", 1000)
	list, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	total := int64(0)
	var keys []string
	for _, l := range list {
		total += l.Bytes
		keys = append(keys, l.Key)
	}
	if total > s.Limit || len(keys) < 3 || !slices.Equal(keys[:3], []string{"new", "0", "3"}) ||
		slices.Contains(keys, "1") {
		t.Errorf("%v are left, %d bytes", keys, total)
	}
	if left, _ := filepath.Glob(filepath.Join(s.Dir, "*"+unsure)); left != nil {
		t.Errorf("%v is left of a killed process", left)
	}
	put(t, s, "huge", 10_000)
	if _, err := s.Get("huge"); !errors.Is(err, ErrMiss) {
		t.Errorf("an entry larger than the limit: %v", err)
	}
	if n, _, err := s.Clear("other"); n != 0 || err != nil {
		t.Errorf("%d entries of another data set are cleared, %v", n, err)
	}
	if n, _, err := s.Clear(""); n != len(list) || err != nil {
		t.Errorf("%d of %d entries are cleared, %v", n, len(list), err)
	}
}

// far keeps entries in a folder.
type far string

func (f far) Fetch(name, path string) error {
	raw, err := os.ReadFile(filepath.Join(string(f), name))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, raw, 0o644)
}

func (f far) Send(name, path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(string(f), name), raw, 0o644)
}

// TestFar: what one machine has made another one reads; a damaged entry is made anew for all.
func TestFar(t *testing.T) {
	shared := far(t.TempDir())
	one := &Store{Dir: t.TempDir(), Limit: 1 << 20, Far: shared}
	two := &Store{Dir: filepath.Join(t.TempDir(), "new"), Limit: 1 << 20, Far: shared}
	if _, err := two.Get("a"); !errors.Is(err, ErrMiss) {
		t.Fatalf("nothing is there: %v", err)
	}
	put(t, one, "a", 100)
	for range 2 { // from far, then from here
		e, err := two.Get("a")
		if err != nil {
			t.Fatal(err)
		}
		if x, err := Array[float32](e, "x", 100); err != nil || x[99] != 33 {
			t.Errorf("%v, %v", x, err)
		}
		if err := os.RemoveAll(string(shared)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(string(shared), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(string(shared), "b"+extension), []byte("plumb.1\nwrong"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := two.Get("b"); !errors.Is(err, ErrDamaged) {
		t.Errorf("a damaged entry: %v", err)
	}
	put(t, two, "b", 10)
	if _, err := one.Get("b"); err != nil {
		t.Errorf("made anew: %v", err)
	}
	two.Limit = 100
	if _, err := two.Get("a"); err != nil {
		t.Fatal(err)
	}
}

func TestKeys(t *testing.T) {
	again := Key("a")
	if Key("ab", "c") == Key("a", "bc") || Key("a") == Key("a", "") || again != Key("a") {
		t.Error("keys collide or differ")
	}
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte("abc"), 0o644); err != nil {
		t.Fatal(err)
	}
	if sum, err := File(file); err != nil || sum != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Errorf("%s %v", sum, err) // FIPS 180-2, appendix B.1
	}
	if _, err := File(file + "x"); err == nil {
		t.Error("a missing file has a hash")
	}
}

// TestProcesses: several processes write, read and evict the same few entries; nobody ever sees half of one.
func TestProcesses(t *testing.T) {
	if dir := os.Getenv("PLUMBLINE_CACHE_CHILD"); dir != "" {
		child(t, dir)
		return
	}
	dir := t.TempDir()
	var children []*exec.Cmd
	for range 3 {
		c := exec.Command(os.Args[0], "-test.run", "^TestProcesses$")
		c.Env = append(os.Environ(), "PLUMBLINE_CACHE_CHILD="+dir)
		out := &strings.Builder{}
		c.Stdout, c.Stderr = out, out
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		children = append(children, c)
	}
	for _, c := range children {
		if err := c.Wait(); err != nil {
			t.Errorf("%v\n%s", err, c.Stdout)
		}
	}
}

func child(t *testing.T, dir string) {
	s := &Store{Dir: dir, Limit: 60_000}
	hits := 0
	for i := range 300 {
		n := 1000 * (1 + i%7)
		key := strconv.Itoa(n)
		e, err := s.Get(key)
		if errors.Is(err, ErrMiss) {
			put(t, s, key, n)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		hits++
		x, err := Array[float32](e, "x", n)
		if err != nil || x[n-1] != float32(n-1)/3 {
			t.Fatalf("%v, %v", x[n-1], err)
		}
	}
	if hits == 0 {
		t.Error("no entry was ever read")
	}
}

func FuzzEntry(f *testing.F) {
	s := &Store{Dir: f.TempDir(), Limit: 1 << 20}
	put(f, s, "a", 3)
	raw, err := os.ReadFile(s.path("a"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw[:len(raw)-4])
	f.Fuzz(func(t *testing.T, raw []byte) {
		// with a check sum that fits, so that what comes after it is tried as well
		raw = binary.LittleEndian.AppendUint32(slices.Clone(raw), crc32.Checksum(raw, castagnoli))
		e, err := parse(raw)
		if err != nil {
			return
		}
		for name := range e.arrays {
			if x, err := Array[float32](e, name, -1); err == nil && len(x) > 0 {
				_ = x[len(x)-1]
			}
			if b, err := Array[byte](e, name, -1); err == nil && len(b) > 0 {
				_ = b[len(b)-1]
			}
		}
	})
}
