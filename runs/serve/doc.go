// Package serve answers over HTTP with what trained models say of records: as JSON one or a few at a time, as streams
// of
// CSV, NDJSON, Parquet or prepared float32 rows, in the Open Inference Protocol and as MLflow's scoring server does. It
// reads models with runs/bundle and scores with nothing else, so that an answer has the bits of the score that the
// model's run would have given; an answer does not depend on other requests. Models are read again when their files
// change.
//
// The queue of requests is bounded, and so are the bytes that bodies take in memory; what is more is refused with 429.
// Fitting, files on disk and watched logs are elsewhere: runs, runs/score, runs/watch.
package serve
