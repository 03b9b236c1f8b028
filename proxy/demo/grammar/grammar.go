// Package grammar accepts the streams that clients may be sent and nothing else. It
// knows the order of events, what each must hold, and the mistakes that break the
// vendors' own SDKs.
package grammar

import (
	"errors"
	"fmt"

	"apex-ai-proxy/proxy/rawjson"
	"apex-ai-proxy/proxy/sse"
)

// Violation is the first event of a stream that breaks the rules.
type Violation struct {
	Event int // counted from 1; one more than there are for a stream that ends too early
	Data  string
	Why   string
}

func (v *Violation) Error() string {
	if v.Data == "" {
		return fmt.Sprintf("event %d: %s", v.Event, v.Why)
	}
	return fmt.Sprintf("event %d: %s, in %s", v.Event, v.Why, v.Data)
}

// StreamError is a stream that keeps the rules and ends in an error of the protocol.
type StreamError struct{ Type, Code, Message string }

func (e *StreamError) Error() string { return "the stream reports " + e.Type + ": " + e.Message }

// frame is an event of the stream.
type frame struct {
	name string
	data string
}

func framesOf(stream []byte) ([]frame, error) {
	var p sse.Parser
	var all []frame
	emit := func(f sse.Frame) { all = append(all, frame{string(f.Event), string(f.Data)}) }
	if err := p.Feed(stream, emit); err != nil {
		return nil, err
	}
	n := len(all)
	p.Close(emit)
	if len(all) > n {
		return all, &Violation{Event: len(all), Data: all[n].data, Why: "the last event does not end in an empty line"}
	}
	return all, nil
}

// run feeds the frames to step and then asks end whether they were a whole stream.
func run(stream []byte, step func(f frame) error, end func() error) error {
	frames, err := framesOf(stream)
	if err != nil {
		return err
	}
	for i, f := range frames {
		if err := step(f); err != nil {
			if failed := (*StreamError)(nil); errors.As(err, &failed) {
				if i+1 < len(frames) {
					return &Violation{Event: i + 2, Data: frames[i+1].data, Why: "nothing may follow an error"}
				}
				return failed
			}
			return &Violation{Event: i + 1, Data: f.data, Why: err.Error()}
		}
	}
	if err := end(); err != nil {
		return &Violation{Event: len(frames) + 1, Why: err.Error()}
	}
	return nil
}

// object is one level of a JSON object.
type object map[string]rawjson.Value

func objectOf(v rawjson.Value) (object, error) {
	if v.Kind() != rawjson.Object {
		return nil, fmt.Errorf("expected an object, got %s", v.Kind())
	}
	o := object{}
	r := rawjson.NewReader(v)
	r.Object(func(key []byte) { o[string(key)] = r.Value() })
	return o, r.Close()
}

// only refuses keys that are not among the names.
func (o object) only(what string, names ...string) error {
	known := map[string]bool{}
	for _, n := range names {
		known[n] = true
	}
	for key := range o {
		if !known[key] {
			return fmt.Errorf("%s has the unknown key %q", what, key)
		}
	}
	return nil
}

func (o object) str(key string) (string, error) {
	v := o[key]
	if v.Kind() != rawjson.String {
		return "", fmt.Errorf("%s must be a string, not %s", key, v.Kind())
	}
	if _, half := v.Text().CutHighSurrogate(); half != nil {
		return "", fmt.Errorf("%s ends in half a character", key)
	}
	return v.Str(), nil
}

func (o object) count(key string) (int64, error) {
	n, whole := o[key].Int()
	if !whole || n < 0 {
		return 0, fmt.Errorf("%s must be a count, not %q", key, o[key])
	}
	return n, nil
}

func elements(v rawjson.Value) []rawjson.Value {
	var all []rawjson.Value
	if v.Kind() == rawjson.Array {
		r := rawjson.NewReader(v)
		r.Array(func(int) { all = append(all, r.Value()) })
	}
	return all
}

func isObject(text string) bool {
	return rawjson.Valid([]byte(text)) == nil && rawjson.NewReader([]byte(text)).Kind() == rawjson.Object
}

func oneOf(s string, words ...string) bool {
	for _, w := range words {
		if s == w {
			return true
		}
	}
	return false
}
