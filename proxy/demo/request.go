package demo

import (
	"encoding/base64"
	"fmt"
	"strings"

	"apex-ai-proxy/proxy/rawjson"
)

// request is what the behaviours look at, whatever protocol it came in.
type request struct {
	model        string
	stream       bool
	includeUsage bool

	words     int    // size of the prompt, for usage
	text      string // the last text of the user
	media     []media
	results   []result // answers to the calls of the last assistant turn
	callNames map[string]string

	tools    []tool
	choice   string // "", none, auto, any, or tool
	named    string // the tool of choice
	parallel bool

	format rawjson.Value // schema that the answer must fit, nil for none

	thinks        thinking
	omitThoughts  bool
	maxTokens     int64
	stopSequences []string
}

type thinking uint8

const (
	thinkingUnset thinking = iota
	thinkingOff
	thinkingOn
)

type tool struct {
	name   string
	space  string // the namespace around it, of the Responses API
	schema rawjson.Value
	custom bool // takes text, not arguments
}

type result struct {
	name   string
	text   string
	failed bool
}

// media is an image or document that the user sent.
type media struct {
	kind string // "image", "document", "audio"
	what string // "image/png, 70 bytes" or an address
}

// newTurn forgets what belonged to the turns before the last assistant turn.
func (r *request) newTurn() { r.media, r.results = nil, nil }

func (r *request) call(id, name string) {
	if r.callNames == nil {
		r.callNames = map[string]string{}
	}
	r.callNames[id] = name
}

func (r *request) addText(s string) {
	r.words += len(strings.Fields(s))
	if strings.TrimSpace(s) != "" {
		r.text = s
	}
}

// inlineMedia describes base64 data. Its size is computed, not decoded.
func inlineMedia(kind, mediaType string, data rawjson.Escaped) media {
	n := base64.StdEncoding.DecodedLen(len(data))
	for i := len(data); i > 0 && data[i-1] == '='; i-- {
		n--
	}
	return media{kind: kind, what: fmt.Sprintf("%s, %d bytes", mediaType, n)}
}

// sniff tells the media type of base64 data by its first bytes, "" when unknown.
func sniff(data rawjson.Escaped) string {
	head := data
	if len(head) > 16 {
		head = head[:16]
	}
	raw := make([]byte, 12)
	n, err := base64.StdEncoding.Decode(raw, head[:len(head)/4*4])
	if err != nil {
		return ""
	}
	switch s := string(raw[:n]); {
	case strings.HasPrefix(s, "\x89PNG"):
		return "image/png"
	case strings.HasPrefix(s, "\xff\xd8\xff"):
		return "image/jpeg"
	case strings.HasPrefix(s, "GIF8"):
		return "image/gif"
	case strings.HasPrefix(s, "RIFF") && strings.HasSuffix(s, "WEBP"):
		return "image/webp"
	case strings.HasPrefix(s, "%PDF"):
		return "application/pdf"
	default:
		return ""
	}
}

// isBase64 checks the alphabet and the padding, which is cheaper than decoding.
func isBase64(data rawjson.Escaped) bool {
	body := strings.TrimRight(string(data[max(0, len(data)-2):]), "=")
	end := max(0, len(data)-2) + len(body)
	for _, c := range data[:end] {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '+' && c != '/' {
			return false
		}
	}
	return len(data) > 0 && len(data)%4 == 0
}
