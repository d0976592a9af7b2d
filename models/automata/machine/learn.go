package machine

import (
	"context"
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
	later   []int32 // places in overlap of pairs that few words go through
	forGood bool    // what is changed is not to be taken back
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
