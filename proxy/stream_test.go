package proxy_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"apex-ai-proxy/proxy"
	"apex-ai-proxy/proxy/demo/grammar"
	"apex-ai-proxy/proxy/event"
)

// doors are the four ways of a stream: both clients, passed through and converted.
type door struct {
	name, path, body string
	chat, converted  bool
	frames           []string // of the upstream
}

var doors = []door{
	{"chat passed", "/v1/chat/completions", chat("gpt-4o#openai", `"stream":true,`), true, false, chatFrames},
	{"chat converted", "/v1/chat/completions", chat("claude-x#anthropic", `"stream":true,"stream_options":{"include_usage":true},`), true, true, msgFrames},
	{"messages passed", "/v1/messages", messages("claude-x#anthropic", `"stream":true,`), false, false, msgFrames},
	{"messages converted", "/v1/messages", messages("gpt-4o#openai", `"stream":true,`), false, true, chatFrames},
}

// model is the model that the door's request asks for.
func (d door) model() string {
	if d.chat != d.converted {
		return "gpt-4o#openai"
	}
	return "claude-x#anthropic"
}

func grammarOf(isChat bool, stream string) error {
	if isChat {
		return grammar.Chat([]byte(stream), strings.Contains(stream, `"usage":{`))
	}
	return grammar.Messages([]byte(stream))
}

// failedWell tells whether a stream keeps the rules and ends in an error.
func failedWell(isChat bool, stream string) bool {
	var told *grammar.StreamError
	return errors.As(grammarOf(isChat, stream), &told)
}

func TestStreams(t *testing.T) {
	for _, d := range doors {
		for name, frames := range map[string][]string{
			"frame by frame": d.frames,
			"at once":        {strings.Join(d.frames, "")},
			"byte by byte":   strings.Split(strings.Join(d.frames, ""), ""),
			"crlf":           {strings.ReplaceAll(strings.Join(d.frames, ""), "\n", "\r\n")},
			"no last line":   {strings.TrimRight(strings.Join(d.frames, ""), "\n")},
		} {
			t.Run(d.name+"/"+name, func(t *testing.T) {
				f := start(t, newUpstream(t, sseAnswer(frames...)))
				got := f.post(d.path, d.body)
				if got.status != 200 || got.err != nil || !strings.HasPrefix(got.header.Get("Content-Type"), "text/event-stream") {
					t.Fatalf("%d %v %v", got.status, got.err, got.header)
				}
				if !d.converted && got.body != named(strings.Join(frames, ""), d.model()) {
					t.Errorf("more than the model's name was changed:\n%s", got.body)
				}
				if name != "no last line" || d.converted {
					if err := grammarOf(d.chat, got.body); err != nil {
						t.Errorf("%v\n%s", err, got.body)
					}
				}
				x := f.final(got.header.Get("X-Apex-Request-Id"))
				want := event.Tokens{Input: 11, Output: 3, Known: true}
				if d.chat == d.converted {
					want.CacheRead = 4
				}
				if x.Phase != event.Done || x.Tokens != want || !x.Stream || x.Converted() != d.converted || x.FirstByte == 0 || x.BytesOut != int64(len(got.body)) {
					t.Errorf("record %+v", x)
				}
			})
		}
	}
}

func TestStreamsComeAtOnce(t *testing.T) {
	for _, d := range doors {
		t.Run(d.name, func(t *testing.T) {
			next := make(chan string)
			f := start(t, newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				for s := range next {
					_, _ = io.WriteString(w, s)
					w.(http.Flusher).Flush()
				}
			}))
			go func() { next <- d.frames[0] }()
			resp, err := client.Do(f.request(t.Context(), "POST", d.path, d.body))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			lines := bufio.NewReader(resp.Body)
			for i := 1; i < len(d.frames); i++ {
				if i == 4 && d.converted {
					break
				}
				next <- d.frames[i]
				if want := map[int]string{2: "hel", 3: "lo"}[i]; want != "" {
					for line := ""; !strings.Contains(line, want); {
						if line, err = lines.ReadString('\n'); err != nil {
							t.Fatalf("%q did not come before the next frame was sent: %v", want, err)
						}
					}
				}
			}
			close(next)
			_, _ = io.Copy(io.Discard, lines)
		})
	}
}

// TestStreamsBreak: an upstream that breaks off never looks like an end.
func TestStreamsBreak(t *testing.T) {
	var all sync.WaitGroup // the silent ones mostly wait
	defer all.Wait()
	for _, d := range doors {
		for name, answer := range map[string]http.HandlerFunc{
			"cut":             cutAnswer(d.frames[:3]...),
			"cut in a frame":  cutAnswer(append(slices.Clone(d.frames[:3]), d.frames[3][:40])...),
			"ended early":     sseAnswer(d.frames[:3]...),
			"ended in frame":  sseAnswer(append(slices.Clone(d.frames[:3]), d.frames[3][:40])...),
			"silent":          hang(d.frames[:3]...),
			"error in stream": sseAnswer(append(slices.Clone(d.frames[:3]), errorFrame(d.frames))...),
		} {
			all.Go(func() {
				t.Run(d.name+"/"+name, func(t *testing.T) { streamBreaks(t, d, name == "silent", answer) })
			})
		}
		t.Run(d.name+"/error first", func(t *testing.T) {
			f := start(t, newUpstream(t, sseAnswer(errorFrame(d.frames))))
			got := f.post(d.path, d.body)
			if got.status < 500 || !strings.Contains(got.body, "overloaded") {
				t.Errorf("%d %s", got.status, got.body)
			}
			if x := f.final(got.header.Get("X-Apex-Request-Id")); x.Phase != event.Failed {
				t.Errorf("record %+v", x)
			}
		})
	}
}

// streamBreaks asks through a door for what breaks off.
func streamBreaks(t *testing.T, d door, silent bool, answer http.HandlerFunc) {
	t.Helper()
	f := start(t, newUpstream(t, answer), func(c *proxy.Config) {
		if silent {
			c.StreamIdleTimeout = starved
		}
	})
	got := f.post(d.path, d.body)
	if d.converted && got.status >= 400 {
		parse(t, got.body) // all came in one read, so nothing had been promised
		return
	}
	if got.status != 200 || got.err != nil {
		t.Fatalf("%d %v", got.status, got.err)
	}
	if !failedWell(d.chat, got.body) {
		t.Errorf("%v\n%s", grammarOf(d.chat, got.body), got.body)
	}
	if !strings.Contains(got.body, `"error"`) || strings.Contains(got.body, "[DONE]") || strings.Contains(got.body, "message_stop") {
		t.Errorf("no error, or an end:\n%s", got.body)
	}
	x := f.final(got.header.Get("X-Apex-Request-Id"))
	if x.Phase != event.Failed || x.Error == "" || x.Status != 200 {
		t.Errorf("record %+v", x)
	}
}

func errorFrame(frames []string) string {
	if strings.HasPrefix(frames[0], "event:") {
		return "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"overloaded\"}}\n\n"
	}
	return "data: {\"error\":{\"message\":\"overloaded\",\"type\":\"server_error\",\"param\":null,\"code\":\"overloaded\"}}\n\n"
}

// hang sends frames and then nothing until the client goes.
func hang(frames ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		sseAnswer(frames...)(w, r)
		<-r.Context().Done()
	}
}

func TestClientGone(t *testing.T) {
	for _, d := range doors {
		for _, when := range []string{"before the answer", "in the stream"} {
			t.Run(d.name+"/"+when, func(t *testing.T) {
				arrived, cancelled := make(chan struct{}), make(chan struct{})
				f := start(t, newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
					if when == "in the stream" {
						sseAnswer(d.frames[:3]...)(w, r)
					}
					close(arrived)
					<-r.Context().Done()
					close(cancelled)
				}))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go func() {
					<-arrived
					cancel()
				}()
				resp, err := client.Do(f.request(ctx, "POST", d.path, d.body))
				if err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
				select {
				case <-cancelled:
				case <-time.After(patience):
					t.Fatal("the upstream was not cancelled")
				}
				until(t, "the record to be closed", func() bool {
					all := f.bus.Recent()
					return len(all) == 1 && all[0].Phase == event.Cancelled
				})
				until(t, "the exchange to end", func() bool { return f.Active() == 0 })
			})
		}
	}
}

func TestOtherForm(t *testing.T) {
	for _, d := range doors {
		whole := chatAnswer
		if strings.HasPrefix(d.frames[0], "event:") {
			whole = msgAnswer
		}
		t.Run(d.name+"/whole for a stream", func(t *testing.T) {
			f := start(t, newUpstream(t, jsonAnswer(200, whole)))
			got := f.post(d.path, d.body)
			if err := grammarOf(d.chat, got.body); err != nil || !strings.Contains(got.body, "hello") {
				t.Errorf("%v\n%s", err, got.body)
			}
			if x := f.final(got.header.Get("X-Apex-Request-Id")); x.Phase != event.Done || !x.Tokens.Known {
				t.Errorf("record %+v", x)
			}
		})
		t.Run(d.name+"/stream for a whole", func(t *testing.T) {
			f := start(t, newUpstream(t, sseAnswer(d.frames...)))
			body := strings.Replace(d.body, `"stream":true,`, "", 1)
			got := f.post(d.path, strings.Replace(body, `"stream_options":{"include_usage":true},`, "", 1))
			if got.status != 200 || got.header.Get("Content-Type") != "application/json" || !strings.Contains(got.body, "hello") {
				t.Errorf("%d %s", got.status, got.body)
			}
			if x := f.final(got.header.Get("X-Apex-Request-Id")); x.Phase != event.Done || !x.Tokens.Known {
				t.Errorf("record %+v", x)
			}
		})
	}
}

func TestUnaryCut(t *testing.T) {
	for _, d := range doors {
		body := strings.Replace(strings.Replace(d.body, `"stream":true,`, "", 1), `"stream_options":{"include_usage":true},`, "", 1)
		for name, size := range map[string]int{"short": 100, "long": 100_000} {
			t.Run(d.name+"/"+name, func(t *testing.T) {
				f := start(t, newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", "application/json")
					_, _ = io.WriteString(w, `{"id":"`+strings.Repeat("x", size))
					w.(http.Flusher).Flush()
					panic(http.ErrAbortHandler)
				}))
				got := f.post(d.path, body)
				switch {
				case got.status == 502:
					parse(t, got.body)
				case got.err == nil:
					t.Errorf("half an answer looks whole: %d, %d bytes", got.status, len(got.body))
				}
				if name == "short" && got.status != 502 {
					t.Errorf("status %d", got.status)
				}
				if x := f.final(got.header.Get("X-Apex-Request-Id")); x.Phase != event.Failed {
					t.Errorf("record %+v", x)
				}
			})
		}
	}
}

func TestLongAnswer(t *testing.T) {
	answer := strings.Replace(chatAnswer, "hello", strings.Repeat("hello \\\"usage\\\": {} ", 10_000), 1)
	f := start(t, newUpstream(t, jsonAnswer(200, answer)))
	got := f.post("/v1/chat/completions", chat("gpt-4o#openai", ""))
	if got.body != named(answer, "gpt-4o#openai") || got.err != nil {
		t.Errorf("%d bytes of %d, %v", len(got.body), len(answer), got.err)
	}
	want := event.Tokens{Input: 11, CacheRead: 4, Output: 3, Reasoning: 1, Known: true}
	if x := f.final(got.header.Get("X-Apex-Request-Id")); x.Tokens != want {
		t.Errorf("tokens %+v", x.Tokens)
	}
	frame := `data: {"choices":[{"index":0,"delta":{"content":"` + strings.Repeat("long ", 20_000) + `"},"finish_reason":null}]}` + "\n\n"
	f = start(t, newUpstream(t, sseAnswer(chatFrames[0], frame, chatFrames[3], "data: [DONE]\n\n")))
	got = f.post("/v1/chat/completions", chat("gpt-4o#openai", `"stream":true,`))
	if got.body != named(chatFrames[0]+frame+chatFrames[3], "gpt-4o#openai")+"data: [DONE]\n\n" {
		t.Errorf("a long event was changed: %d bytes", len(got.body))
	}
}

// TestLongEventAfterShortOnes: an event that is larger than what a slow stream waits with is
// still handed on as a whole, or not at all.
func TestLongEventAfterShortOnes(t *testing.T) {
	frame := `data: {"choices":[{"index":0,"delta":{"content":"` + strings.Repeat("long ", 3000) + `"},"finish_reason":null}]}` + "\n\n"
	rest := chatFrames[3] + "data: [DONE]\n\n"
	for name, last := range map[string][]string{"whole": {frame, rest}, "cut": {frame[:9000]}} {
		t.Run(name, func(t *testing.T) {
			got := make(chan bool) // the client has the first event
			f := start(t, newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
				sseAnswer(chatFrames[0])(w, r)
				<-got
				sseAnswer(chatFrames[1])(w, r)
				<-got
				cutAnswer(last...)(w, r)
			}))
			resp, err := client.Do(f.request(t.Context(), "POST", "/v1/chat/completions", chat("gpt-4o", `"stream":true,`)))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			buf := make([]byte, len(chatFrames[0])+len(chatFrames[1]))
			for _, part := range [][]byte{buf[:len(chatFrames[0])], buf[len(chatFrames[0]):]} {
				if _, err := io.ReadFull(resp.Body, part); err != nil {
					t.Fatal(err)
				}
				got <- true
			}
			more, _ := io.ReadAll(resp.Body)
			all := string(buf) + string(more)
			if name == "whole" && all != chatFrames[0]+chatFrames[1]+frame+rest {
				t.Errorf("%d bytes came", len(all))
			}
			if name == "cut" && (strings.Contains(all, "long") || !failedWell(true, all)) {
				t.Errorf("half an event was handed on: %s", all)
			}
		})
	}
}

func TestUpstreamTooSlow(t *testing.T) {
	for _, d := range doors {
		f := start(t, newUpstream(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }),
			func(c *proxy.Config) { c.UpstreamTimeout = 30 * time.Millisecond })
		got := f.post(d.path, d.body)
		if parse(t, got.body); got.status != 504 {
			t.Errorf("%s: %d %s", d.name, got.status, got.body)
		}
	}
}

func TestStopDrainsAndCuts(t *testing.T) {
	for _, d := range doors {
		for _, way := range []string{"drain", "cut"} {
			t.Run(d.name+"/"+way, func(t *testing.T) {
				release := make(chan struct{})
				f := start(t, newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
					sseAnswer(d.frames[:3]...)(w, r)
					select {
					case <-release:
						sseAnswer(d.frames[3:]...)(w, r)
					case <-r.Context().Done():
					}
				}))
				resp, err := client.Do(f.request(t.Context(), "POST", d.path, d.body))
				if err != nil { // the stream has begun, or a stop would be told with a status
					t.Fatal(err)
				}
				defer resp.Body.Close()
				answers := make(chan reply, 1)
				go func() {
					b, err := io.ReadAll(resp.Body)
					answers <- reply{resp.StatusCode, resp.Header, string(b), err}
				}()
				addr := f.Addr()
				ctx, cancel := context.WithCancel(t.Context())
				stopped := make(chan error, 1)
				done := f.Done()
				go func() { stopped <- f.Stop(ctx) }()
				until(t, "the address to be given up", func() bool { return f.Addr() == "" })
				until(t, "connections to be refused", func() bool {
					c, err := net.Dial("tcp", addr)
					if err == nil {
						_ = c.Close()
					}
					return err != nil
				})
				if f.Active() != 1 {
					t.Errorf("%d exchanges run", f.Active())
				}
				if way == "drain" {
					close(release)
				} else {
					cancel()
				}
				got, err := <-answers, <-stopped
				cancel()
				if way == "drain" && (err != nil || strings.Contains(got.body, `"error"`)) {
					t.Errorf("%v\n%s", err, got.body)
				}
				if way == "cut" && (!errors.Is(err, context.Canceled) || !strings.Contains(got.body, "being stopped")) {
					t.Errorf("%v\n%s", err, got.body)
				}
				if got.err != nil || way == "cut" && !failedWell(d.chat, got.body) || way == "drain" && grammarOf(d.chat, got.body) != nil {
					t.Errorf("%v %v\n%s", grammarOf(d.chat, got.body), got.err, got.body)
				}
				select {
				case <-done:
				default:
					t.Error("Done is not closed")
				}
				if f.Err() != nil {
					t.Errorf("Err is %v", f.Err())
				}
				if err := f.Start(t.Context(), addr, f.cfg); err != nil {
					t.Fatalf("start again: %v", err)
				}
				if got := f.do("GET", "/v1/models", ""); got.status != 200 {
					t.Errorf("after the restart: %d", got.status)
				}
			})
		}
	}
}

func TestApplyKeepsRunningStreams(t *testing.T) {
	running, release := make(chan struct{}), make(chan struct{})
	old := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		sseAnswer(chatFrames[:3]...)(w, r)
		close(running)
		<-release
		sseAnswer(chatFrames[3:]...)(w, r)
	})
	fresh := newUpstream(t, vendor)
	f := start(t, old)
	answers := make(chan reply, 1)
	go func() { answers <- f.post("/v1/messages", messages("gpt-4o#openai", `"stream":true,`)) }()
	<-running
	cfg := f.cfg
	cfg.GatewayURL, cfg.LocalKey = fresh.URL+"/v1", "another-key-987654"
	f.Apply(cfg)
	if got := f.post("/v1/chat/completions", chat("gpt-4o#openai", "")); got.status != 401 {
		t.Errorf("the old key still works: %d", got.status)
	}
	if got := f.post("/v1/chat/completions", chat("gpt-4o#openai", ""), withHeader("X-Api-Key", cfg.LocalKey)); got.status != 200 || fresh.count() != 1 {
		t.Errorf("the new settings do not work: %d", got.status)
	}
	close(release)
	if got := <-answers; grammar.Messages([]byte(got.body)) != nil || strings.Contains(got.body, `"error"`) {
		t.Errorf("the running stream was hurt:\n%s", got.body)
	}
}

// What an upstream calls a stream may be an error or a whole answer all the same.
func TestJSONCalledAStream(t *testing.T) {
	for _, c := range []struct {
		name, door, body, want string
		status                 int
	}{
		{"chat error", "/v1/chat/completions", `{"error":{"message":"boom","type":"server_error","param":null,"code":null}}`, `"message":"boom"`, 500},
		{"messages error", "/v1/messages", `{"type":"error","error":{"type":"overloaded_error","message":"busy"}}`, `"overloaded_error"`, 529},
		{"chat answer", "/v1/chat/completions", chatAnswer, `"delta":{"content":"hello"}`, 200},
		{"messages answer", "/v1/messages", msgAnswer, `"text_delta","text":"hello"`, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				_, _ = io.WriteString(w, "\n "+c.body)
			})
			f := start(t, u)
			body := chat("gpt-4o#openai", `"stream":true,`)
			if c.door == "/v1/messages" {
				body = messages("claude-sonnet-4-5#anthropic", `"stream":true,`)
			}
			got := f.post(c.door, body)
			if got.status != c.status || !strings.Contains(got.body, c.want) {
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	}
}

// TestGiantEventCut: an error must not be glued to half an event.
func TestGiantEventCut(t *testing.T) {
	half := `data: {"choices":[{"index":0,"delta":{"content":"` + strings.Repeat("y", 150_000)
	f := start(t, newUpstream(t, cutAnswer(chatFrames[0], half)))
	got := f.post("/v1/chat/completions", chat("gpt-4o#openai", `"stream":true,`))
	if got.err != nil || !strings.Contains(got.body, "y\n\ndata: {\"error\"") {
		t.Errorf("%v %s", got.err, got.body[max(0, len(got.body)-300):])
	}
}

func TestUsageOfAReplayedAnswer(t *testing.T) {
	f := start(t, newUpstream(t, jsonAnswer(200, chatAnswer)))
	for more, want := range map[string]bool{
		`"stream":true,`: false, `"stream":true,"stream_options":{"include_usage":true},`: true,
		`"stream":true,"stream_options":{"include_usage":false},`: false,
	} {
		got := f.post("/v1/chat/completions", chat("gpt-4o#openai", more))
		if got.status != 200 || strings.Contains(got.body, `"usage":{`) != want {
			t.Errorf("%s: %d %s", more, got.status, got.body)
		}
	}
}

// TestUsageIsGuessed: an answer without a count is not one that cost nothing.
func TestUsageIsGuessed(t *testing.T) {
	const unary = `"choices":[{"index":0,"message":{"role":"assistant","content":"hello, this is text"},"finish_reason":"stop"}]}`
	frame := strings.Replace(chatFrames[2], `"lo"`, `"lo, this is text"`, 1)
	for name, answer := range map[string]http.HandlerFunc{
		"unary":  jsonAnswer(200, `{"id":"chatcmpl-1","object":"chat.completion",`+unary),
		"stream": sseAnswer(chatFrames[0], chatFrames[1], frame, chatFrames[3], "data: [DONE]\n\n"),
	} {
		f := start(t, newUpstream(t, answer))
		for _, more := range []string{"", `"stream":true,`} {
			got := f.post("/v1/messages", messages("gpt-4o#openai", more))
			if got.status != 200 || !strings.Contains(got.body, `"output_tokens":5`) {
				t.Errorf("%s for %q: %d %s", name, more, got.status, got.body)
			}
			x := f.final(got.header.Get("X-Apex-Request-Id"))
			if x.Tokens.Known || x.Tokens.Output != 5 || x.Tokens.Input == 0 {
				t.Errorf("%s for %q: %+v", name, more, x.Tokens)
			}
			told := strings.Contains(got.header.Get("X-Conversion-Warnings"), "usage-estimated")
			if told != (more == "") || !slices.ContainsFunc(x.Warnings, func(w event.Warning) bool { return w.Code == "usage-estimated" }) {
				t.Errorf("%s for %q: the estimate is not marked: header %v, record %+v", name, more, got.header, x.Warnings)
			}
		}
	}
}

// TestUsageOfAPassedStream: what is estimated while a stream runs does not vanish when it ends
// without a report, and is marked as an estimate.
func TestUsageOfAPassedStream(t *testing.T) {
	usage := `data: {"choices":[],"usage":{"prompt_tokens":11,"completion_tokens":3}}` + "\n\n"
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   event.Tokens
	}{
		"no report": {sseAnswer(chatFrames[0], chatFrames[1], chatFrames[2], "data: [DONE]\n\n"), event.Tokens{Output: 4}},
		"report":    {sseAnswer(chatFrames[0], chatFrames[1], usage, "data: [DONE]\n\n"), event.Tokens{Input: 11, Output: 3, Known: true}},
		"error": {
			sseAnswer(chatFrames[0], chatFrames[1], `data: {"error":{"message":"m"}}`+"\n\n"), event.Tokens{Output: 2},
		},
		"broken off": {cutAnswer(chatFrames[0], chatFrames[1]), event.Tokens{Output: 2}},
	} {
		f := start(t, newUpstream(t, c.answer))
		got := f.post("/v1/chat/completions", chat("gpt-4o#openai", `"stream":true,`))
		if x := f.final(got.header.Get("X-Apex-Request-Id")); x.Tokens != c.want {
			t.Errorf("%s: %+v, want %+v", name, x.Tokens, c.want)
		}
	}
}

// TestAnswersLose: what of an answer cannot be carried over is told in the header, or, once
// that is gone, in the record; and what ends has a time when it did.
func TestAnswersLose(t *testing.T) {
	const pause = `"stop_reason":"pause_turn"`
	paused := slices.Clone(msgFrames)
	for i := range paused {
		paused[i] = strings.Replace(paused[i], `"stop_reason":"end_turn"`, pause, 1)
	}
	for more, answer := range map[string]http.HandlerFunc{
		"":               jsonAnswer(200, strings.Replace(msgAnswer, `"stop_reason":"end_turn"`, pause, 1)),
		`,"stream":true`: sseAnswer(paused...),
	} {
		f := start(t, newUpstream(t, answer))
		got := f.post("/v1/responses", `{"model":"claude-x#anthropic","input":"hi"`+more+"}")
		if got.status != 200 || strings.Contains(got.body, `"completed_at":null,"status":"completed"`) || !strings.Contains(got.body, `"status":"completed"`) {
			t.Errorf("%q: %d %s", more, got.status, got.body)
		}
		told := strings.Contains(got.header.Get("X-Conversion-Warnings"), "pause-turn")
		x := f.final(got.header.Get("X-Apex-Request-Id"))
		if told != (more == "") || !slices.ContainsFunc(x.Warnings, func(w event.Warning) bool { return w.Code == "pause-turn" }) {
			t.Errorf("%q: header %v, record %+v", more, got.header, x.Warnings)
		}
	}
}

// TestEndlessAnswer: an upstream that never comes to an end does not fill the memory.
func TestEndlessAnswer(t *testing.T) {
	const block = `"content_block":{"type":"redacted_thinking","data":"x"}`
	parts := strings.Repeat("data: "+`{"type":"content_block_start","index":0,`+block+"}\n\n"+msgFrames[4], 500)
	text := strings.Replace(chatFrames[1], "hel", strings.Repeat("y", 1<<20), 1)
	for _, c := range []struct {
		name, model, start, again string
		times                     int
	}{
		{"text", "m#groq", chatFrames[0], text, 40},
		{"parts", "claude-x#anthropic", msgFrames[0], parts, 140},
	} {
		frames := append([]string{c.start}, slices.Repeat([]string{c.again}, c.times)...)
		f := start(t, newUpstream(t, sseAnswer(frames...)))
		for _, more := range []string{"", `,"stream":true`} {
			got := f.post("/v1/responses", `{"model":"`+c.model+`","input":"hi"`+more+"}")
			if told := got.status == 502; told != (more == "") || !strings.Contains(got.body, "streamed more than 32 MiB") {
				t.Errorf("%s, %q: %d, %d bytes", c.name, more, got.status, len(got.body))
			}
		}
	}
}
