package convert_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"apex-ai-proxy/proxy/convert"
	"apex-ai-proxy/proxy/convert/ir"
	_ "apex-ai-proxy/proxy/spent/spoil" // memory that was given back
	"apex-ai-proxy/proxy/sse"
)

var update = flag.Bool("update", false, "rewrite the golden files from what the codecs do")

// Each golden file is one conversion. Its comment says what is converted:
//
//	request|response|stream FROM -> TO
//	model ID · dialect FIELD… · ability FIELD… · usage · estimate · custom NAME · only NAME
//	asked "MEMBER": …   of the client's request
//
// and its sections hold the input ("in") and what must come out ("out"; "warnings" with a
// line per loss; or "error").
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c := parseCase(t, a)
			got := c.run(t)
			if *update {
				a.Files = append([]txtar.File{{Name: "in", Data: c.in}}, got...)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			compare(t, a.Files[1:], got)
		})
	}
}

func compare(t *testing.T, want, got []txtar.File) {
	t.Helper()
	if len(want) != len(got) {
		t.Fatalf("got %d sections, want %d:\n%s", len(got), len(want), txtar.Format(&txtar.Archive{Files: got}))
	}
	for i := range want {
		if want[i].Name != got[i].Name || !bytes.Equal(want[i].Data, got[i].Data) {
			t.Errorf("section %s:\n%s\nwant %s:\n%s", got[i].Name, got[i].Data, want[i].Name, want[i].Data)
		}
	}
}

type goldenCase struct {
	what     string
	from, to convert.Codec
	target   ir.Target
	reply    ir.Reply
	restore  ir.Restorer
	source   ir.Source
	in       []byte
}

func parseCase(t *testing.T, a *txtar.Archive) goldenCase {
	t.Helper()
	c := goldenCase{in: a.Files[0].Data, reply: ir.Reply{Model: "asked", ID: "x1", Created: 1700000000}}
	c.target = ir.Target{Provider: "test", Model: "m"}
	for line := range strings.Lines(string(a.Comment)) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		switch words[0] {
		case "request", "response", "stream":
			c.what = words[0]
			c.from, c.to = convert.For(ir.Protocol(words[1])), convert.For(ir.Protocol(words[3]))
		case "model":
			c.target.Model = words[1]
		case "dialect":
			setFields(t, &c.target.Dialect, words[1:])
		case "ability":
			setFields(t, &c.target.Ability, words[1:])
		case "usage":
			c.reply.IncludeUsage = true
		case "estimate":
			c.reply.InputEstimate = 7
		case "custom":
			c.restore.Customs = map[string]bool{words[1]: true}
		case "only":
			c.source.OnlyTool = words[1]
		case "asked":
			c.reply.Request = c.asked(t, line[len("asked "):])
		default:
			t.Fatalf("unknown directive %q", line)
		}
	}
	c.source.LenientEOF = c.target.Dialect.LenientEOF
	return c
}

// asked is a request of the client's protocol that has the given members.
func (c *goldenCase) asked(t *testing.T, members string) *ir.Request {
	t.Helper()
	body := `{"model":"asked","input":"hi","messages":[{"role":"user","content":"hi"}],` + members + "}"
	req, _, err := c.to.DecodeRequest([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// setFields sets fields of a struct from words as in "NoStop" or "Efforts=low,high".
func setFields(t *testing.T, v any, words []string) {
	t.Helper()
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		f := reflect.ValueOf(v).Elem().FieldByName(name)
		switch {
		case !f.IsValid():
			t.Fatalf("no field %s", name)
		case f.Kind() == reflect.Bool:
			f.SetBool(true)
		case f.Kind() == reflect.Slice:
			f.Set(reflect.ValueOf(strings.Split(value, ",")))
		default:
			var n int64
			if _, err := fmt.Sscan(value, &n); err != nil {
				t.Fatal(err)
			}
			if f.CanUint() {
				f.SetUint(uint64(n))
			} else {
				f.SetInt(n)
			}
		}
	}
}

func (c *goldenCase) run(t *testing.T) []txtar.File {
	t.Helper()
	switch c.what {
	case "request":
		body, losses, err := convertRequest(c.from, c.to, c.in, c.target)
		if err != nil {
			return []txtar.File{{Name: "error", Data: fmt.Appendln(nil, err)}}
		}
		return append([]txtar.File{{Name: "out", Data: indent(t, body)}}, warnings(losses)...)
	case "response":
		res, err := c.from.DecodeResponse(c.in, c.source)
		if err != nil {
			return []txtar.File{{Name: "error", Data: fmt.Appendln(nil, err)}}
		}
		c.restore.Response(res)
		body, err := c.to.EncodeResponse(res, c.reply)
		if err != nil {
			t.Fatal(err)
		}
		return append([]txtar.File{{Name: "out", Data: indent(t, body)}}, warnings(res.Losses)...)
	default:
		return []txtar.File{{Name: "out", Data: c.stream(c.in, nil)}}
	}
}

func convertRequest(from, to convert.Codec, in []byte, target ir.Target) ([]byte, ir.Losses, error) {
	req, losses, err := from.DecodeRequest(in)
	if err != nil {
		return nil, nil, err
	}
	enc, err := to.EncodeRequest(req, target)
	return enc.Body, append(losses, enc.Losses...), err
}

func warnings(losses ir.Losses) []txtar.File {
	if len(losses) == 0 {
		return nil
	}
	var b bytes.Buffer
	for _, l := range losses {
		fmt.Fprintf(&b, "%s;path=%s\n", l.Code, l.Path)
	}
	return []txtar.File{{Name: "warnings", Data: b.Bytes()}}
}

// stream converts a whole stream, handed to the parser in the given pieces (all at once
// when nil).
func (c *goldenCase) stream(in []byte, pieces [][]byte) []byte {
	dec := c.from.NewStreamDecoder(c.source)
	enc := c.to.NewStreamEncoder(c.reply)
	restore := ir.Restorer{Customs: c.restore.Customs}
	var out []byte
	ended := false
	emit := func(ev *ir.Event) {
		if ended {
			panic("a decoder went on behind the end of its stream")
		}
		ended = ev.Kind == ir.End || ev.Kind == ir.Failure
		restore.Event(ev, func(ev *ir.Event) { out = enc.Append(out, ev) })
	}
	var p sse.Parser
	frame := func(f sse.Frame) {
		dec.Decode(f, emit)
		spoil(f.Data)
		spoil(f.Event)
	}
	if pieces == nil {
		pieces = [][]byte{in}
	}
	for _, b := range pieces {
		b = bytes.Clone(b)
		if err := p.Feed(b, frame); err != nil {
			dec.Close(err, emit)
		}
		spoil(b)
	}
	p.Close(frame)
	dec.Close(nil, emit)
	return out
}

// spoil overwrites what was read, as the next read does: nobody may have kept it.
func spoil(b []byte) {
	for i := range b {
		b[i] = '?'
	}
}

func indent(t *testing.T, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, body, "", "  "); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, body)
	}
	b.WriteByte('\n')
	return b.Bytes()
}
