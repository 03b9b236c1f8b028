package convert_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"apex-ai-proxy/proxy/convert"
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/demo/grammar"
	"apex-ai-proxy/proxy/rawjson"
)

// conversions are the ways from one protocol to another.
func conversions() (all []goldenCase) {
	for _, from := range protocols {
		for _, to := range protocols {
			if from != to {
				all = append(all, goldenCase{
					from: convert.For(from), to: convert.For(to), reply: ir.Reply{Model: "m", ID: "x", Created: 1, IncludeUsage: true},
				})
			}
		}
	}
	return all
}

// mostOutput bounds what a client is sent for so many bytes of an upstream. Small deltas
// grow the most: each becomes an event that says again where it belongs.
func mostOutput(in []byte) int { return 64<<10 + 200*len(in) }

// FuzzStream feeds arbitrary bytes as an upstream's stream: whatever comes, the client
// gets a stream its protocol allows, and not too much of it.
func FuzzStream(f *testing.F) {
	for _, c := range streams(f) {
		f.Add(c.in)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, c := range conversions() {
			for _, customs := range []map[string]bool{nil, {"f": true, "patch": true, "apply_patch": true}} {
				c.restore = ir.Restorer{Customs: customs}
				out := c.stream(in, nil)
				if len(out) > mostOutput(in) {
					t.Fatalf("%d bytes became %d", len(in), len(out))
				}
				checkGrammar(t, "fuzz", &c, out)
			}
		}
	})
}

// FuzzResponse feeds arbitrary bytes as an upstream's whole answer: it is refused, or the
// client gets an answer that can be read, as a whole and as a stream.
func FuzzResponse(f *testing.F) {
	files, err := filepath.Glob("testdata/response-*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatalf("no answers: %v", err)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(a.Files[0].Data)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, c := range conversions() {
			res, err := c.from.DecodeResponse(in, ir.Source{})
			if err != nil {
				if e := (*ir.Error)(nil); !errors.As(err, &e) {
					t.Fatalf("an error of the wrong type: %v", err)
				}
				continue
			}
			(&ir.Restorer{Customs: map[string]bool{"f": true}}).Response(res)
			body, err := c.to.EncodeResponse(res, c.reply)
			if err != nil || rawjson.Valid(body) != nil {
				t.Fatalf("%v\n%s", err, body)
			}
			if _, err := c.to.DecodeResponse(body, ir.Source{}); err != nil {
				t.Fatalf("what was written cannot be read: %v\n%s", err, body)
			}
			enc := c.to.NewStreamEncoder(c.reply)
			var out []byte
			ir.Replay(res, func(ev *ir.Event) { out = enc.Append(out, ev) })
			if len(out)+len(body) > mostOutput(in) {
				t.Fatalf("%d bytes became %d and %d", len(in), len(body), len(out))
			}
			checkGrammar(t, "fuzz", &c, out)
		}
	})
}

// excused tells whether a stream broke a rule because its upstream did: Anthropic's API
// may send arguments that are no JSON, and they are passed on as they are.
func excused(c *goldenCase, err error) bool {
	var v *grammar.Violation
	return c.from == convert.For(ir.AnthropicMessages) && errors.As(err, &v) && strings.Contains(v.Why, "not an object")
}
