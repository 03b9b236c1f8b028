// Package rawjson reads and writes JSON as bytes, without building values.
//
// Everything a user wrote (prompts, tool schemas, tool arguments) travels through
// the proxy as the JSON text it arrived in: a [Value] is the span of one value, an
// [Escaped] is the inside of a string literal. Nothing is decoded unless its content
// must be looked at, so numbers keep their digits, objects their key order and
// strings their escapes, and copying a 10 MB image costs a copy.
//
// [Reader] walks a document once, from left to right, and checks its syntax on the
// way. It never panics on any input and never allocates for values it only spans.
package rawjson
