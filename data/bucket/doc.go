// Package bucket keeps files as objects of a bucket, by the protocol of Amazon S3 that other stores speak too. It is
// what runs are kept in where machines share no folder ([plumbline/runs/mirror]) and knows nothing of them.
//
// An object appears whole or not at all. Each is sent with its SHA-256, which is checked when it is fetched. Whatever
// a store or the network may get over (an answer of 500, a connection that is cut, an object that arrives damaged, no
// answer for long) is tried again after a pause that grows.
package bucket
