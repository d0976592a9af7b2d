// Package modeltest holds every registered model to the contract of package models: [Run] is the
// conformance suite. It knows no model. What a model may be excused from, and what makes its Fit quick enough
// to be repeated some forty times, stands in the two tables of exceptions.go, each entry with its reason.
//
// Whether a model computes what its paper says is tested beside the model, against numbers; models/all runs
// this suite over the registry.
package modeltest
