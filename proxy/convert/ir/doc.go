// Package ir is the neutral form between the protocols: what a request, an answer and
// a stream mean, independent of how one vendor writes them.
//
// A message is an ordered list of parts, the richest of the shapes; a stream is a
// sequence of part openings, deltas and closings with at most one part open at a time.
// Text and everything else a user wrote stays JSON text ([rawjson.Escaped],
// [rawjson.Value]), so converting it is copying it. What an encoder could not carry
// over is returned as a list of [Loss], never dropped in silence.
//
// A field belongs here once two protocols have it; the rest stays with its codec.
package ir
