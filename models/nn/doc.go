// Package nn holds networks that are trained by gradient, and no detectors.
//
// A model describes its network once ([Network]: layers, loss, optimiser) and the training loop ([Train])
// hands it to an [Engine], which knows how to do epochs of gradient steps. There are two: "fused", on the
// kernels of numeric/kernel, and Gorgonia's in models/nn/gorgonia, which derives gradients symbolically and is
// what the first is checked against. Initial weights and the order of samples are decided here. Scores are
// computed by a [Scorer], whichever engine trained.
//
// Recurrent networks are described by a [Sequence], trained by the same engines through the same [Trainer], and
// scored by a [SequenceScorer], sample by sample or along a stream whose [State] is carried on.
//
// A training leaves checkpoints where [models.Env] has a place for them, and takes over the weights of the same
// training where that keeps some. Learning rates from epoch to epoch are in models/nn/schedule, ONNX graphs of networks
// in models/nn/graph. The detectors are in models/autoencoder, models/deep, models/recurrent and models/supervised.
package nn
