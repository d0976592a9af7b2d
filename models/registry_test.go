package models

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"plumbline/configs/settings"
	"plumbline/data"
)

type stubSpec struct {
	Epochs int    `yaml:"epochs" jsonschema:"minimum=1"`
	Act    string `yaml:"act" jsonschema:"enum=relu,enum=tanh"`
}

func (s *stubSpec) New(Env) (Detector, error) {
	if err := CheckSpec("stub", s); err != nil {
		return nil, err
	}
	return stub{}, nil
}

type stub struct{}

func (stub) Fit(context.Context, *data.Set) error                { return nil }
func (stub) Score(context.Context, *data.Set) ([]float64, error) { return nil, nil }
func (stub) Save(io.Writer) error                                { return nil }
func (stub) Load(io.Reader) error                                { return nil }

func stubInfo(name string) Info {
	return Info{Name: name, Doc: "d", Paper: "p", Needs: Needs{Input: data.Vectors},
		Defaults: func() Spec { return &stubSpec{5, "relu"} }}
}

// register makes these names all that is in the registry for one test.
func register(t *testing.T, names ...string) {
	t.Helper()
	whole := registry
	registry = map[string]Info{}
	t.Cleanup(func() { registry = whole })
	for _, n := range names {
		Register(stubInfo(n))
	}
}

func TestRegisterPanics(t *testing.T) {
	register(t, "taken")
	change := func(f func(*Info)) Info {
		i := stubInfo("fresh")
		f(&i)
		return i
	}
	for name, c := range map[string]struct {
		info Info
		says string
	}{
		"no name":      {stubInfo(""), "bad name"},
		"capitals":     {stubInfo("OCSVM"), "bad name"},
		"a space":      {stubInfo("oc svm"), "bad name"},
		"taken":        {stubInfo("taken"), "registered twice"},
		"no doc":       {change(func(i *Info) { i.Doc = "" }), "incomplete"},
		"no paper":     {change(func(i *Info) { i.Paper = "" }), "incomplete"},
		"no defaults":  {change(func(i *Info) { i.Defaults = nil }), "incomplete"},
		"no input":     {change(func(i *Info) { i.Needs.Input = 0 }), "incomplete"},
		"unknown kind": {change(func(i *Info) { i.Needs.Input = 9 }), "incomplete"},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if p := fmt.Sprint(recover()); !strings.Contains(p, c.says) {
					t.Errorf("panic %q, want one that says %q", p, c.says)
				}
				delete(registry, "fresh")
			}()
			Register(c.info)
		})
	}
	if _, err := Lookup("fresh"); err == nil {
		t.Error("a refused model is in the registry")
	}
}

func TestLookup(t *testing.T) {
	was := registry // examples bring families in
	registry = map[string]Info{}
	t.Cleanup(func() { registry = was })
	register(t, "iforest", "ae", "ocsvm")
	if got := Names(); !slices.Equal(got, []string{"ae", "iforest", "ocsvm"}) {
		t.Errorf("names %v", got)
	}
	if i, err := Lookup("ae"); err != nil || i.Name != "ae" {
		t.Errorf("%+v, %v", i, err)
	}
	for name, want := range map[string]string{
		"iforrest": `models: unknown model "iforrest"; did you mean "iforest"?`,
		"zebra":    `models: unknown model "zebra"; known: ae, iforest, ocsvm`,
	} {
		if _, err := Lookup(name); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
}

func layer(t *testing.T, file, text string) settings.Node {
	t.Helper()
	d, err := settings.Parse(file, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDecode(t *testing.T) {
	register(t, "stub")
	spec, err := Decode("stub", layer(t, "model.yaml", "epochs: 7\nact: tanh"), settings.Node{},
		layer(t, "exp.yaml", "epochs: 9"))
	if err != nil || *spec.(*stubSpec) != (stubSpec{9, "tanh"}) {
		t.Errorf("%+v, %v", spec, err)
	}
	again, err := Decode("stub")
	if err != nil || *again.(*stubSpec) != (stubSpec{5, "relu"}) {
		t.Errorf("defaults changed to %+v, %v", again, err)
	}
	spec, err = Decode("stub", layer(t, "model.yaml", "epochs: 0\nacts: x"), layer(t, "exp.yaml", "\nact: gelu"))
	want := `model.yaml:1:9: epochs: 0 is out of range: want at least 1
model.yaml:2:1: acts: unknown key; did you mean "act"?
exp.yaml:2:6: act: "gelu" is not one of relu, tanh; did you mean "relu"?`
	var p settings.Problems
	if !errors.As(err, &p) || err.Error() != want || spec != nil {
		t.Errorf("%v\n%v\nwant\n%s", spec, err, want)
	}
	if _, err := Decode("stubb"); err == nil || !strings.Contains(err.Error(), `did you mean "stub"?`) {
		t.Errorf("unknown model: %v", err)
	}
}

func TestCheckSpec(t *testing.T) {
	if _, err := (&stubSpec{1, "relu"}).New(Env{}); err != nil {
		t.Error(err)
	}
	_, err := (&stubSpec{0, "relu"}).New(Env{})
	var p settings.Problems
	if !errors.Is(err, ErrSpec) || !errors.As(err, &p) ||
		err.Error() != "stub: bad hyper-parameter: epochs: 0 is out of range: want at least 1" {
		t.Errorf("%v", err)
	}
}

func TestEnv(t *testing.T) {
	draw := func(seed uint64, stream string) [3]uint64 {
		r := Env{Seed: seed}.Rand(stream)
		return [3]uint64{r.Uint64(), r.Uint64(), r.Uint64()}
	}
	if again := draw(1, "weights"); again != draw(1, "weights") {
		t.Error("one stream, two sequences")
	}
	seen := map[[3]uint64]string{}
	for seed := range uint64(50) {
		for _, stream := range []string{"", "weights", "shuffle"} {
			key := draw(seed, stream)
			if was, ok := seen[key]; ok {
				t.Errorf("seed %d, stream %q draws as %s", seed, stream, was)
			}
			seen[key] = fmt.Sprintf("seed %d, stream %q", seed, stream)
		}
	}
	if (Env{}).Parallel() < 1 || (Env{Workers: -3}).Parallel() < 1 || (Env{Workers: 3}).Parallel() != 3 {
		t.Error("Parallel")
	}
	Env{}.Progress(Epoch{}) // nobody watches
	Env{}.Logger().Info("nobody reads")
	var got []Epoch
	Env{Observe: func(e Epoch) { got = append(got, e) }}.Progress(Epoch{N: 1, Of: 2})
	if len(got) != 1 || got[0].Of != 2 {
		t.Errorf("observed %v", got)
	}
}
