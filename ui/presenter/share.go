package presenter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/capture"
	"apex-ai-proxy/proxy/capture/export"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/ui/words"
)

// FileForm is a form in which exchanges are saved.
type FileForm uint8

// The forms.
const (
	JSONL FileForm = iota
	HAR
)

// FileName is what a file of the form is called unless the user says otherwise.
func FileName(f FileForm) string {
	if f == HAR {
		return "requests.har"
	}
	return "requests.jsonl"
}

// Save writes exchanges with what was captured of them. It may take a while for many.
func Save(w io.Writer, f FileForm, list []event.Exchange, captures *capture.Store, addr, version string) error {
	entries := make([]export.Entry, len(list))
	for i := range list {
		entries[i].Record = list[i]
		if s, ok := captures.Get(list[i].ID); ok {
			entries[i].Captured = &s
		}
	}
	if f == HAR {
		return export.HAR(w, entries, BaseURLs(addr).Anthropic, version)
	}
	return export.JSONL(w, entries)
}

// Omitted is how many of the exchanges a file of the form leaves out, because nothing of them but
// their record is kept.
func Omitted(f FileForm, list []event.Exchange, captures *capture.Store) (n int) {
	for i := range list {
		if some, _ := captures.Kept(list[i].ID); f == HAR && !some {
			n++
		}
	}
	return n
}

// Curl is a command that repeats a captured request, from the client or to the gateway.
// An error is a short sentence for the user.
func Curl(captures *capture.Store, x *event.Exchange, side capture.Side, addr string, shell export.Shell) (string, error) {
	s, ok := captures.Get(x.ID)
	base := BaseURLs(addr).Anthropic
	switch {
	case !ok || !s.Messages[capture.ClientRequest].Seen:
		return "", errors.New(words.T("The body of this request is not kept."))
	case side == capture.ClientRequest && base == "":
		return "", errors.New(words.T("The proxy has an address once it runs."))
	case side == capture.UpstreamRequest && x.Provider == demoProvider: // which has no address that others can use
		return "", errors.New(words.T("The demo sends nothing to the gateway."))
	case !s.Messages[side].Seen:
		return "", errors.New(words.T("This request was not sent to the gateway."))
	}
	text, err := export.Curl(&s, side, base, shell)
	if errors.Is(err, export.ErrCut) {
		return "", errors.New(words.T("Only the beginning of this request is kept."))
	}
	if errors.Is(err, export.ErrQuote) {
		return "", errors.New(words.T("It holds characters that cannot be pasted safely."))
	}
	if err != nil {
		return "", fmt.Errorf("write the command: %w", err)
	}
	return text, nil
}

// Unrepeatable is why a request cannot be sent again now, in a short sentence, "" when it can.
func Unrepeatable(captures *capture.Store, x *event.Exchange, running bool) string {
	switch some, all := captures.Kept(x.ID); {
	case !some:
		return words.T("The body of this request is not kept.")
	case !all:
		return words.T("Only the beginning of this request is kept.")
	case !running:
		return words.T("Start the proxy to send this request again.")
	default:
		return ""
	}
}

// editable bounds the length of a body that can be edited, in bytes: an entry takes
// seconds for more.
const editable = 24 << 10

// Draft is a request about to be sent again.
type Draft struct {
	ID    string
	Model string // as asked for
	Body  string // "" when it cannot be edited, which Note explains
	Note  string
}

// NewDraft prepares sending a captured request again. ok is false when it is not kept as
// a whole; Note then says so.
func NewDraft(captures *capture.Store, x *event.Exchange) (d Draft, ok bool) {
	d = Draft{ID: x.ID, Model: x.ModelAsked}
	_, body, ok := captures.Original(x.ID)
	switch {
	case !ok:
		d.Note = words.T("The request cannot be sent again: it is not kept any more, or only its beginning.")
		return d, false
	case len(body) > editable:
		d.Note = words.F("The body is too long to be edited here ({{.Size}}). It is sent as it was, with the model above.", words.V{"Size": size(int64(len(body)))})
	default:
		d.Body = pretty(body)
	}
	return d, true
}

// Replay is what is to be sent: the model is that of its field, also where the body names
// another. A body in which nothing else was edited is sent as it was, byte for byte.
func (d Draft) Replay(model, body string) Replay {
	r := Replay{ID: d.ID}
	if model != d.Model {
		r.Model = model
	}
	if body = WithModel(body, model); body != WithModel(d.Body, model) {
		r.Body = []byte(body)
	}
	return r
}

// Edited tells whether work would be lost with a body: whether it is another, apart from the
// model.
func (d Draft) Edited(body string) bool {
	return WithModel(body, d.Model) != WithModel(d.Body, d.Model)
}

// BodyModel is the model that a body asks for. ok is false while the body is not JSON, or
// names none.
func BodyModel(body string) (model string, ok bool) {
	from, to, ok := modelAt(body)
	if !ok || json.Unmarshal([]byte(body[from:to]), &model) != nil {
		return "", false
	}
	return model, true
}

// BodyFault is why a body cannot be sent, in a sentence, "" when it can.
func BodyFault(body string) string {
	var value json.RawMessage
	err := json.Unmarshal([]byte(body), &value)
	var wrong *json.SyntaxError
	if !errors.As(err, &wrong) {
		return ""
	}
	line := 1 + strings.Count(body[:min(int(wrong.Offset), len(body))], "\n")
	return words.F("Body: line {{.Line}} is not valid JSON", words.V{"Line": line})
}

// WithModel is a body that asks for a model; the rest stays byte for byte. A body that names
// none stays as it is.
func WithModel(body, model string) string {
	from, to, ok := modelAt(body)
	if was, _ := BodyModel(body); !ok || was == model {
		return body
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(model) != nil {
		return body
	}
	return body[:from] + strings.TrimSuffix(b.String(), "\n") + body[to:]
}

// modelAt is where the value of the field model stands in a JSON object, in bytes. ok is
// false when there is none that is a string.
func modelAt(body string) (from, to int, ok bool) {
	d := json.NewDecoder(strings.NewReader(body))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return 0, 0, false
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return 0, 0, false
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return 0, 0, false
		}
		if name == "model" && value[0] == '"' {
			to = int(d.InputOffset())
			return to - len(value), to, true
		}
	}
	return 0, 0, false
}

// ReplayFailure is why a request could not be sent again, in a sentence.
func ReplayFailure(err error) string {
	switch {
	case errors.Is(err, ErrNotRunning):
		return words.T("The proxy is not running. Start it, then send the request again.")
	case errors.Is(err, ErrNotKept):
		return words.T("The request cannot be sent again: it is not kept any more, or only its beginning.")
	default:
		return Tell(err)
	}
}

// GatewayLog is the page of Cloudflare's dashboard with the gateway's log, nil while the
// gateway is not known.
func GatewayLog(s settings.Settings) *url.URL {
	if !setUp(s) {
		return nil
	}
	return &url.URL{Scheme: "https", Host: "dash.cloudflare.com", Path: "/" + s.Gateway.Account + "/ai/ai-gateway/gateways/" + s.Gateway.ID + "/logs"}
}
