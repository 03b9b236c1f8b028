package proxy_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"apex-ai-proxy/proxy"
	"apex-ai-proxy/proxy/capture"
	"apex-ai-proxy/proxy/convert"
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
	"apex-ai-proxy/proxy/spent"
)

// markSize is the length of a mark, such as mk000123z. Clients are told apart by them: each puts its
// own into all it sends, and an upstream into all it answers.
const markSize = len("mk000000z")

// nextMark is the first mark in a text and what follows it.
func nextMark(text string) (mark, rest string) {
	for {
		at := strings.Index(text, "mk")
		if at < 0 || at+markSize > len(text) {
			return "", ""
		}
		mark, rest = text[at:at+markSize], text[at+markSize:]
		if mark[markSize-1] == 'z' && strings.Trim(mark[2:markSize-1], "0123456789") == "" {
			return mark, rest
		}
		text = text[at+2:]
	}
}

// spoiled are the ways in which spent memory shows in a text.
var spoiled = []string{string([]byte{spent.Filling}), "\uFFFD", `\ufffd`, `\xdb`, "%DB"}

// owners tell whose an exchange is, by its id.
type owners struct {
	t   *testing.T
	all sync.Map // marks
}

// alien reports a text with the mark of anybody else, and spent memory. An owner that is "" is
// who is met first.
func (o *owners) alien(what, owner, text string) (found string) {
	for m, rest := nextMark(text); m != ""; m, rest = nextMark(rest) {
		if owner == "" {
			owner = m
		}
		if m != owner {
			at := len(text) - len(rest) - markSize
			o.t.Errorf("%s of %s shows %s: …%.200q", what, owner, m, text[max(0, at-80):])
			return owner
		}
	}
	for _, s := range spoiled {
		if at := strings.Index(text, s); at >= 0 {
			o.t.Errorf("%s of %s shows spent memory: …%.200q", what, owner, text[max(0, at-80):])
			return owner
		}
	}
	return owner
}

// belongs reports what is of another exchange.
func (o *owners) belongs(what, id, text string) {
	owner, _ := o.all.Load(id)
	known, _ := owner.(string)
	if found := o.alien(what, known, text); known == "" && found != "" {
		if other, ok := o.all.LoadOrStore(id, found); ok && other != found {
			o.t.Errorf("%s: %s is %s's, and %s's", what, id, other, found)
		}
	}
}

// marked is a request of one client.
type marked struct {
	mark, path, model string
	stream            bool
	kind              string // of the answer
	how               string // the client behaves
	size              int    // of what is said, in marks
	call              string // id of a call that has been answered
}

var markedPaths = map[string][]string{
	"/v1/chat/completions": {"gpt-%s#openai", "gpt-%s", "claude-%s#anthropic", "falls", "echo#demo"},
	"/v1/messages":         {"claude-%s#anthropic", "claude-%s", "gpt-%s#openai", "llama-%s#groq", "falls", "echo#demo"},
	"/v1/responses":        {"gpt-%s#openai", "claude-%s#anthropic", "llama-%s#groq"},
}

var (
	markedKinds = []string{
		"frames", "at once", "bytes", "crlf", "other form", "packed", "early", // answers
		"busy", "remedied", "refused", "denied", "fails", "fails later", "cut", "garbage", "page",
	}
	markedHows = []string{"", "", "", "packed", "leaves", "", "hangs up", "dawdles", ""}
	goodKinds  = map[string]bool{"frames": true, "at once": true, "bytes": true, "crlf": true, "other form": true, "packed": true, "busy": true}
	toldKinds  = map[string]bool{"refused": true, "fails": true, "fails later": true}
)

// markedRequests are one of each kind there is.
func markedRequests(n int) (all []marked) {
	for path, models := range markedPaths {
		for _, model := range models {
			for _, stream := range []bool{true, false} {
				for _, kind := range markedKinds {
					m := marked{path: path, stream: stream, kind: kind, mark: fmt.Sprintf("mk%06dz", n)}
					m.how = markedHows[n%len(markedHows)]
					if m.size = []int{1, 30, 500, 5000}[n%4]; kind == "early" {
						m.size = 30_000 // of which some may still be on the way
					}
					if m.model = model; strings.Contains(model, "%s") {
						m.model = fmt.Sprintf(model, m.mark)
					}
					all = append(all, m)
					n++
				}
			}
		}
	}
	return all
}

func (m marked) body() string {
	said := strings.Repeat(m.mark+" ", m.size)
	schema := `{"type":"object","properties":{"` + m.mark + `":{"type":"string"}}}`
	head := fmt.Sprintf(`{"model":%q,"stream":%t,"temperature":0.5,`, m.model, m.stream)
	name := `"name":"tool_` + m.mark + `","description":"of ` + m.mark + `",`
	switch m.path {
	case "/v1/messages":
		return head + `"max_tokens":100000,"metadata":{"user_id":"` + m.mark + `"},"system":"for ` + m.mark + `","tools":[{` + name + `"input_schema":` + schema + `}],"messages":[{"role":"user","content":[{"type":"text","text":"` + said + `"}]}]}`
	case "/v1/responses":
		return head + `"user":"` + m.mark + `","instructions":"for ` + m.mark + `","tools":[{"type":"function",` + name + `"strict":false,"parameters":` + schema + `}],"input":"` + said + `"}`
	}
	turns := `{"role":"system","content":"for ` + m.mark + `"},{"role":"user","content":"` + said + `"}`
	if m.call != "" {
		turns += `,{"role":"assistant","tool_calls":[{"id":"` + m.call + `","type":"function","function":{"name":"tool_` + m.mark + `","arguments":"{}"}}]},{"role":"tool","tool_call_id":"` + m.call + `","content":"` + m.mark + `"}`
	}
	return head + `"user":"` + m.mark + `","tools":[{"type":"function","function":{` + name + `"parameters":` + schema + `}}],"messages":[` + turns + `]}`
}

// answerTo is what a model says to a request, in pieces when it streams.
func answerTo(t *testing.T, path, mark string, size int, stream bool) []string {
	codec := convert.For(ir.OpenAIChat)
	switch {
	case strings.HasSuffix(path, "/messages"):
		codec = convert.For(ir.AnthropicMessages)
	case strings.HasSuffix(path, "/responses"):
		codec = convert.For(ir.OpenAIResponses)
	}
	text := rawjson.Escape(strings.Repeat(mark+" ", size))
	res := &ir.Response{
		ID: "id_" + mark, Model: "model-" + mark, Created: 1700000000, Completed: 1700000001, HasUsage: true, Usage: ir.Usage{Input: 3, Output: 5}, Stop: ir.Stop{Reason: ir.StopTools},
		Parts: []ir.Part{
			{Kind: ir.Thinking, Text: rawjson.Escape("thought " + mark), Signature: rawjson.Escape("signed" + mark)},
			{Kind: ir.Text, Text: text, Links: []ir.Link{{URL: rawjson.Escape("https://x.example/" + mark), Title: rawjson.Escape(mark), End: 5}}},
			{Kind: ir.ToolCall, Call: ir.Call{ID: "toolu_" + mark, Name: "tool_" + mark, Args: rawjson.Value(`{"` + mark + `":"` + mark + `"}`)}},
		},
	}
	reply := ir.Reply{Model: res.Model, ID: mark, Created: 1700000000, IncludeUsage: true}
	if !stream {
		body, err := codec.EncodeResponse(res, reply)
		if err != nil {
			t.Error(err)
		}
		return []string{string(body)}
	}
	enc, frames := codec.NewStreamEncoder(reply), []string(nil)
	piece := len(mark+" ") * max(4, size/20) // of whole marks
	ir.Replay(res, func(ev *ir.Event) {
		if ev.Kind != ir.Delta {
			frames = append(frames, string(enc.Append(nil, ev)))
			return
		}
		for text := ev.Text; len(text) > 0; text = text[min(piece, len(text)):] {
			ev.Text = text[:min(piece, len(text))]
			frames = append(frames, string(enc.Append(nil, ev)))
		}
	})
	return frames
}

// markedGateway answers each client with its own mark.
func markedGateway(o *owners) http.HandlerFunc {
	var before sync.Map // marks of requests that were turned away
	return func(w http.ResponseWriter, r *http.Request) {
		mark, kind, _ := strings.Cut(r.Header.Get("Cf-Aig-Event-Id"), " ")
		kind, size, _ := strings.Cut(kind, ":")
		n, stream := 0, false
		_, _ = fmt.Sscan(size, &n, &stream)
		h := w.Header()
		h.Set("X-Request-Id", "up_"+mark)
		h.Set("Cf-Aig-Log-Id", "log_"+mark)
		_ = http.NewResponseController(w).EnableFullDuplex()
		failure := fmt.Sprintf(`{"type":"error","error":{"type":"%s_error","code":"code_%s","param":"param_%[2]s","message":"said to %[2]s","details":{"only":%[2]q}}}`, map[bool]string{true: "overloaded", false: "invalid_request"}[kind == "busy"], mark)
		if kind == "early" {
			said := strings.Join(answerTo(o.t, r.URL.Path, mark, 1, stream), "")
			h.Set("Content-Length", strconv.Itoa(len(said))) // the exchange ends with it
			write(w, true, said)
			time.Sleep(5 * time.Millisecond) // in which others come
		}
		body, err := io.ReadAll(r.Body)
		o.alien("the upstream's request", mark, r.URL.String()+fmt.Sprint(r.Header)+string(body))
		if err != nil || kind == "early" {
			return
		}
		if kind == "follow" && !strings.Contains(string(body), `"signature":"signed`+mark) {
			o.t.Errorf("what %s thought is forgotten: %s", mark, body)
		}
		_, again := before.LoadOrStore(mark, true)
		refuse := func(status int, body string) {
			h.Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
		frames := answerTo(o.t, r.URL.Path, mark, n, stream != (kind == "other form"))
		switch {
		case strings.Contains(string(body), `"claude-falls"`):
			refuse(529, failure)
		case kind == "busy" && !again:
			refuse(503, failure)
		case kind == "remedied" && !again:
			refuse(400, `{"error":{"message":"Unsupported parameter: 'temperature' is not supported with this model.","type":"invalid_request_error","param":"temperature","code":"unsupported_parameter"}}`)
		case kind == "refused":
			refuse(400, failure)
		case kind == "denied":
			refuse(401, failure)
		case kind == "fails" && stream:
			write(w, false, "event: error\ndata: "+failure+"\n\n")
		case kind == "fails":
			refuse(200, failure)
		case kind == "fails later" && stream:
			write(w, true, append(frames[:len(frames)/2:len(frames)/2], "event: error\ndata: "+failure+"\n\n")...)
		case kind == "fails later":
			refuse(500, failure)
		case kind == "cut":
			text := strings.Join(frames, "")
			write(w, true, text[:len(text)/3], text[len(text)/3:len(text)/2])
			panic(http.ErrAbortHandler)
		case kind == "garbage":
			write(w, false, strings.Repeat("no answer "+mark+"\n", n))
		case kind == "page":
			write(w, false, "<html><title>for "+mark+"</title></html>")
		case kind == "packed":
			h.Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, strings.Join(frames, ""))
			_ = z.Close()
		case kind == "at once" || kind == "crlf":
			text := strings.Join(frames, "")
			if kind == "crlf" {
				text = strings.ReplaceAll(text, "\n", "\r\n")
			}
			write(w, false, text)
		case kind == "bytes":
			var pieces []string
			for text, piece := strings.Join(frames, ""), 0; len(text) > 0; text = text[min(piece, len(text)):] {
				piece = 1 + (piece*7+len(text))%(len(text)/20+900)
				pieces = append(pieces, text[:min(piece, len(text))])
			}
			write(w, true, pieces...)
		default:
			write(w, true, frames...)
		}
	}
}

// write writes pieces of an answer, and lets each go at once.
func write(w http.ResponseWriter, flush bool, pieces ...string) {
	for _, p := range pieces {
		_, _ = io.WriteString(w, p)
		if flush {
			w.(http.Flusher).Flush()
		}
	}
}

// ask sends a request and looks at what comes.
func (m marked) ask(o *owners, f *fixture, way http.RoundTripper) {
	ctx, cancel := context.WithTimeout(o.t.Context(), patience)
	defer cancel()
	body := m.body()
	edits := []edit{withHeader("Cf-Aig-Event-Id", fmt.Sprintf("%s %s:%d %t", m.mark, m.kind, m.size, m.stream)), withHeader("User-Agent", m.mark+"/1.0")}
	if m.how == "packed" {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = io.WriteString(z, body)
		_ = z.Close()
		body, edits = b.String(), append(edits, withHeader("Content-Encoding", "gzip"))
	}
	if m.how == "leaves" {
		time.AfterFunc(time.Duration(len(body)%9)*time.Millisecond, cancel)
	}
	resp, err := way.RoundTrip(f.request(ctx, http.MethodPost, m.path+"?of="+m.mark, body, edits...))
	if err != nil {
		if m.how != "leaves" {
			o.t.Errorf("%+v: %v", m, err)
		}
		return
	}
	defer resp.Body.Close()
	id := resp.Header.Get("X-Apex-Request-Id")
	if other, ok := o.all.LoadOrStore(id, m.mark); ok && other != m.mark {
		o.t.Errorf("%s is %s's and %s's", id, m.mark, other)
	}
	o.alien("the header", m.mark, fmt.Sprint(resp.Header))
	var got bytes.Buffer
	if m.how == "hangs up" {
		_, _ = io.CopyN(&got, resp.Body, 100)
		cancel()
	}
	for err == nil {
		_, err = io.CopyN(&got, resp.Body, 8<<10)
		if m.how == "dawdles" {
			time.Sleep(time.Millisecond)
		}
	}
	text := got.String()
	o.alien("the answer", m.mark, text)
	if m.how == "leaves" || m.how == "hangs up" {
		return
	}
	if n := strings.Count(text, m.mark); goodKinds[m.kind] && (resp.StatusCode != http.StatusOK || n < m.size) || toldKinds[m.kind] && !strings.HasSuffix(m.model, "#demo") && n == 0 {
		o.t.Errorf("%+v: %d, %d marks in %.300q", m, resp.StatusCode, n, text)
	}
	m.goOn(o, f, way, text)
}

// goOn tells the model what its tool said, where it is for the proxy to know what the model thought.
func (m marked) goOn(o *owners, f *fixture, way http.RoundTripper, text string) {
	var answer struct {
		Choices []struct {
			Message struct {
				ToolCalls []struct{ ID string } `json:"tool_calls"`
			}
		}
	}
	if m.call != "" || m.stream || !strings.HasPrefix(m.model, "claude") || m.path != "/v1/chat/completions" || json.Unmarshal([]byte(text), &answer) != nil || len(answer.Choices) == 0 {
		return
	}
	m.kind, m.how, m.call = "follow", "", answer.Choices[0].Message.ToolCalls[0].ID
	m.ask(o, f, way)
}

// TestEveryoneHasTheirOwn: whatever clients, upstreams and those who look on do at the same time,
// nobody gets to see anything of another's, and nothing of memory that is in use for another: no
// client, no upstream, no record, no capture and no line of the log.
func TestEveryoneHasTheirOwn(t *testing.T) {
	const workers, rounds = 12, 2
	o := &owners{t: t}
	up := httptest.NewServer(markedGateway(o))
	t.Cleanup(up.Close)
	store := capture.NewStore(capture.Limits{Exchanges: 24, PerBody: 32 << 10, Total: 1 << 20}, nil)
	f := start(t, nil, capturing(store), withAliases(map[string][]string{"falls": {"claude-falls#anthropic", "gpt-falls#openai"}}), func(c *proxy.Config) {
		c.GatewayURL, c.Retries = up.URL+"/v1", 1
	})
	f.WithoutWaiting(func(time.Duration) {})
	watched := f.bus.Subscribe(1 << 14)
	var records sync.WaitGroup
	records.Go(func() {
		for x := range watched.C {
			o.belongs("a record", x.ID, fmt.Sprintf("%+v", x))
		}
	})
	ctx, stop := context.WithCancel(t.Context())
	var beside sync.WaitGroup
	beside.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			for _, x := range f.bus.Recent() {
				if snap, ok := store.Get(x.ID); ok {
					for side := range snap.Messages {
						m := &snap.Messages[side]
						o.belongs(fmt.Sprintf("side %d", side), x.ID, m.URL+fmt.Sprint(m.Header)+string(m.Body))
					}
				}
			}
			cfg := f.cfg
			cfg.UpstreamTimeout += time.Duration(i)
			f.Apply(cfg)
			time.Sleep(5 * time.Millisecond)
		}
	})
	todo := make(chan marked)
	var clients sync.WaitGroup
	for range workers {
		clients.Go(func() {
			way := &http.Transport{DisableCompression: true}
			defer way.CloseIdleConnections()
			for m := range todo {
				m.ask(o, f, way)
			}
		})
	}
	for round := range rounds {
		for _, m := range markedRequests(1000 * round) {
			todo <- m
		}
	}
	close(todo)
	clients.Wait()
	stop()
	beside.Wait()
	until(t, "all records are closed", func() bool {
		for _, x := range f.bus.Recent() {
			if !x.Phase.Final() {
				return false
			}
		}
		return true
	})
	watched.Close()
	records.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := f.Stop(ctx); err != nil {
		t.Error(err)
	}
	for line := range strings.Lines(f.log.String()) {
		_, id, _ := strings.Cut(line, " id=")
		id, _, _ = strings.Cut(id, " ")
		o.belongs("the log", strings.TrimSpace(id), line)
		if strings.Contains(line, "panic") || strings.Contains(line, "internal error") {
			t.Error(line)
		}
	}
}
