package machine

import (
	"errors"
	"fmt"

	"plumbline/configs/settings"
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
