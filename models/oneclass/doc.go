// Package oneclass holds the one-class support vector machines: exact with any of four kernels, and three that are
// linear in the number of rows, on random Fourier features, on landmarks (Nyström) and on the columns themselves. All
// of them work on Vectors sets, learn from benign rows alone and never read labels.
//
// ocsvm.go is the exact machine; solver.go, smo.go and cached.go find its multipliers; ocsvm_rff.go, ocsvm_nystrom.go
// and ocsvm_sgd.go are the others, which share the descent of linear.go. Kernels between many rows at once are those of
// numeric/similarity; support vector machines for classes are in models/supervised.
package oneclass
