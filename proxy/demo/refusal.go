package demo

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"apex-ai-proxy/proxy/rawjson"
)

// Refusal is an error as the imitated vendor would answer it.
type Refusal struct {
	Status     int
	Type       string // the vendor's type word
	Code       string // OpenAI's code, "" for null
	Param      string // OpenAI's param, "" for null
	Message    string
	RetryAfter string // value of the header, "" for none
}

func (r *Refusal) Error() string { return fmt.Sprintf("%d %s: %s", r.Status, r.Type, r.Message) }

// AppendChat appends the refusal in OpenAI's envelope.
func (r *Refusal) AppendChat(dst []byte) []byte {
	dst = append(dst, `{"error":{"message":`...)
	dst = rawjson.AppendQuote(dst, r.Message)
	dst = append(dst, `,"type":`...)
	dst = rawjson.AppendQuote(dst, r.Type)
	dst = append(dst, `,"param":`...)
	dst = appendQuoteOrNull(dst, r.Param)
	dst = append(dst, `,"code":`...)
	dst = appendQuoteOrNull(dst, r.Code)
	return append(dst, "}}"...)
}

// AppendMessages appends the refusal in Anthropic's envelope.
func (r *Refusal) AppendMessages(dst []byte, requestID string) []byte {
	dst = append(dst, `{"type":"error","error":{"type":`...)
	dst = rawjson.AppendQuote(dst, r.Type)
	dst = append(dst, `,"message":`...)
	dst = rawjson.AppendQuote(dst, r.Message)
	dst = append(dst, `},"request_id":`...)
	dst = rawjson.AppendQuote(dst, requestID)
	return append(dst, '}')
}

func appendQuoteOrNull(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, "null"...)
	}
	return rawjson.AppendQuote(dst, s)
}

// node is a value of a request that knows where it is.
type node struct {
	v   rawjson.Value
	up  *node
	key string // "" for an element of an array
	idx int
}

// path writes where the node is in OpenAI's way: messages[0].content[1].type.
func (n *node) path() string {
	switch {
	case n.up == nil:
		return ""
	case n.key == "":
		return n.up.path() + "[" + strconv.Itoa(n.idx) + "]"
	case n.up.up == nil:
		return n.key
	default:
		return n.up.path() + "." + n.key
	}
}

// dots writes where the node is in Anthropic's way: messages.0.content.1.type.
func (n *node) dots() string {
	return strings.NewReplacer("[", ".", "]", "").Replace(n.path())
}

func (n *node) present() bool { return n != nil && n.v.Present() }

func (n *node) kind() rawjson.Kind {
	if n == nil {
		return rawjson.Absent
	}
	return n.v.Kind()
}

func (n *node) str() string {
	if n == nil {
		return ""
	}
	return n.v.Str()
}

// members is an object cut into its members, in order.
type members []*node

func (m members) get(key string) *node {
	for i := len(m) - 1; i >= 0; i-- {
		if m[i].key == key {
			return m[i]
		}
	}
	return nil
}

// membersOf cuts an object; other values have no members.
func membersOf(n *node) members {
	if n.kind() != rawjson.Object {
		return nil
	}
	var m members
	r := rawjson.NewReader(n.v)
	r.Object(func(key []byte) {
		k := string(key)
		m = append(m, &node{v: r.Value(), up: n, key: k})
	})
	return m
}

// elementsOf cuts an array; other values have no elements.
func elementsOf(n *node) []*node {
	if n.kind() != rawjson.Array {
		return nil
	}
	var all []*node
	r := rawjson.NewReader(n.v)
	r.Array(func(i int) { all = append(all, &node{v: r.Value(), up: n, idx: i}) })
	return all
}

// dialect is how a vendor words the refusals that every field can earn.
type dialect interface {
	mismatch(n *node, want rawjson.Kind) *Refusal
	missing(up *node, key string) *Refusal
	unknown(n *node) *Refusal
	outOfRange(n *node, least, most float64) *Refusal
	notOneOf(n *node, words []string) *Refusal
	tooLong(n *node, most int) *Refusal
}

// inspection keeps the first thing that is wrong with a request; checks after it
// change nothing.
type inspection struct {
	dialect
	refusal *Refusal
}

func (in *inspection) refuse(r *Refusal) {
	if in.refusal == nil {
		in.refusal = r
	}
}

// is checks the kind of a value that may be absent or null, and tells whether it is there.
func (in *inspection) is(n *node, want rawjson.Kind) bool {
	if !n.present() {
		return false
	}
	if n.kind() != want {
		in.refuse(in.mismatch(n, want))
		return false
	}
	return true
}

// need is is for a value that must be there.
func (in *inspection) need(up *node, m members, key string, want rawjson.Kind) *node {
	n := m.get(key)
	if n == nil {
		in.refuse(in.missing(up, key))
		return nil
	}
	if n.kind() != want {
		in.refuse(in.mismatch(n, want))
		return nil
	}
	return n
}

// only refuses members that are not among the names.
func (in *inspection) only(m members, names ...string) {
	for _, n := range m {
		if !oneOf(n.key, names) {
			in.refuse(in.unknown(n))
		}
	}
}

// number checks a number that may be absent.
func (in *inspection) number(n *node, least, most float64) {
	if in.is(n, rawjson.Number) {
		if f := n.v.Float(); f < least || f > most {
			in.refuse(in.outOfRange(n, least, most))
		}
	}
}

// integer checks a whole number that may be absent, and returns it.
func (in *inspection) integer(n *node, least, most float64) int64 {
	if !in.is(n, rawjson.Number) {
		return 0
	}
	i, whole := n.v.Int()
	if !whole {
		in.refuse(in.mismatch(n, rawjson.Number))
		return 0
	}
	in.number(n, least, most)
	return i
}

// word checks a string that may be absent and must be one of the words.
func (in *inspection) word(n *node, words ...string) {
	if in.is(n, rawjson.String) && !oneOf(n.str(), words) {
		in.refuse(in.notOneOf(n, words))
	}
}

// text checks a string that may be absent and is at most so many characters long.
func (in *inspection) text(n *node, most int) {
	if in.is(n, rawjson.String) && len([]rune(n.str())) > most {
		in.refuse(in.tooLong(n, most))
	}
}

func oneOf(s string, words []string) bool {
	for _, w := range words {
		if s == w {
			return true
		}
	}
	return false
}

// isName tells whether s holds only letters, digits, _ and -, and at least one.
func isName(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return s != ""
}

// parse reads the body, which must be one JSON object.
func parse(body []byte) (*node, error) {
	r := rawjson.NewReader(body)
	v := r.Value()
	if err := r.Close(); err != nil {
		return nil, err
	}
	if v.Kind() != rawjson.Object {
		return nil, rawjson.ErrNotObject
	}
	return &node{v: v}, nil
}

func badRequest(param, code, format string, args ...any) *Refusal {
	return &Refusal{
		Status: http.StatusBadRequest, Type: "invalid_request_error",
		Param: param, Code: code, Message: fmt.Sprintf(format, args...),
	}
}
