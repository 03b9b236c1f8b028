package ir

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"strings"
)

// legal tells whether s consists of letters, digits, _ and - only, as every vendor
// demands of tool names and Anthropic of call ids.
func legal(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return s != ""
}

// maxAnswerID is the longest id of an answer; streams repeat it with every event.
const maxAnswerID = 128

// AnswerID is the id of an answer with the prefix that clients of a protocol expect: the
// upstream's id, or the one to fall back on.
func AnswerID(prefix, upstream, fallback string) string {
	if upstream == "" {
		upstream = fallback
	}
	if !strings.HasPrefix(upstream, prefix) {
		for _, other := range []string{"chatcmpl-", "msg_", "resp_"} {
			upstream = strings.TrimPrefix(upstream, other)
		}
		upstream = prefix + upstream
	}
	upstream = upstream[:min(len(upstream), maxAnswerID)]
	return strings.Map(func(r rune) rune {
		if r < 0x80 && (r == '.' || r == ':' || legal(string(r))) {
			return r
		}
		return '_'
	}, upstream)
}

// Names maps tool names to ones the upstream accepts, and back. The zero Names accepts
// nothing; set Max.
type Names struct {
	Max int // longest name accepted
	// LetterFirst: a name must begin with a letter or _.
	LetterFirst bool

	back map[string]string // changed names, to the client's
}

// To is the name to send. The same name always maps to the same result.
func (n *Names) To(name string) string {
	badStart := n.LetterFirst && name != "" && (name[0] == '-' || name[0] >= '0' && name[0] <= '9')
	if legal(name) && len(name) <= n.Max && !badStart {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	short := strings.Map(func(r rune) rune {
		if r < 0x80 && legal(string(r)) {
			return r
		}
		return '_'
	}, name)
	if badStart {
		short = "_" + short
	}
	short = short[:min(len(short), 55)] + "_" + hex.EncodeToString(sum[:4])
	if n.back == nil {
		n.back = make(map[string]string)
	}
	n.back[short] = name
	return short
}

// Back maps changed names to the client's; nil when none was changed.
func (n *Names) Back() map[string]string { return n.back }

const wrappedID = "tc_"

// WrapID is a call id in the form Anthropic's API and its clients accept. A legal id
// stays as it is; any other is encoded so that UnwrapID restores it, or, when it is too
// long for that, replaced by a hash, the same one for the call and its result.
func WrapID(id string) string {
	if legal(id) && len(id) <= 64 && !strings.HasPrefix(id, wrappedID) {
		return id
	}
	if w := wrappedID + base64.RawURLEncoding.EncodeToString([]byte(id)); len(w) <= 64 {
		return w
	}
	sum := sha256.Sum256([]byte(id))
	return wrappedID + base64.RawURLEncoding.EncodeToString(sum[:])[:22]
}

// UnwrapID is the id that WrapID was given, as far as it can be told.
func UnwrapID(id string) string {
	enc, ok := strings.CutPrefix(id, wrappedID)
	if !ok {
		return id
	}
	raw, err := base64.RawURLEncoding.DecodeString(enc)
	if err != nil || len(raw) == 0 || WrapID(string(raw)) != id {
		return id
	}
	return string(raw)
}

// NineCharID is a call id of nine letters and digits, as Mistral demands.
func NineCharID(id string) string {
	if len(id) == 9 && legal(id) && !strings.ContainsAny(id, "_-") {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	n := new(big.Int).SetBytes(sum[:8])
	s := n.Text(62)
	return (strings.Repeat("0", 9) + s)[len(s):]
}
