package classic

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/neighbour"
)

// KMeans is the distance to the nearest of k centres that minimise
//
//	inertia = Σ_i min_c ‖x_i − μ_c‖²            over the training rows
//	score(x) = min_c ‖x − μ_c‖
//
// (Lloyd, Least squares quantization in PCM, IEEE Transactions on Information Theory 28, 1982; starts by
// Arthur and Vassilvitskii, k-means++: the advantages of careful seeding, SODA 2007.) Of several starts the
// one with the smallest inertia counts. A cluster that becomes empty restarts at the row farthest from its
// centre.
//
// Fit costs ndk for each of at most restarts × max_iter iterations.
type KMeans struct {
	// number of centres; 8 as in scikit-learn; fewer where there are not so many training rows
	Clusters int `yaml:"clusters" jsonschema:"minimum=1,maximum=10000"`
	// starts, of which the best counts; 10 as in scikit-learn before 1.4
	Restarts int `yaml:"restarts" jsonschema:"minimum=1,maximum=10000"`
	// iterations of one start at the most; 300 as in scikit-learn
	MaxIter int `yaml:"max_iter" jsonschema:"minimum=1,maximum=1000000"`
	// squared movement of all centres, as a share of the mean variance of the columns, that ends it; 1e-4 as in
	// scikit-learn
	Tol float64 `yaml:"tol" jsonschema:"minimum=0,maximum=1"`
}

const kmeans = "kmeans"

func init() {
	models.Register(models.Info{
		Name: kmeans,
		Doc:  "Distance to the nearest of k centres of the training rows.",
		Paper: "Lloyd, Least squares quantization in PCM, IEEE Transactions on Information Theory, 1982; Arthur " +
			"and Vassilvitskii, k-means++, SODA 2007",
		Needs:    models.Needs{Input: data.Vectors},
		Defaults: func() models.Spec { return &KMeans{Clusters: 8, Restarts: 10, MaxIter: 300, Tol: 1e-4} },
	})
}

// New builds an unfitted detector.
func (c *KMeans) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(kmeans, c); err != nil {
		return nil, err
	}
	spec := *c
	return method{
		name: kmeans, spec: c, env: env, min: 1,
		fit:  func(ctx context.Context, s *data.Set) (learned, error) { return fitKMeans(ctx, spec, env, s) },
		load: loadKMeans,
	}.detector(), nil
}

// kmeansState is the centres, row-major k×d.
type kmeansState struct {
	d, k    int
	centres []float64
}

func fitKMeans(ctx context.Context, c KMeans, env models.Env, s *data.Set) (*kmeansState, error) {
	m, err := fitMoments(ctx, s, env.Parallel())
	if err != nil {
		return nil, err
	}
	var variance float64 // mean over the columns
	for j, constant := range constantColumns(s) {
		if !constant {
			variance += m.sd[j] * m.sd[j] / float64(s.D)
		}
	}
	l := &lloyd{s: s, f: affine{modeOrMean(s.X, s.N, s.D), 1}, k: min(c.Clusters, s.N), tol: c.Tol * variance,
		maxIter: c.MaxIter, workers: env.Parallel()}
	best, lowest := []float64(nil), math.Inf(1)
	for start := range c.Restarts {
		seeds, err := l.seed(ctx, env.Rand(fmt.Sprint("kmeans start ", start)))
		if err != nil {
			return nil, err
		}
		inertia, _, err := l.run(ctx, seeds)
		if err != nil {
			return nil, err
		}
		if inertia < lowest {
			best, lowest = l.centres, inertia
		}
		env.Progress(models.Epoch{N: start + 1, Of: c.Restarts, Loss: inertia / float64(s.N), ValidLoss: math.NaN(),
			Rate: math.NaN(), Samples: s.N})
	}
	for i := range best {
		best[i] += l.f.shift[i%s.D]
	}
	return &kmeansState{s.D, l.k, best}, nil
}

// lloyd is one clustering under way, in shifted coordinates.
type lloyd struct {
	s       *data.Set
	f       affine
	k       int
	tol     float64
	maxIter int
	workers int
	centres []float64 // k×d
	label   []int32   // n
	dist    []float64 // n squared distances from the centre
}

// seed draws k rows as first centres, each with a probability proportional to the squared distance from
// the nearest one so far.
func (l *lloyd) seed(ctx context.Context, r *rand.Rand) ([]int, error) {
	n := l.s.N
	seeds := []int{r.IntN(n)}
	nearest := make([]float64, n)
	for i := range nearest {
		nearest[i] = math.Inf(1)
	}
	for len(seeds) < l.k {
		last := l.s.Row(seeds[len(seeds)-1])
		err := parallelRows(ctx, n, 1024, l.workers, func() func(lo, hi int) {
			return func(lo, hi int) {
				for i := lo; i < hi; i++ {
					dist := neighbour.Distance(l.s.Row(i), last)
					nearest[i] = min(nearest[i], dist*dist)
				}
			}
		})
		if err != nil {
			return nil, err
		}
		var sum float64
		for _, v := range nearest {
			sum += v
		}
		at, left := n-1, r.Float64()*sum
		for i, v := range nearest {
			if left -= v; left < 0 {
				at = i
				break
			}
		}
		seeds = append(seeds, at)
	}
	return seeds, nil
}

// run iterates from the given rows and returns the inertia and the number of iterations.
func (l *lloyd) run(ctx context.Context, seeds []int) (inertia float64, iterations int, err error) {
	d := l.s.D
	l.centres = make([]float64, l.k*d)
	l.label, l.dist = make([]int32, l.s.N), make([]float64, l.s.N)
	for c, i := range seeds {
		mapRow(l.f, l.s.Row(i), l.centres[c*d:(c+1)*d])
	}
	before := make([]int32, l.s.N)
	for iterations < l.maxIter {
		iterations++
		copy(before, l.label)
		sums, counts, err := l.assign(ctx)
		if err != nil {
			return 0, 0, err
		}
		same := iterations > 1
		for i, c := range l.label {
			same = same && c == before[i]
		}
		if moved := l.move(sums, counts); same || moved <= l.tol {
			break
		}
	}
	// The labels and distances of the final centres.
	if _, _, err := l.assign(ctx); err != nil {
		return 0, 0, err
	}
	for _, v := range l.dist {
		inertia += v
	}
	return inertia, iterations, nil
}

// assign finds every row's centre, and adds up the rows of each.
func (l *lloyd) assign(ctx context.Context) (sums []float64, counts []int, err error) {
	d, k := l.s.D, l.k
	byColumn, half := make([]float64, d*k), make([]float64, k)
	for c := range k {
		for j, v := range l.centres[c*d : (c+1)*d] {
			byColumn[j*k+c] = v
			half[c] += v * v / 2
		}
	}
	type part struct {
		sums   []float64
		counts []int
	}
	// At most 64 partial sums, added in order.
	size := max(momentRows, (l.s.N+63)/64)
	parts := make([]part, (l.s.N+size-1)/size)
	err = parallelRows(ctx, l.s.N, size, l.workers, func() func(lo, hi int) {
		b, tile := newBlock(d), make([]float64, blockRows*k)
		return func(lo, hi int) {
			p := part{make([]float64, k*d), make([]int, k)}
			for at := lo; at < hi && ctx.Err() == nil; at += blockRows {
				fill(b, l.f, l.s.X, d, at, min(at+blockRows, hi))
				for first := 0; first < k; first += panelRows { // wider products would be spread by gonum
					w := min(panelRows, k-first)
					gonum.Implementation{}.Dgemm(blas.NoTrans, blas.NoTrans, b.m, w, d, 1, b.x, d, byColumn[first:], k,
						0, tile[first:], k)
				}
				for i := range b.m {
					l.choose(at+i, b.x[i*d:(i+1)*d], b.norms[i], tile[i*k:(i+1)*k], half)
					c := int(l.label[at+i])
					p.counts[c]++
					for j, v := range b.x[i*d : (i+1)*d] {
						p.sums[c*d+j] += v
					}
				}
			}
			parts[lo/size] = p
		}
	})
	if err != nil {
		return nil, nil, err
	}
	sums, counts = parts[0].sums, parts[0].counts
	for _, p := range parts[1:] {
		for i, v := range p.sums {
			sums[i] += v
		}
		for c, n := range p.counts {
			counts[c] += n
		}
	}
	return sums, counts, nil
}

// choose sets label and distance of row i with coordinates x and squared length norm, given its products
// with the centres and half their squared lengths.
func (l *lloyd) choose(i int, x []float64, norm float64, products, half []float64) {
	best, c := math.Inf(-1), 0
	for t, v := range products {
		if v -= half[t]; v > best {
			best, c = v, t
		}
	}
	l.label[i], l.dist[i] = int32(c), max(0, norm-2*best)
}

// move puts the centres at the means and returns the squared movement of all. An empty cluster gets the
// row that is farthest from its centre.
func (l *lloyd) move(sums []float64, counts []int) (moved float64) {
	d := l.s.D
	for c, n := range counts {
		if n > 0 {
			continue
		}
		far := 0
		for i, v := range l.dist {
			if v > l.dist[far] {
				far = i
			}
		}
		old := int(l.label[far])
		if counts[old] < 2 {
			continue // nothing to take: fewer distinct rows than centres
		}
		row := make([]float64, d)
		mapRow(l.f, l.s.Row(far), row)
		for j, v := range row {
			sums[old*d+j] -= v
			sums[c*d+j] = v
		}
		counts[old]--
		counts[c] = 1
		l.label[far], l.dist[far] = int32(c), 0
	}
	for c, n := range counts {
		if n == 0 {
			continue
		}
		for j := range d {
			to := sums[c*d+j] / float64(n)
			diff := to - l.centres[c*d+j]
			moved += diff * diff
			l.centres[c*d+j] = to
		}
	}
	return moved
}

func (m *kmeansState) score(ctx context.Context, s *data.Set, workers int, out []float64) error {
	return scoreRows(ctx, s.X, s.D, workers, out, func() func(row []float32) float64 {
		return func(row []float32) float64 {
			nearest := math.Inf(1)
			for c := range m.k {
				var sum float64
				for j, v := range m.centres[c*m.d : (c+1)*m.d] {
					diff := float64(row[j]) - v
					sum += float64(diff * diff)
				}
				nearest = min(nearest, sum)
			}
			return math.Sqrt(nearest)
		}
	})
}

// kmeansMeta is the JSON part of the saved state.
type kmeansMeta struct {
	Centres int `json:"centres"`
}

func (m *kmeansState) state() (any, models.Arrays) {
	return kmeansMeta{m.k}, models.Arrays{"centres": m.centres}
}

func loadKMeans(st models.State) (learned, error) {
	var meta kmeansMeta
	err := st.Meta(&meta)
	if err != nil {
		return nil, err
	}
	if meta.Centres < 1 || meta.Centres > math.MaxInt32 {
		return nil, fmt.Errorf("%d centres of %d columns", meta.Centres, st.Columns)
	}
	m := &kmeansState{d: st.Columns, k: meta.Centres}
	if m.centres, err = models.FiniteArray[float64](st.Arrays, "centres", m.k*m.d); err != nil {
		return nil, err
	}
	for _, v := range m.centres {
		if math.Abs(v) > 2*math.MaxFloat32 {
			return nil, fmt.Errorf("a centre at %v", v)
		}
	}
	return m, nil
}
