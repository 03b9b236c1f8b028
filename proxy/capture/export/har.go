package export

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"apex-ai-proxy/proxy/capture"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/proxy/prose"
)

// The parts of an HTTP Archive, version 1.2. Fields that begin with _ are our own, as the
// format allows.
type (
	har struct {
		Log harLog `json:"log"`
	}
	harLog struct {
		Version string     `json:"version"`
		Creator harCreator `json:"creator"`
		Entries []harEntry `json:"entries"`
	}
	harCreator struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	harEntry struct {
		Started  string      `json:"startedDateTime"`
		Time     float64     `json:"time"`
		Request  harRequest  `json:"request"`
		Response harResponse `json:"response"`
		Cache    struct{}    `json:"cache"`
		Timings  harTimings  `json:"timings"`
		Comment  string      `json:"comment,omitempty"`
		Exchange string      `json:"_exchange"`
		Tries    []try       `json:"_sent_again,omitempty"` // before this request
	}
	harRequest struct {
		Method   string    `json:"method"`
		URL      string    `json:"url"`
		Version  string    `json:"httpVersion"`
		Cookies  []harPair `json:"cookies"`
		Headers  []harPair `json:"headers"`
		Query    []harPair `json:"queryString"`
		PostData *harPost  `json:"postData,omitempty"`
		HeadSize int       `json:"headersSize"`
		BodySize int64     `json:"bodySize"`
	}
	harResponse struct {
		Status   int        `json:"status"`
		Text     string     `json:"statusText"`
		Version  string     `json:"httpVersion"`
		Cookies  []harPair  `json:"cookies"`
		Headers  []harPair  `json:"headers"`
		Content  harContent `json:"content"`
		Redirect string     `json:"redirectURL"`
		HeadSize int        `json:"headersSize"`
		BodySize int64      `json:"bodySize"`
	}
	harPair struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	harPost struct {
		Type    string    `json:"mimeType"`
		Params  []harPair `json:"params"`
		Text    string    `json:"text"`
		Comment string    `json:"comment,omitempty"`
	}
	harContent struct {
		Size    int64  `json:"size"`
		Type    string `json:"mimeType"`
		Text    string `json:"text,omitempty"`
		Comment string `json:"comment,omitempty"`
	}
	harTimings struct {
		Send    float64 `json:"send"`
		Wait    float64 `json:"wait"`
		Receive float64 `json:"receive"`
	}
)

// unknownSize is what the format wants where a size is not known.
const unknownSize = -1

// HAR writes an HTTP Archive with two entries per exchange, as far as they were captured:
// what the client and the proxy said to each other, and the proxy and the gateway. The
// latter is the last request of its exchange; those before it are in its field _sent_again,
// because nothing but their outcome is kept. base is the proxy's address, as in http://127.0.0.1:8787; version the program's.
func HAR(w io.Writer, entries []Entry, base, version string) error {
	doc := har{harLog{Version: "1.2", Creator: harCreator{"Apex AI Proxy", version}, Entries: []harEntry{}}}
	for i := range entries {
		e := &entries[i]
		if e.Captured == nil {
			continue
		}
		for _, pair := range [...]struct {
			request, answer capture.Side
			comment         string
		}{
			{capture.ClientRequest, capture.ClientAnswer, "between the client and the proxy"},
			{capture.UpstreamRequest, capture.UpstreamAnswer, "between the proxy and the gateway"},
		} {
			if !e.Captured.Messages[pair.request].Seen {
				continue
			}
			out := harEntryOf(e, &e.Captured.Messages[pair.request], &e.Captured.Messages[pair.answer], base, pair.comment)
			if pair.request == capture.UpstreamRequest {
				out.Tries = triesOf(&e.Record)
			}
			doc.Log.Entries = append(doc.Log.Entries, out)
		}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(doc); err != nil {
		return prose.Errorf("write the archive: %v", err)
	}
	return nil
}

func harEntryOf(e *Entry, req, ans *capture.Message, base, comment string) harEntry {
	x := &e.Record
	out := harEntry{
		Started: x.Start.Format(time.RFC3339Nano), Time: ms(x.Duration), Timings: timings(x), Comment: comment, Exchange: x.ID,
		Request: harRequest{
			Method: req.Method, URL: absolute(req.URL, base), Version: "HTTP/1.1", Cookies: []harPair{},
			Headers: pairs(req.Header), Query: query(req.URL), HeadSize: unknownSize, BodySize: req.Size,
		},
		Response: harResponse{
			Status: ans.Status, Text: http.StatusText(ans.Status), Version: "HTTP/1.1", Cookies: []harPair{},
			Headers: pairs(ans.Header), Redirect: "", HeadSize: unknownSize, BodySize: ans.Size,
			Content: harContent{Size: ans.Size, Type: ans.Header.Get("Content-Type"), Text: valid(ans.Body), Comment: cutNote(ans)},
		},
	}
	if req.Size > 0 {
		out.Request.PostData = &harPost{Type: req.Header.Get("Content-Type"), Params: []harPair{}, Text: valid(req.Body), Comment: cutNote(req)}
	}
	return out
}

// timings splits the time of an exchange; the sum is the whole of it.
func timings(x *event.Exchange) harTimings {
	wait := min(x.FirstByte, x.Duration)
	if x.FirstByte == 0 {
		wait = x.Duration
	}
	return harTimings{Wait: ms(wait), Receive: ms(x.Duration - wait)}
}

func absolute(address, base string) string {
	if strings.HasPrefix(address, "/") {
		return base + address
	}
	return address
}

func pairs(h http.Header) []harPair {
	out := []harPair{}
	for name, values := range h {
		for _, v := range values {
			out = append(out, harPair{name, v})
		}
	}
	slices.SortStableFunc(out, func(a, b harPair) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func query(address string) []harPair {
	out := []harPair{}
	_, raw, _ := strings.Cut(address, "?")
	for _, pair := range strings.Split(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		out = append(out, harPair{plain(name), plain(value)})
	}
	return out
}

func plain(s string) string {
	if p, err := url.QueryUnescape(s); err == nil {
		return p
	}
	return s
}

// valid is a body as text that JSON can hold.
func valid(b []byte) string {
	s := text(b)
	if !utf8.ValidString(s) {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return s
}

func cutNote(m *capture.Message) string {
	if !m.Cut() {
		return ""
	}
	return fmt.Sprintf("the first %d of %d bytes", len(m.Body), m.Size)
}
