// Package evasion disguises the attacks among the test rows of a split before any model sees them ([Spec]): padding,
// random and windowed imitation of benign rows, and rows that are frequent. Labels, addresses and times stay. Splits
// are
// made in data/split.
package evasion
