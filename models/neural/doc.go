// Package neural holds detectors that are trained by gradient.
//
// A model describes its network once ([Network]: layers, loss, optimiser) and the training loop ([Train])
// hands it to an [Engine], which knows how to do epochs of gradient steps. There are two: "fused", on the
// kernels of models/kernel, and Gorgonia's in models/neural/graph, which derives gradients symbolically and is
// what the first is held against. Initial weights and the order of samples are decided here. Scores are
// computed by a [Scorer], whichever engine trained.
//
// Recurrent networks are described by a [Sequence], trained by the same engines through the same [Trainer], and
// scored by a [SequenceScorer], sample by sample or along a stream whose [State] is carried on.
//
// Detectors of rows are auto-encoders: alone, with a one-class model on their bottleneck, with centres in it, or one
// for each part that k-means or BIRCH makes of the rows. Detectors of traces are recurrent networks over windows that
// never leave a trace. A training leaves checkpoints where [models.Env] has a place for them.
//
// Scaling of inputs is data/prep's work, thresholds and metrics are eval's.
package neural
