package nn

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"plumbline/numeric/kernel"
)

// problem is rows of structured numbers, and an order to meet them in.
func problem(d, n int) (x []float32, order []int32) {
	r := rand.New(rand.NewPCG(11, 12))
	x = make([]float32, n*d)
	for i := range n {
		a, b := r.NormFloat64(), r.NormFloat64()
		for j := range d {
			x[i*d+j] = float32(math.Sin(a*float64(j%7)) + 0.3*b*float64(j%3))
		}
	}
	return x, shuffled(r, n)
}

func trained(t testing.TB, net Network, x []float32, order []int32, batch, workers, epochs int) (Params, []float64) {
	t.Helper()
	tr, err := fusedEngine{}.New(net, net.NewParams(rand.New(rand.NewPCG(1, 2)), 0.01), workers)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	losses := epochsOf(t, tr, x, x, order, batch, net.Optimiser.Rate, epochs)
	return tr.Params(), losses
}

// TestSameWeightsForAnyWorkers: the number of workers changes no bit, whatever the batch and the optimiser.
func TestSameWeightsForAnyWorkers(t *testing.T) {
	x, order := problem(37, 1000)
	for _, kind := range []string{"adam", "sgd", "adadelta"} {
		net := Network{Layers: Autoencoder(37, []int{24, 5}, Tanh),
			Optimiser: Optimiser{Kind: kind, Rate: 0.003, Momentum: 0.9, Rho: 0.9}}
		for _, batch := range []int{1, 7, 128, 300, 1000, 5000} {
			losses := sameForAnyWorkers(t, fmt.Sprintf("%s, batch %d", kind, batch), func(workers int) (Params, []float64) {
				return trained(t, net, x, order, batch, workers, 2)
			})
			if batch == 7 && losses[1] >= losses[0] {
				t.Errorf("%s: losses %v", kind, losses)
			}
		}
	}
}

// TestPhasedNetworksForAnyWorkers: the same of networks whose steps are cut into phases, and of what is sampled.
func TestPhasedNetworksForAnyWorkers(t *testing.T) {
	x, order := problem(37, 1000)
	normalised := func() Network {
		n := mirrored(37, []int{24, 5}, Linear)
		for i := range n.Layers {
			if i != 1 && i != 3 {
				n.Layers[i].Norm, n.Layers[i].Dropout = true, 0.2
			}
			if i >= 2 {
				n.Layers[i].Tied = 4 - i
			}
		}
		return n
	}
	drawn := normalised().WithVariational(Variational{Alpha: 0.1, Weight: 0.1, Log: true})
	centred := normalised()
	centred.Shrink, centred.Centring, centred.Centres = 1, 0.5, [][]float32{make([]float32, 5), {1, 1, 1, 1, 1}}
	for name, net := range map[string]Network{"normalised": normalised(), "variational": drawn, "centred": centred} {
		net.Optimiser = Optimiser{Kind: "adam", Rate: 0.003}
		for _, batch := range []int{1, 7, 128, 333, 999, 5000} {
			losses := sameForAnyWorkers(t, fmt.Sprintf("%s, batch %d", name, batch), func(workers int) (Params, []float64) {
				return trained(t, net, x, order, batch, workers, 2)
			})
			if batch == 128 && !(losses[1] < losses[0]) {
				t.Errorf("%s: losses %v", name, losses)
			}
		}
	}
}

// TestSameWeightsForAnyInstructions: AVX2, AVX-512 and plain Go learn the same bits.
func TestSameWeightsForAnyInstructions(t *testing.T) {
	if testing.Short() {
		t.Skip("processes of other instructions")
	}
	hash := func() string {
		x, order := problem(37, 700)
		p, _ := trained(t, Network{Layers: Autoencoder(37, []int{24, 5}, Tanh),
			Optimiser: Optimiser{Kind: "adam", Rate: 0.003}}, x, order, 150, 2, 2)
		return fmt.Sprint(p)
	}
	sameForAnyInstructions(t, hash)
}

// sameForAnyInstructions runs the test that calls it again in processes that have AVX2 alone and plain Go alone, and
// compares what weights gives there with what it gives here.
func sameForAnyInstructions(t *testing.T, weights func() string) {
	t.Helper()
	if os.Getenv("PLUMBLINE_TEST_CHILD") != "" {
		fmt.Println("weights", weights())
		return
	}
	isas := map[string][]string{"avx512": {"avx2", "generic"}, "avx2": {"generic"}}[kernel.Name()]
	if isas == nil {
		t.Skipf("this processor, or the tests, have %s", kernel.Name())
	}
	here := "weights " + weights() + "\n"
	for _, isa := range isas {
		cmd := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), "PLUMBLINE_TEST_CHILD=1", "PLUMBLINE_ISA="+isa)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", isa, err, out)
		}
		if !strings.Contains(string(out), here) {
			t.Errorf("%s learns other weights than %s", isa, kernel.Name())
		}
	}
}

// sameForAnyWorkers trains with one worker and with more, and gives the losses. Weights and losses are to have the same
// bits.
func sameForAnyWorkers(t *testing.T, what string, train func(workers int) (Params, []float64)) []float64 {
	t.Helper()
	first, losses := train(1)
	for _, workers := range []int{2, 7} {
		p, got := train(workers)
		for i := range p {
			if !slices.Equal(p[i], first[i]) {
				t.Fatalf("%s: %d workers learn other weights", what, workers)
			}
		}
		if !slices.Equal(got, losses) {
			t.Fatalf("%s: %d workers have losses %v, not %v", what, workers, got, losses)
		}
	}
	return losses
}

func TestFusedStops(t *testing.T) {
	x, order := problem(20, 100_000)
	net := Network{Layers: Autoencoder(20, []int{10, 3}, Tanh), Optimiser: Optimiser{Kind: "adam", Rate: 0.001}}
	before := runtime.NumGoroutine()
	tr, err := fusedEngine{}.New(net, net.NewParams(rand.New(rand.NewPCG(1, 2)), 0), 2)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := tr.Epoch(ctx, x, x, order, 256, 0.001); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if _, err := tr.Epoch(context.Background(), x, x, order, 256, 0.001); err != nil {
		t.Error(err)
	}
	if err := tr.Close(); err != nil {
		t.Error(err)
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

func TestFusedRefuses(t *testing.T) {
	net := Network{Layers: Autoencoder(4, []int{2}, Tanh), Optimiser: Optimiser{Kind: "adam", Rate: 0.001}}
	if _, err := (fusedEngine{}).New(net, Params{{1}}, 1); err == nil {
		t.Error("weights of another network are taken")
	}
	net.Layers[0].Activation = "swish"
	if _, err := (fusedEngine{}).New(net, nil, 1); err == nil {
		t.Error("an unknown activation is taken")
	}
}

// BenchmarkEpoch is an epoch over the workloads that engines are measured on: A is 122-80-40-12 and back, B
// 76-49-25-9 and back, each of 67,343 rows, with the size of a batch after the letter.
func BenchmarkEpoch(b *testing.B) {
	for _, c := range []struct {
		name   string
		d      int
		hidden []int
		batch  int
	}{{"A64", 122, []int{80, 40, 12}, 64}, {"A512", 122, []int{80, 40, 12}, 512}, {"B100", 76, []int{49, 25, 9}, 100}} {
		x, order := problem(c.d, 67343)
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/workers=%d", c.name, workers), func(b *testing.B) {
				net := Network{Layers: Autoencoder(c.d, c.hidden, Tanh),
					Optimiser: Optimiser{Kind: "adam", Rate: 0.001}}
				tr, err := fusedEngine{}.New(net, net.NewParams(rand.New(rand.NewPCG(1, 2)), 0.01), workers)
				if err != nil {
					b.Fatal(err)
				}
				defer tr.Close()
				for b.Loop() {
					if _, err := tr.Epoch(context.Background(), x, x, order, c.batch, 0.001); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// TestCentresAreChecked: centres of another size than the bottleneck are refused.
func TestCentresAreChecked(t *testing.T) {
	net := Network{Layers: Autoencoder(5, []int{4, 2}, Tanh), Optimiser: Optimiser{Kind: "adam", Rate: 0.01}, Latent: 2,
		Shrink: 3, Centres: [][]float32{{0.5, 0.1}}}
	tr, err := fusedEngine{}.New(net, net.NewParams(rand.New(rand.NewPCG(21, 22)), 0.05), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.(Centred).SetCentres([][]float32{{1}}); err == nil {
		t.Error("a centre of another size is taken")
	}
}

// TestStepsAllocateNothing: an epoch of sixteen steps allocates no more often than one of two. Both have no more than
// batchesPerCheck batches, so that what such a group needs is left out.
func TestStepsAllocateNothing(t *testing.T) {
	x, order := problem(37, 1000)
	staged := mirrored(37, []int{24, 5}, Linear)
	for _, i := range []int{0, 2} {
		staged.Layers[i].Norm, staged.Layers[i].Dropout = true, 0.2
	}
	centred := mirrored(37, []int{24, 5}, Linear)
	centred.Shrink, centred.Centring, centred.Centres = 1, 0.5, [][]float32{make([]float32, 5)}
	for name, net := range map[string]Network{"plain": mirrored(37, []int{24, 5}, Linear), "staged": staged,
		"centred": centred, "variational": mirrored(37, []int{24, 5},
			Linear).WithVariational(Variational{Alpha: 1, Weight: 1})} {
		for _, kind := range []string{"adam", "adadelta"} {
			net.Optimiser = Optimiser{Kind: kind, Rate: 0.003, Rho: 0.9}
			tr, err := fusedEngine{}.New(net, net.NewParams(rand.New(rand.NewPCG(1, 2)), 0), 1)
			if err != nil {
				t.Fatal(err)
			}
			count := func(steps int) float64 {
				return testing.AllocsPerRun(5, func() {
					if _, err := tr.Epoch(context.Background(), x, x, order[:20*steps], 20, 0.001); err != nil {
						t.Fatal(err)
					}
				})
			}
			if few, many := count(2), count(16); many > few {
				t.Errorf("%s, %s: 2 steps allocate %v times, 16 steps %v times", name, kind, few, many)
			}
		}
	}
}

// mirrored is an auto-encoder with tanh between and the given activation of bottleneck and output.
func mirrored(d int, sizes []int, ends Activation) Network {
	n := Network{Layers: Autoencoder(d, sizes, Tanh), Loss: SquaredLoss, Latent: len(sizes)}
	n.Layers[n.Latent-1].Activation, n.Layers[len(n.Layers)-1].Activation = ends, ends
	return n
}
