package machine

import (
	"context"
	"errors"
	"fmt"
	"math"

	"plumbline/data/corpus"
)

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
	later   []int32 // places in overlap of pairs of whole states that few words go through
	last    []int32 // of others that few words go through
	forGood bool    // what is changed is not to be taken back
	toBeat  float64 // a test may refute a merge whose score is not above
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
	tree, labels, err := prefixTree(ctx, words, len(alphabet), max(1, len(types)))
	if err != nil {
		return nil, fmt.Errorf("automata: learn: %w", err)
	}
	if spec.Heuristic == "edsm" && labels < 2 {
		return nil, fmt.Errorf("automata: learn: heuristic edsm compares labels, and all %d words have the same one: "+
			"every merge would do", tree.nodes[0].size)
	}
	return learnFrom(ctx, spec, tree, alphabet, types, observe)
}

// learnFrom merges the states of a prefix tree, which it changes.
func learnFrom(ctx context.Context, spec LearnSpec, t *tree, alphabet, types []string, observe func(Step)) (
	*Machine, error) {
	l := &learner{LearnSpec: spec, tree: t, symbols: len(alphabet)}
	l.isRed = make([]bool, len(l.tree.nodes))
	l.heuristic = newHeuristic(l)
	if err := l.run(ctx, observe); err != nil {
		return nil, err
	}
	return l.machine(alphabet, types), nil
}

// prefixTree is the tree of the words, and how many labels they have. Words of one label are packed as long as they are
// short enough.
func prefixTree(ctx context.Context, words corpus.Words, symbols, types int) (t *tree, labels int, err error) {
	var packed *packedWords
	var builder *prefixTreeBuilder
	if types == 1 {
		packed = newPackedWords(symbols)
	} else {
		builder = newPrefixTreeBuilder(symbols, types)
	}
	n := 0
	seen := make([]bool, types)
	for word, typ := range words {
		if n++; n%1024 == 0 && ctx.Err() != nil {
			return nil, 0, fmt.Errorf("prefix tree: %w", ctx.Err())
		}
		if err := checkWord(word, typ, symbols, types); err != nil {
			return nil, 0, fmt.Errorf("word %d: %w", n, err)
		}
		if !seen[typ] {
			seen[typ] = true
			labels++
		}
		if packed != nil && packed.fits(word) {
			packed.add(word)
			continue
		}
		if packed != nil {
			builder = newPrefixTreeBuilder(symbols, types)
			packed.insertInto(builder)
			packed = nil
		}
		if builder.n > math.MaxInt32-len(word)-1 {
			return nil, 0, errTooManyNodes
		}
		builder.insert(word, typ, 1)
	}
	switch {
	case n == 0:
		return nil, 0, errors.New("no words")
	case packed != nil:
		t, err = packed.tree()
		return t, labels, err
	}
	return builder.tree(), labels, nil
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
		if into != none {
			l.toBeat = step.Score
		} else {
			l.toBeat = math.Inf(-1)
		}
		score, ok := l.try(red, blue)
		if ok && score >= l.LowerBound && (into == none || score > step.Score) {
			step, into = Step{Score: score}, red
		}
	}
	return step, into, nil
}
