// Package supervised holds detectors that learn from labelled attacks. They declare Needs.Labels: the
// runner hands them the attacks of the training part, which it keeps from all other models.
//
// Trees are grown in numeric/trees. Models that never see a label are in the packages beside this one.
package supervised
