package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"apex-ai-proxy/proxy/demo/grammar"
)

// question is a request and what must come of it.
type question struct {
	seed     uint64
	kind     string // of the answer
	how      string // the client behaves: "", "leaves", "hangs up", "dawdles", "half", "packed"
	protocol string
	model    string
	stream   bool
	passed   bool // the upstream speaks the client's protocol
}

// kinds are what is asked for, and how often of a hundred.
var kinds = []struct {
	kind, how string
	share     int
}{
	{"plain", "", 46},
	{"tool", "", 10},
	{"slow", "", 5},
	{"big", "", 2},
	{"plain", "packed", 3},
	{"busy", "", 1},
	{"limited", "", 4},
	{"failed", "", 4},
	{"page", "", 3},
	{"lied", "", 3},
	{"garbage", "", 3},
	{"cut", "", 5},
	{"hang", "leaves", 3},
	{"slow", "hangs up", 3},
	{"big", "dawdles", 1},
	{"plain", "half", 2},
	{"plain", "stranger", 1},
	{"plain", "lists", 1},
}

// models are whom the clients ask, the first of each in its own protocol.
var models = map[string][]string{
	"/v1/chat/completions": {"gpt-4o#openai", "claude-sonnet-4-5#anthropic", alias},
	"/v1/messages":         {"claude-sonnet-4-5#anthropic", "llama-3.3-70b-versatile#groq", "gpt-5#openai"},
	"/v1/responses":        {"gpt-5#openai", "claude-sonnet-4-5#anthropic", "llama-3.3-70b-versatile#groq"},
}

var protocols = []string{"/v1/chat/completions", "/v1/messages", "/v1/responses"}

func questionOf(seed uint64) question {
	r := rand.New(rand.NewPCG(seed, 3)) //nolint:gosec // so that it can be repeated
	q := question{seed: seed, protocol: protocols[r.IntN(3)], stream: r.IntN(3) > 0}
	list := models[q.protocol]
	i := r.IntN(len(list))
	q.model, q.passed = list[i], i == 0
	n := r.IntN(100)
	for _, k := range kinds {
		if n -= k.share; n < 0 {
			q.kind, q.how = k.kind, k.how
			break
		}
	}
	return q
}

const lookup = `{"type":"object","properties":{"query":{"type":"string"},"seed":{"type":"integer"},"deep":{"type":"object"}},"required":["query"]}`

func (q question) body() []byte {
	said := strings.Repeat("some words before it ", int(q.seed%50)) + mark(q.kind, q.seed)
	tools := map[string]string{
		"/v1/chat/completions": `,"tools":[{"type":"function","function":{"name":"lookup","parameters":` + lookup + `}}]`,
		"/v1/messages":         `,"tools":[{"name":"lookup","input_schema":` + lookup + `}]`,
		"/v1/responses":        `,"tools":[{"type":"function","name":"lookup","strict":false,"parameters":` + lookup + `}]`,
	}[q.protocol]
	if q.kind != "tool" {
		tools = ""
	}
	quoted, _ := json.Marshal(said) // a string
	turn := fmt.Sprintf(`"messages":[{"role":"user","content":%s}]`, quoted)
	switch q.protocol {
	case "/v1/messages":
		turn += `,"max_tokens":20000`
	case "/v1/responses":
		turn = `"input":` + string(quoted)
	}
	return fmt.Appendf(nil, `{"model":%q,"stream":%t,%s%s}`, q.model, q.stream, turn, tools)
}

// patience is how long an answer may take in the end.
const patience = 2 * time.Minute

// one asks a question and looks at what comes.
func (s *soak) one(seed uint64) {
	q := questionOf(seed)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := s.ask(ctx, cancel, q)
	sent := s.gateway.took(seed)
	if err == nil && q.passed && sent != nil && q.exact() {
		err = s.compare(q, sent)
	}
	s.mu.Lock()
	s.done[strings.TrimSpace(q.kind+" "+q.how)]++
	s.mu.Unlock()
	if err != nil {
		s.fail("%+v: %v", q, err)
	}
}

// exact tells whether the question has one right answer.
func (q question) exact() bool {
	return faults[q.kind] == nil && (q.how == "" || q.how == "packed" || q.how == "dawdles") || q.kind == "busy"
}

func (s *soak) compare(q question, sent []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.got[q.seed]
	delete(s.got, q.seed)
	if !bytes.Equal(nameless(got), nameless(sent)) {
		return fmt.Errorf("what passes through was changed:\n%.300s\n%.300s", got, sent)
	}
	return nil
}

var modelNames = regexp.MustCompile(`"model": ?"[^"]*"`)

func nameless(b []byte) []byte { return modelNames.ReplaceAll(b, nil) }

func (s *soak) ask(ctx context.Context, cancel context.CancelFunc, q question) error {
	body, method, path, key := q.body(), http.MethodPost, q.protocol, localKey
	switch q.how {
	case "half":
		return s.half(ctx, q, body)
	case "lists":
		method, path, body = http.MethodGet, "/v1/models", nil
	case "stranger":
		key = "somebody-elses-key"
	}
	packed := q.how == "packed"
	if packed {
		z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return err
		}
		body = z.EncodeAll(body, nil)
		_ = z.Close()
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+s.child.addr+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	if packed {
		req.Header.Set("Content-Encoding", "zstd")
	}
	if q.protocol == "/v1/messages" {
		req.Header.Set("Anthropic-Version", "2023-06-01")
	}
	if q.how == "leaves" {
		time.AfterFunc(time.Duration(1+q.seed%30)*time.Millisecond, cancel)
	}
	resp, err := s.http.Do(req)
	if q.how == "leaves" {
		if err == nil {
			_ = resp.Body.Close()
			return fmt.Errorf("answered with %d although nobody did", resp.StatusCode)
		}
		return nil
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if q.how == "hangs up" {
		_, _ = resp.Body.Read(make([]byte, 100))
		cancel()
		return nil
	}
	got, err := io.ReadAll(q.reader(resp.Body))
	return s.judge(q, resp, got, err)
}

// reader reads as the client does.
func (q question) reader(r io.Reader) io.Reader {
	if q.how == "dawdles" {
		return &dawdler{r}
	}
	return r
}

// dawdler reads slowly.
type dawdler struct{ io.Reader }

// Read implements io.Reader.
func (d *dawdler) Read(b []byte) (int, error) {
	time.Sleep(time.Millisecond)
	return d.Reader.Read(b[:min(len(b), 8<<10)])
}

// half sends half a request and leaves.
func (s *soak) half(ctx context.Context, q question, body []byte) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.child.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		q.protocol, localKey, len(body), body[:len(body)/2])
	return err
}

// judge looks at an answer.
func (s *soak) judge(q question, resp *http.Response, got []byte, err error) error {
	wanted := map[string]int{"limited": 429, "failed": 500, "page": 502, "lied": 500, "garbage": 502}
	status := wanted[q.kind]
	switch {
	case q.how == "stranger":
		status = http.StatusUnauthorized
	case q.how == "lists":
		if resp.StatusCode != http.StatusOK || !bytes.Contains(got, []byte(`"id":"`+alias+`"`)) {
			return fmt.Errorf("the list of models: %d %.300s", resp.StatusCode, got)
		}
		return nil
	case q.kind == "cut":
		return q.broken(resp, got, err)
	}
	switch {
	case err != nil:
		return err
	case status != 0:
		if q.kind == "limited" && resp.Header.Get("Retry-After") != "30" {
			return errors.New("retry-after is lost")
		}
		return q.refused(resp, got, status)
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("%d %.300s", resp.StatusCode, got)
	}
	if q.passed {
		s.mu.Lock()
		s.got[q.seed] = got
		s.mu.Unlock()
	}
	return q.right(got)
}

// refused wants an error in the client's envelope.
func (q question) refused(resp *http.Response, got []byte, status int) error {
	var e struct {
		Type  string
		Error struct{ Message, Type string }
	}
	if err := json.Unmarshal(got, &e); err != nil || e.Error.Message == "" || e.Error.Type == "" || (e.Type == "error") != (q.protocol == "/v1/messages") {
		return fmt.Errorf("not an error of the client's protocol: %d %.300s", resp.StatusCode, got)
	}
	if resp.StatusCode != status {
		return fmt.Errorf("status %d, want %d: %.300s", resp.StatusCode, status, got)
	}
	return nil
}

// broken wants an answer that broke off to be told from a whole one.
func (q question) broken(resp *http.Response, got []byte, err error) error {
	var told *grammar.StreamError
	switch {
	case resp.StatusCode >= http.StatusInternalServerError:
		return q.refused(resp, got, http.StatusBadGateway)
	case err != nil && !q.stream, q.stream && errors.As(q.grammar(got), &told):
		return nil
	default:
		return fmt.Errorf("half an answer looks whole: %d %.500s", resp.StatusCode, got)
	}
}

func (q question) grammar(stream []byte) error {
	switch q.protocol {
	case "/v1/messages":
		return grammar.Messages(stream)
	case "/v1/responses":
		return grammar.Responses(stream)
	default:
		return grammar.Chat(stream, false)
	}
}

// right wants what the upstream said, to the letter.
func (q question) right(got []byte) error {
	if q.stream {
		if err := q.grammar(got); err != nil {
			return fmt.Errorf("%w in %.2000s", err, got)
		}
	}
	said, args, err := read(q.protocol, q.stream, got)
	if err != nil {
		return err
	}
	if q.kind == "tool" {
		var a, b any
		if json.Unmarshal([]byte(args), &a) != nil || json.Unmarshal([]byte(arguments(q.seed)), &b) != nil || fmt.Sprint(a) != fmt.Sprint(b) {
			return fmt.Errorf("called with %s, want %s", args, arguments(q.seed))
		}
		return nil
	}
	if want := text(q.kind, q.seed); said != want {
		return fmt.Errorf("said %.200q, want %.200q", said, want)
	}
	return nil
}
