// Package tokens estimates how many tokens a request has, for upstreams that cannot be
// asked. The estimate errs on the high side: a client that believes in too few tokens
// compacts its conversation too late and is refused.
//
// The vocabulary is loaded at the first use, which takes a moment and some memory.
package tokens

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"image"
	_ "image/gif" // for the size of images
	_ "image/jpeg"
	_ "image/png"
	"strings"
	"sync"

	"github.com/tiktoken-go/tokenizer/codec"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// What a request costs beside its texts, in tokens. Sources: OpenAI's description of how
// chats are counted, Anthropic's on tools, images and PDF documents.
const (
	perMessage  = 3
	perCall     = 4
	perTool     = 8
	toolsOnce   = 350
	unknownPDF  = 3000
	perPage     = 2000
	unknownSize = 1500
	maxImage    = 1600
	minImage    = 85
	longestEdge = 1568
	pixels      = 750 // per token of an image
)

// Counter counts. It remembers texts it has seen, since a conversation is counted again
// with every turn. It is safe for concurrent use.
type Counter struct {
	once  sync.Once
	codec *codec.Codec

	mu   sync.Mutex
	seen map[[sha256.Size]byte]int
}

// remembered bounds how many texts are remembered.
const remembered = 8192

// Estimate is about how many tokens the request has for the model of a provider.
func (c *Counter) Estimate(req *ir.Request, provider, model string) int64 {
	n := 0
	for i := range req.System {
		n += perMessage + c.text(req.System[i].Text)
	}
	last := lastAssistant(req)
	for i := range req.Turns {
		n += perMessage
		for j := range req.Turns[i].Parts {
			n += c.part(&req.Turns[i].Parts[j], i == last)
		}
	}
	if len(req.Tools) > 0 {
		n += toolsOnce
	}
	for i := range req.Tools {
		t := &req.Tools[i]
		n += perTool + c.count([]byte(t.Name)) + c.text(t.Description) + c.count(t.Schema)
	}
	return int64(float64(n)*factor(provider, model)) + 1
}

// factor is how much finer a model's own tokens are than those counted here.
func factor(provider, model string) float64 {
	model = strings.ToLower(model)
	switch {
	case strings.Contains(model, "claude"):
		for _, old := range []string{"claude-3", "-4-0", "-4-1", "-4-5", "-4-6", "-4.1", "-4.5", "-4.6", "sonnet-4-2", "opus-4-2"} {
			if strings.Contains(model, old) {
				return 1.15
			}
		}
		return 1.35
	case provider == "openai" || provider == "azure-openai":
		return 1
	default:
		return 1.05
	}
}

// lastAssistant is the index of the model's last turn: thinking before it is not read again.
func lastAssistant(req *ir.Request) int {
	for i := len(req.Turns) - 1; i >= 0; i-- {
		if req.Turns[i].Role == ir.RoleAssistant {
			return i
		}
	}
	return -1
}

func (c *Counter) part(p *ir.Part, last bool) int {
	switch p.Kind {
	case ir.Text, ir.Refusal:
		return c.text(p.Text)
	case ir.Thinking:
		if last {
			return c.text(p.Text)
		}
		return 0
	case ir.Image:
		return imageTokens(p.Media.Data)
	case ir.Document:
		return c.document(&p.Media)
	case ir.ToolCall:
		return perCall + c.count([]byte(p.Call.Name)) + c.count(p.Call.Args) + c.text(p.Call.Input)
	case ir.ToolResult:
		n := perCall
		for i := range p.Reply.Parts {
			n += c.part(&p.Reply.Parts[i], false)
		}
		return n
	case ir.Opaque:
		return c.count(p.Raw)
	default:
		return 0
	}
}

func (c *Counter) document(m *ir.Media) int {
	n := c.text(m.Title) + c.text(m.Context) + c.text(m.Body)
	for i := range m.Parts {
		n += c.part(&m.Parts[i], false)
	}
	if m.Data == nil {
		return n
	}
	raw, err := base64.StdEncoding.DecodeString(m.Data.String())
	pages := bytes.Count(raw, []byte("/Type /Page")) + bytes.Count(raw, []byte("/Type/Page")) -
		bytes.Count(raw, []byte("/Type /Pages")) - bytes.Count(raw, []byte("/Type/Pages"))
	if err != nil || pages <= 0 {
		return n + unknownPDF
	}
	return n + pages*perPage
}

// imageTokens is what an image costs by its size.
func imageTokens(data rawjson.Escaped) int {
	if len(data) == 0 {
		return unknownSize
	}
	r := base64.NewDecoder(base64.StdEncoding, strings.NewReader(data.String()))
	cfg, _, err := image.DecodeConfig(r)
	if err != nil || cfg.Width == 0 || cfg.Height == 0 {
		return unknownSize
	}
	w, h := float64(cfg.Width), float64(cfg.Height)
	if edge := max(w, h); edge > longestEdge {
		w, h = w*longestEdge/edge, h*longestEdge/edge
	}
	return min(max(int(w*h/pixels)+1, minImage), maxImage)
}

func (c *Counter) text(e rawjson.Escaped) int {
	if len(e) == 0 {
		return 0
	}
	return c.count(e.Append(nil))
}

// count is the number of tokens of a text.
func (c *Counter) count(text []byte) int {
	if len(text) == 0 {
		return 0
	}
	key := sha256.Sum256(text)
	c.mu.Lock()
	n, known := c.seen[key]
	c.mu.Unlock()
	if known {
		return n
	}
	n = c.tokenize(string(text))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil || len(c.seen) >= remembered {
		c.seen = make(map[[sha256.Size]byte]int, remembered/4)
	}
	c.seen[key] = n
	return n
}

// maxCounted is how many bytes of one text are really counted. More than that is rarely what
// a person wrote, and takes seconds; the rest is taken to be like the beginning.
const maxCounted = 1 << 20

func (c *Counter) tokenize(text string) int {
	if len(text) > maxCounted {
		return int(int64(c.tokenize(strings.ToValidUTF8(text[:maxCounted], ""))) * int64(len(text)) / maxCounted)
	}
	c.once.Do(func() { c.codec = codec.NewO200kBase() })
	n, err := c.codec.Count(text)
	if err != nil {
		return len(text)/3 + 1
	}
	return n
}
