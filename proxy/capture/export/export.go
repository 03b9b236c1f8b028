// Package export writes captured exchanges in forms that other programs read: JSON lines,
// HAR 1.2, and cURL commands. What it is given has no credentials any more (package
// capture); cURL commands name environment variables in their place.
package export

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"time"
	"unicode/utf8"

	"apex-ai-proxy/proxy/capture"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/proxy/prose"
)

// Entry is an exchange: its record, and what was captured of it, which may be nothing.
type Entry struct {
	Record   event.Exchange
	Captured *capture.Snapshot
}

// line is an exchange as one line of JSON. Times are RFC 3339, durations milliseconds.
type line struct {
	ID       string    `json:"id"`
	Start    time.Time `json:"start"`
	Phase    string    `json:"phase"`
	Client   string    `json:"client,omitempty"`
	Method   string    `json:"method"`
	Path     string    `json:"path"`
	Asked    string    `json:"model_asked,omitempty"`
	Used     string    `json:"model_used,omitempty"`
	Provider string    `json:"provider,omitempty"`
	From     string    `json:"client_protocol,omitempty"`
	To       string    `json:"upstream_protocol,omitempty"`
	Stream   bool      `json:"stream"`
	Status   int       `json:"status,omitempty"`
	First    float64   `json:"first_byte_ms,omitempty"`
	Took     float64   `json:"duration_ms,omitempty"`
	Tokens   *tokens   `json:"tokens,omitempty"`
	Tries    []try     `json:"sent_again,omitempty"`
	Warnings []warning `json:"warnings,omitempty"`
	Error    string    `json:"error,omitempty"`
	Code     string    `json:"error_code,omitempty"`
	Gateway  string    `json:"gateway_log_id,omitempty"`
	Cache    string    `json:"cache_status,omitempty"`
	Step     string    `json:"gateway_step,omitempty"`
	Routed   string    `json:"gateway_model,omitempty"`
	ReplayOf string    `json:"replay_of,omitempty"`

	Messages map[string]message `json:"messages,omitempty"`
}

type tokens struct {
	Input      int64 `json:"input"`
	CacheRead  int64 `json:"cache_read"`
	CacheWrite int64 `json:"cache_write"`
	Output     int64 `json:"output"`
	Reasoning  int64 `json:"reasoning"`
	Estimate   bool  `json:"estimate,omitempty"`
}

type warning struct {
	Code string `json:"code"`
	Path string `json:"path,omitempty"`
	Why  string `json:"why,omitempty"`
}

// try is a request that was sent again, after a wait.
type try struct {
	Model  string  `json:"model"`
	Status int     `json:"status,omitempty"`
	Why    string  `json:"why"`
	Wait   float64 `json:"wait_ms"`
}

type message struct {
	Method string          `json:"method,omitempty"`
	URL    string          `json:"url,omitempty"`
	Status int             `json:"status,omitempty"`
	Header http.Header     `json:"headers,omitempty"`
	Size   int64           `json:"size"`
	Cut    bool            `json:"cut,omitempty"` // the body is longer than what follows
	Body   json.RawMessage `json:"body,omitempty"`
}

var sideNames = [capture.Sides]string{"client_request", "upstream_request", "upstream_answer", "client_answer"}

// JSONL writes one line of JSON per exchange. A body that is JSON stands there as JSON,
// any other as a string.
func JSONL(w io.Writer, entries []Entry) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for i := range entries {
		if err := enc.Encode(lineOf(&entries[i])); err != nil {
			return prose.Errorf("write JSON lines: %v", err)
		}
	}
	return nil
}

func lineOf(e *Entry) line {
	x := &e.Record
	l := line{
		ID: x.ID, Start: x.Start, Phase: x.Phase.String(), Client: x.Client, Method: x.Method, Path: x.Path,
		Asked: x.ModelAsked, Used: x.ModelUsed, Provider: x.Provider, From: x.ClientProtocol, To: x.UpstreamProtocol,
		Stream: x.Stream, Status: x.Status, First: ms(x.FirstByte), Took: ms(x.Duration),
		Error: x.Error, Code: x.ErrorKind, Gateway: x.GatewayLogID, Cache: x.CacheStatus,
		Step: x.GatewayStep, Routed: x.GatewayModel, ReplayOf: x.ReplayOf, Tries: triesOf(x),
	}
	if t := x.Tokens; t != (event.Tokens{}) {
		l.Tokens = &tokens{t.Input, t.CacheRead, t.CacheWrite, t.Output, t.Reasoning, !t.Known}
	}
	for _, w := range x.Warnings {
		l.Warnings = append(l.Warnings, warning{w.Code, w.Path, w.Why})
	}
	if e.Captured == nil {
		return l
	}
	l.Messages = make(map[string]message, capture.Sides)
	for side := range e.Captured.Messages {
		if m := &e.Captured.Messages[side]; m.Seen {
			l.Messages[sideNames[side]] = message{
				Method: m.Method, URL: m.URL, Status: m.Status, Header: m.Header, Size: m.Size, Cut: m.Cut(), Body: bodyJSON(m.Body),
			}
		}
	}
	return l
}

// triesOf are the requests of an exchange that were sent again.
func triesOf(x *event.Exchange) []try {
	var out []try
	for _, t := range x.Tries {
		out = append(out, try{t.Model, t.Status, t.Why, ms(t.Wait)})
	}
	return out
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// bodyJSON is a body within a JSON document, on one line.
func bodyJSON(b []byte) json.RawMessage {
	if len(b) == 0 {
		return nil
	}
	var out bytes.Buffer
	if json.Compact(&out, b) == nil {
		return out.Bytes()
	}
	out.Reset()
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(text(b)) // a string can always be written
	return bytes.TrimSpace(out.Bytes())
}

// text is a body as text. One that was cut in the middle of a character loses the rest of it.
func text(b []byte) string {
	for range utf8.UTFMax - 1 {
		if r, size := utf8.DecodeLastRune(b); r != utf8.RuneError || size != 1 {
			break
		}
		b = b[:len(b)-1]
	}
	return string(b)
}
