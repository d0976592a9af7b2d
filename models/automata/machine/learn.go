package machine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"plumbline/configs/settings"
	"plumbline/data/corpus"
)

// Compat says whose step-by-step behaviour is followed where published implementations differ.
type Compat string

const (
	Clean Compat = "clean" // textbook statistics; counters are those of the merged states
	V26   Compat = "v26"   // FlexFringe main, January 2026
	V23   Compat = "v23"   // FlexFringe 2023, which SEQUENT was written for
)

// LearnSpec is how a machine is learnt: red-blue state merging with one of several statistical tests.
// Names are FlexFringe's.
type LearnSpec struct {
	// what judges a merge: alergia (Hoeffding bound on every outgoing frequency), likelihood (likelihood ratio over the
	// whole overlap), aic (Akaike's information criterion), kl (Kullback-Leibler divergence a parameter saved), or edsm
	// (labels that agree, for words of two labels or more)
	Heuristic string `yaml:"heuristic" jsonschema:"enum=alergia,enum=likelihood,enum=aic,enum=kl,enum=edsm"`
	// clean: textbook statistics; v26, v23: step for step as the FlexFringe of January 2026 or July 2023
	Compat Compat `yaml:"compat" jsonschema:"enum=clean,enum=v26,enum=v23"`
	// alergia, likelihood: significance level alpha of the test, smaller merges more; kl: nats that a merge may lose
	// for each parameter it saves, larger merges more; aic: what the criterion must gain, in the compatible modes;
	// edsm: without effect
	Confidence float64 `yaml:"confidence_bound" jsonschema:"exclusiveMinimum=0,exclusiveMaximum=1"`
	// merges with a smaller score are refuted; with edsm, the labels that must agree
	LowerBound float64 `yaml:"lowerboundval" jsonschema:"minimum=0"`
	// states with fewer words give no evidence
	StateCount int `yaml:"state_count" jsonschema:"minimum=0"`
	// symbols seen less often are pooled; -1 pools none
	SymbolCount int `yaml:"symbol_count" jsonschema:"minimum=-1"`
	// added to every count (Laplace smoothing), in tests but those of the clean likelihood ratio, aic and kl, and where
	// probabilities are taken
	Correction float64 `yaml:"correction" jsonschema:"minimum=0"`
	// the end of a word is an event with a probability of its own
	FinalProb bool `yaml:"finalprob"`
	// v23 only: test the distribution of end labels as well
	TypeDist bool `yaml:"typedist"`
	// states with fewer words are sinks: never merged, never extended
	SinkCount int `yaml:"sinkcount" jsonschema:"minimum=0"`
	// carry the merge out while testing it, so that loops are seen; else only the overlap of the two trees is tested
	TestMerge bool `yaml:"testmerge"`
	// merged states add up their counters; else a state keeps its own
	MergeData bool `yaml:"mergedata"`
	// clean only: when nothing else is left to do, sinks join the state that gives their words the highest probability,
	// so that every word goes on
	MergeSinks bool `yaml:"mergesinks"`
	// the initial state may take part in merges
	MergeRoot bool `yaml:"mergeroot"`
}

// Alergia holds the settings of FlexFringe's alergia.ini.
func Alergia() LearnSpec {
	return LearnSpec{
		Heuristic: "alergia", Compat: V26, Confidence: 0.5, StateCount: 10, SymbolCount: -1, Correction: 1,
		FinalProb: true, SinkCount: 25, TestMerge: true, MergeData: true, MergeRoot: true,
	}
}

// Likelihood holds FlexFringe's usual settings for the likelihood ratio test.
func Likelihood() LearnSpec {
	return LearnSpec{
		Heuristic: "likelihood", Compat: V26, Confidence: 0.05, StateCount: 10, SymbolCount: 5, Correction: 1,
		FinalProb: true, TypeDist: true, SinkCount: 25, TestMerge: true, MergeData: true, MergeRoot: true,
	}
}

// Probable holds settings for machines whose probabilities are wanted: the clean likelihood ratio test, and no sinks
// in the end.
func Probable() LearnSpec {
	return LearnSpec{
		Heuristic: "likelihood", Compat: Clean, Confidence: 0.001, StateCount: 5, SymbolCount: 10, Correction: 1,
		FinalProb: true, SinkCount: 5, TestMerge: true, MergeData: true, MergeSinks: true, MergeRoot: true,
	}
}

// Sequent holds the settings that are in force when FlexFringe reads SEQUENT's sm.ini; the keys of that
// file that FlexFringe does not know (extrapar and symbdist among them) are not.
func Sequent() LearnSpec {
	return LearnSpec{
		Heuristic: "likelihood", Compat: V23, Confidence: 0.05, StateCount: 0, SymbolCount: 30, Correction: 1,
		TypeDist: true, SinkCount: 250,
	}
}

// Check says what is wrong with the settings, alone or together.
func (s LearnSpec) Check() error {
	if p := settings.Check(&s); len(p) > 0 {
		return p
	}
	if s.Heuristic == "kl" && s.Compat != Clean {
		return fmt.Errorf("heuristic kl is there with compat clean alone, not %s: FlexFringe's weighting of the "+
			"divergence is not followed", s.Compat)
	}
	if s.MergeSinks && s.Compat != Clean {
		return fmt.Errorf("mergesinks is there with compat clean alone: with compat %s it must be false", s.Compat)
	}
	return nil
}

// CheckBenign is Check for models that learn from benign words alone.
func (s LearnSpec) CheckBenign() error {
	if s.Heuristic == "edsm" {
		return errors.New("heuristic edsm compares labels, and this model learns from benign traces alone: there is " +
			"one label")
	}
	return s.Check()
}

// Step is one refinement of a learning run.
type Step struct {
	Extend bool
	Size   int     // of the state that became red; 0 for a merge
	Score  float64 // of the merge; 0 for an extension
}

// String is the step as FlexFringe prints it: x and the size, or m and the score to six digits.
func (s Step) String() string {
	if s.Extend {
		return fmt.Sprintf("x%d", s.Size)
	}
	return fmt.Sprintf("m%.6g", s.Score)
}

// learner is the state of one learning run.
type learner struct {
	LearnSpec
	tree      *tree
	heuristic heuristic
	log       []write
	stack     []pair
	kids      []int32
	reds      []int32
	isRed     []bool
	symbols   int // of the alphabet

	// The most degrees of freedom that the pairs with the states of a subtree have, of the subtrees of the blue state,
	// and the sum over those that the merge that is tested has not come to: 0 where nothing more can be said.
	dof     []int32
	openDOF int
	open    []int32 // states to be counted
	overlap []overlapPair
	forGood bool // what is changed is not to be taken back
}

// Learn builds the prefix tree of the words and merges its states: repeatedly the largest blue state is
// folded into the red state with the highest score, or becomes red when every merge is refuted. With MergeSinks
// the sinks come last, and the score of such a step is the log-probability of their words. observe, if not nil,
// is told each step. alphabet and types are the names of the symbols and labels in words.
//
// The cost is the size of the tree plus, for each step, the overlap of the blue subtree with every red one.
func Learn(ctx context.Context, spec LearnSpec, words corpus.Words, alphabet, types []string,
	observe func(Step)) (*Machine, error) {
	if err := spec.Check(); err != nil {
		return nil, fmt.Errorf("automata: learn: %w", err)
	}
	builder := newPrefixTreeBuilder(len(alphabet), max(1, len(types)))
	n := 0
	labels := map[int32]bool{}
	for word, typ := range words {
		if n++; n%1024 == 0 && ctx.Err() != nil {
			return nil, fmt.Errorf("automata: learn: prefix tree: %w", ctx.Err())
		}
		if builder.n > math.MaxInt32-len(word)-1 {
			return nil, fmt.Errorf("automata: learn: the prefix tree grows over %d nodes; use windows or less data",
				math.MaxInt32)
		}
		if err := checkWord(word, typ, len(alphabet), builder.types); err != nil {
			return nil, fmt.Errorf("automata: learn: word %d: %w", n, err)
		}
		builder.insert(word, typ)
		labels[typ] = true
	}
	if n == 0 {
		return nil, fmt.Errorf("automata: learn: no words")
	}
	if spec.Heuristic == "edsm" && len(labels) < 2 {
		return nil, fmt.Errorf("automata: learn: heuristic edsm compares labels, and all %d words have the same one: "+
			"every merge would do", n)
	}
	l := &learner{LearnSpec: spec, tree: builder.tree(), symbols: len(alphabet)}
	l.isRed = make([]bool, len(l.tree.nodes))
	l.heuristic = newHeuristic(l)
	if err := l.run(ctx, observe); err != nil {
		return nil, err
	}
	return l.machine(alphabet, types), nil
}

func checkWord(word []int32, typ int32, symbols, types int) error {
	if typ < 0 || int(typ) >= types {
		return fmt.Errorf("label %d of %d", typ, types)
	}
	for i, a := range word {
		if a < 0 || int(a) >= symbols {
			return fmt.Errorf("symbol %d at position %d, the alphabet has %d", a, i, symbols)
		}
	}
	return nil
}

func (l *learner) run(ctx context.Context, observe func(Step)) error {
	l.colour(0)
	for {
		if ctx.Err() != nil {
			return fmt.Errorf("automata: learn: %w", ctx.Err())
		}
		blue := l.largestBlue(false)
		if blue == none && l.MergeSinks {
			if blue = l.largestBlue(true); blue != none {
				into, logp := l.likeliest(blue)
				l.merge(into, blue)
				if observe != nil {
					observe(Step{Score: logp})
				}
				continue
			}
		}
		if blue == none {
			return nil
		}
		step, into, err := l.best(ctx, blue)
		if err != nil {
			return err
		}
		if into == none {
			step = Step{Extend: true, Size: int(l.tree.nodes[blue].size)}
			l.colour(blue)
		} else {
			l.merge(into, blue)
		}
		if observe != nil {
			observe(step)
		}
	}
}

// best is the merge of blue with the highest score; the first tested wins a tie. into is none when no
// merge is consistent.
func (l *learner) best(ctx context.Context, blue int32) (step Step, into int32, err error) {
	into = none
	l.countDOF(blue)
	for _, red := range l.order() {
		if ctx.Err() != nil {
			return step, none, fmt.Errorf("automata: learn: %w", ctx.Err())
		}
		if red == 0 && !l.MergeRoot {
			continue
		}
		score, ok := l.try(red, blue)
		if ok && score >= l.LowerBound && (into == none || score > step.Score) {
			step, into = Step{Score: score}, red
		}
	}
	return step, into, nil
}

// countDOF counts the degrees of freedom of the blue state's subtrees, children before their parents.
func (l *learner) countDOF(blue int32) {
	if l.dof == nil {
		return
	}
	t := l.tree
	l.open = append(l.open[:0], blue)
	for i := 0; i < len(l.open); i++ {
		q := &t.nodes[l.open[i]]
		if l.MergeData && int(q.paths+q.final) < l.StateCount {
			continue // no state below has more words: none gives evidence, now or before
		}
		for c := q.first; c != none; c = t.nodes[c].next {
			if t.nodes[c].edge >= 0 {
				l.open = append(l.open, t.find(c))
			}
		}
	}
	for _, n := range slices.Backward(l.open) {
		sum := l.maxDOF(n)
		for c := t.nodes[n].first; c != none && (sum > 0 || !l.MergeData); c = t.nodes[c].next {
			if t.nodes[c].edge >= 0 {
				sum += int(l.dof[t.find(c)])
			}
		}
		l.dof[n] = int32(min(sum, unboundedDOF))
	}
}

// unboundedDOF stands for all degrees of freedom from there on.
const unboundedDOF = math.MaxInt32

// maxDOF is the most degrees of freedom that one pair with a right state adds: a bin for each of its symbols, for
// the end of the word and for two pools, and likewise for its labels. The clean test counts the left state's symbols
// too.
func (l *learner) maxDOF(n int32) (k int) {
	t, types := l.tree, 0
	q := &t.nodes[n]
	words := q.paths
	if l.FinalProb {
		words += q.final
	}
	if int(words) < l.StateCount {
		return 0
	}
	switch {
	case l.Heuristic == "alergia":
		return 1 // it has none, but evidence
	case l.Compat == Clean:
		return l.symbols + 1
	}
	k = 2 // also where no word goes on: such a state may speak against a merge
	for c := q.first; c != none; c = t.nodes[c].next {
		k++
	}
	if l.FinalProb {
		k++
	}
	if l.Compat == V23 && l.TypeDist && q.final > 0 {
		for typ := range int32(t.types) {
			if t.finals(n, typ) > 0 {
				types++
			}
		}
		k += types + 2
	}
	return k
}

// order is the red states in the order in which they are tested.
func (l *learner) order() []int32 {
	if l.Compat != V23 {
		return l.reds
	}
	out := slices.Clone(l.reds)
	slices.SortFunc(out, func(a, b int32) int {
		if d := l.tree.nodes[b].size - l.tree.nodes[a].size; d != 0 {
			return int(d)
		}
		return int(l.tree.number[a] - l.tree.number[b])
	})
	return out
}

// colour makes a state red and keeps reds in breadth-first order of the red tree, children by symbol.
func (l *learner) colour(n int32) {
	l.isRed[n] = true
	t := l.tree
	l.reds = append(l.reds[:0], 0)
	for i := 0; i < len(l.reds); i++ {
		q := l.reds[i]
		for e := t.nodes[q].first; e != none; e = t.nodes[e].next {
			if c := t.find(e); c != 0 && l.isRed[c] && t.treeEdge(q, e, c) {
				l.reds = append(l.reds, c)
			}
		}
	}
}

// likeliest is the red state from which the words of a blue subtree have the highest probability, and its logarithm:
// the first of equals.
func (l *learner) likeliest(blue int32) (into int32, logp float64) {
	into = none
	for _, red := range l.reds {
		if red == 0 && !l.MergeRoot && len(l.reds) > 1 {
			continue
		}
		if p := l.logProbability(red, blue); into == none || p > logp {
			into, logp = red, p
		}
	}
	return into, logp
}

// logProbability is that of a subtree's words from a red state, counts smoothed by ½ (R. Krichevsky and V. Trofimov,
// IEEE Transactions on Information Theory 27, 1981). Behind the red part, where nothing is known, all symbols are
// equally likely: so every state judges all words.
func (l *learner) logProbability(red, blue int32) (sum float64) {
	t := l.tree
	type at struct{ state, node int32 }
	stack := []at{{red, blue}}
	symbols := float64(l.symbols) + 1
	for len(stack) > 0 {
		p := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		total := math.Log(symbols / 2)
		if p.state != none {
			total = math.Log(float64(t.nodes[p.state].paths+t.nodes[p.state].final) + symbols/2)
		}
		term := func(seen, n int32) {
			if n > 0 {
				sum += float64(n) * (math.Log(float64(seen)+0.5) - total)
			}
		}
		if l.FinalProb {
			end := int32(0)
			if p.state != none {
				end = t.nodes[p.state].final
			}
			term(end, t.nodes[p.node].final)
		}
		e := none
		if p.state != none {
			e = t.nodes[p.state].first
		}
		for c := t.nodes[p.node].first; c != none; c = t.nodes[c].next {
			n := l.count(p.node, c)
			if n == 0 {
				continue
			}
			for e != none && t.nodes[e].sym < t.nodes[c].sym {
				e = t.nodes[e].next
			}
			to := none
			if e != none && t.nodes[e].sym == t.nodes[c].sym {
				term(l.count(p.state, e), n)
				if to = t.find(e); !l.isRed[to] || t.nodes[e].edge < 0 {
					to = none
				}
			} else {
				term(0, n)
			}
			stack = append(stack, at{to, t.find(c)})
		}
	}
	return sum
}

// largestBlue is the blue state with the most words that is no sink, or that is one; the older one of equals; none if
// there is none. Blue states are reached from a red one by the edge that made them.
func (l *learner) largestBlue(sinks bool) int32 {
	t := l.tree
	best := none
	for _, q := range l.reds {
		for e := t.nodes[q].first; e != none; e = t.nodes[e].next {
			c := t.find(e)
			if l.isRed[c] || !t.treeEdge(q, e, c) || l.sink(c) != sinks {
				continue
			}
			if best != none && t.nodes[c].size < t.nodes[best].size {
				continue
			}
			if best == none || t.nodes[c].size > t.nodes[best].size || t.number[c] < t.number[best] {
				best = c
			}
		}
	}
	return best
}

func (l *learner) sink(n int32) bool {
	return int(l.tree.nodes[n].paths+l.tree.nodes[n].final) < l.SinkCount
}
