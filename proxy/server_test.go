package proxy_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"apex-ai-proxy/proxy"
	"apex-ai-proxy/proxy/demo"
	"apex-ai-proxy/proxy/demo/grammar"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/proxy/provider"
)

func TestPortBusy(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	s := proxy.New(slog.New(slog.DiscardHandler), event.NewBus(1))
	err = s.Start(t.Context(), ln.Addr().String(), proxy.Config{})
	var busy *proxy.ListenError
	if !errors.As(err, &busy) || busy.Addr != ln.Addr().String() {
		t.Fatalf("%v", err)
	}
	if runtime.GOOS == "linux" {
		if !errors.Is(err, syscall.EADDRINUSE) || !strings.HasSuffix(busy.Holder, "(pid "+strconv.Itoa(os.Getpid())+")") ||
			!strings.Contains(err.Error(), busy.Holder) {
			t.Errorf("holder %q: %v", busy.Holder, err)
		}
	}
	if s.Addr() != "" || s.Active() != 0 || s.Err() != nil {
		t.Error("the server seems to run")
	}
	select {
	case <-s.Done():
	default:
		t.Error("Done is open before the first start")
	}
	if err := s.Start(t.Context(), "nonsense", proxy.Config{}); !errors.As(err, &busy) {
		t.Errorf("a bad address: %v", err)
	}
}

func TestBothLoopbacks(t *testing.T) {
	f := start(t, newUpstream(t, vendor))
	if err := f.Start(t.Context(), "127.0.0.1:0", f.cfg); !errors.Is(err, proxy.ErrRunning) {
		t.Errorf("a second start: %v", err)
	}
	_, port, err := net.SplitHostPort(f.Addr())
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Logf("no IPv6 here: %v", err)
		return
	}
	_ = ln.Close()
	resp, err := client.Get("http://[::1]:" + port + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("status %d", resp.StatusCode)
	}
}

func TestModels(t *testing.T) {
	f := start(t, nil)
	var list struct {
		Object  string
		Data    []map[string]any
		HasMore bool    `json:"has_more"`
		FirstID *string `json:"first_id"`
		LastID  *string `json:"last_id"`
	}
	read := func(path string) {
		t.Helper()
		got := f.do("GET", path, "")
		list.Data, list.FirstID, list.LastID = nil, nil, nil
		if err := json.Unmarshal([]byte(got.body), &list); err != nil || got.status != 200 {
			t.Fatalf("%d %v %s", got.status, err, got.body)
		}
	}
	read("/v1/models")
	all := list.Data
	if list.Object != "list" || list.HasMore || len(all) < 40 || *list.FirstID != all[0]["id"] || *list.LastID != all[len(all)-1]["id"] {
		t.Errorf("%d models, %+v", len(all), list)
	}
	ids := map[string]bool{}
	for _, m := range all {
		id, _ := m["id"].(string)
		ids[id] = true
		created, _ := m["created"].(float64)
		if m["object"] != "model" || m["type"] != "model" || created <= 0 || m["created_at"] == "" || m["owned_by"] == "" || m["display_name"] == "" {
			t.Errorf("incomplete: %v", m)
		}
		if _, err := provider.Resolve(id); err != nil {
			t.Errorf("%s is listed but not resolved: %v", id, err)
		}
	}
	for _, id := range demo.Models() {
		if !ids[id+"#demo"] {
			t.Errorf("%s#demo is not listed", id)
		}
	}
	read("/v1/models?limit=3") // OpenAI's clients know no pages
	if len(list.Data) != len(all) || list.HasMore {
		t.Errorf("%d models, %v", len(list.Data), list.HasMore)
	}
	read("/v1/models?limit=2&after_id=" + "gpt-5.1%23openai")
	if len(list.Data) != 2 || !list.HasMore || list.Data[0]["id"] != all[2]["id"] {
		t.Errorf("a page: %+v", list)
	}
	read("/v1/models?limit=3&before_id=" + "gpt-5.1%23openai")
	if len(list.Data) != 1 || list.HasMore {
		t.Errorf("the page before: %+v", list)
	}
	if got := f.do("GET", "/v1/models?after_id=error-cut%23demo", ""); got.body != `{"object":"list","data":[],"has_more":false,"first_id":null,"last_id":null}` {
		t.Errorf("the page behind the last: %s", got.body)
	}
	for path, want := range map[string]int{
		"/v1/models?beta=true&limit=0": 400, "/v1/models?beta=true&limit=x": 400, "/v1/models?client_version=1.2": 404,
		"/v1/models/claude-opus-4-7%23anthropic": 200, "/v1/models/@cf/openai/gpt-oss-20b": 200, "/v1/models/nobody": 404,
		"/v1/models/openrouter/anthropic/claude-sonnet-4.5": 200,
	} {
		if got := f.do("GET", path, ""); got.status != want {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	got := f.do("GET", "/v1/models/nobody", "", withHeader("Anthropic-Version", "2023-06-01"))
	if e := parse(t, got.body); e.Type != "error" || e.Error.Type != "not_found_error" {
		t.Errorf("%s", got.body)
	}
}

// TestDemo talks to the built-in provider, without any setting, in all four ways.
func TestDemo(t *testing.T) {
	f := start(t, nil, func(c *proxy.Config) { c.Account, c.Gateway, c.GatewayToken = "", "", "" })
	for _, model := range []string{"echo", "echo-openai", "echo-anthropic", "long", "reasoning-anthropic"} {
		got := f.post("/v1/chat/completions", chat(model+"#demo", `"stream":true,`))
		if err := grammar.Chat([]byte(got.body), false); err != nil || got.status != 200 {
			t.Errorf("%s, chat: %d %v\n%s", model, got.status, err, got.body)
		}
		got = f.post("/v1/messages", messages(model+"#demo", `"stream":true,`))
		if err := grammar.Messages([]byte(got.body)); err != nil || got.status != 200 {
			t.Errorf("%s, messages: %d %v\n%s", model, got.status, err, got.body)
		}
		x := f.final(got.header.Get("X-Apex-Request-Id"))
		if x.Converted() != strings.HasSuffix(model, "-openai") || x.Provider != "demo" || !x.Tokens.Known {
			t.Errorf("%s: record %+v", model, x)
		}
		got = f.post("/v1/messages", messages(model+"#demo", ""))
		if got.status != 200 || !strings.Contains(got.body, `"type":"message"`) {
			t.Errorf("%s, whole: %d %s", model, got.status, got.body)
		}
	}
	for model, want := range map[string]int{"error": 400, "error-429": 429, "error-500": 500, "error-529": 529} {
		for _, suffix := range []string{"", "-openai", "-anthropic"} {
			got := f.post("/v1/messages", messages(model+suffix+"#demo", ""))
			status := want
			if model == "error-529" && suffix == "-openai" {
				status = got.status // OpenAI has no 529
			}
			if parse(t, got.body); got.status != status || got.status < 400 {
				t.Errorf("%s%s: %d %s", model, suffix, got.status, got.body)
			}
		}
	}
	for _, model := range []string{"error-midstream", "error-cut"} {
		for _, suffix := range []string{"", "-openai", "-anthropic"} {
			got := f.post("/v1/chat/completions", chat(model+suffix+"#demo", `"stream":true,`))
			if !failedWell(true, got.body) {
				t.Errorf("%s%s: %d\n%s", model, suffix, got.status, got.body)
			}
			got = f.post("/v1/messages", messages(model+suffix+"#demo", `"stream":true,`))
			if !failedWell(false, got.body) {
				t.Errorf("%s%s: %d\n%s", model, suffix, got.status, got.body)
			}
		}
	}
}

func TestWarnings(t *testing.T) {
	f := start(t, newUpstream(t, vendor))
	got := f.post("/v1/chat/completions", chat("claude-sonnet-4-5#anthropic", `"seed":7,"frequency_penalty":1,`))
	warned := got.header.Get("X-Conversion-Warnings")
	if got.status != 200 || !strings.Contains(warned, ";path=seed") || !strings.Contains(warned, ", ") {
		t.Errorf("%d %q", got.status, warned)
	}
	if x := f.final(got.header.Get("X-Apex-Request-Id")); len(x.Warnings) != 2 || x.Warnings[0].Why == "" {
		t.Errorf("record %+v", x.Warnings)
	}
	if got := f.post("/v1/chat/completions", chat("claude-sonnet-4-5#anthropic", `"n":2,`)); got.status != 400 || *parse(t, got.body).Error.Param != "n" {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestLogsHoldNoSecret(t *testing.T) {
	u := newUpstream(t, jsonAnswer(400, openAIError("x", "key "+gateToken)))
	f := start(t, u)
	f.post("/v1/messages?key="+localKey, messages("gpt-4o#openai", `"metadata":{"user_id":"personal"},`))
	f.post("/v1/messages", "{broken", withHeader("Authorization", "Bearer wrong-secret-123"))
	_ = f.Stop(t.Context())
	logged := f.log.String()
	if !strings.Contains(logged, "exchange") {
		t.Fatalf("nothing was logged: %s", logged)
	}
	if !strings.Contains(logged, `asked=gpt-4o#openai`) && !strings.Contains(logged, `"asked":"gpt-4o#openai"`) {
		t.Errorf("the model asked for is not in the log: %s", logged)
	}
	for _, secret := range []string{localKey, gateToken, "personal", "wrong-secret"} {
		if strings.Contains(logged, secret) {
			t.Errorf("%q was logged:\n%s", secret, logged)
		}
	}
	for _, x := range f.bus.Recent() {
		if b, _ := json.Marshal(x); strings.Contains(string(b), gateToken) || strings.Contains(string(b), localKey) {
			t.Errorf("a secret is in the record %s", b)
		}
	}
}

func TestRecordIsLive(t *testing.T) {
	next := make(chan struct{})
	f := start(t, newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		<-next
		sseAnswer(chatFrames[:2]...)(w, r)
		<-next
		sseAnswer(chatFrames[2:]...)(w, r)
	}))
	sub := f.bus.Subscribe(100)
	defer sub.Close()
	answers := make(chan reply, 1)
	go func() { answers <- f.post("/v1/messages", messages("gpt-4o#openai", `"stream":true,`)) }()
	x := <-sub.C
	if x.Phase != event.Waiting || x.Revision != 1 {
		t.Errorf("first %+v", x)
	}
	x = <-sub.C
	if x.ModelAsked != "gpt-4o#openai" || x.Provider != "openai" || x.ClientProtocol != "anthropic-messages" || x.UpstreamProtocol != "openai-chat" || x.Status != 0 {
		t.Errorf("second %+v", x)
	}
	next <- struct{}{}
	if x = <-sub.C; x.Phase != event.Streaming || x.FirstByte == 0 || x.Status != 200 {
		t.Errorf("third %+v", x)
	}
	next <- struct{}{}
	<-answers
	for !x.Phase.Final() {
		before := x.Revision
		if x = <-sub.C; x.Revision != before+1 {
			t.Errorf("revision %d after %d", x.Revision, before)
		}
	}
	if x.Phase != event.Done || x.Duration == 0 {
		t.Errorf("last %+v", x)
	}
}

// TestListenFamily: an address means its own family, and is reported as it was given.
func TestListenFamily(t *testing.T) {
	for addr, want := range map[string]string{
		"0.0.0.0:0": "0.0.0.0", "127.0.0.1:0": "127.0.0.1", "localhost:0": "127.0.0.1", "[::]:0": "::", "[::1]:0": "::1",
	} {
		s := proxy.New(slog.New(slog.DiscardHandler), event.NewBus(1))
		if err := s.Start(t.Context(), addr, proxy.Config{}); err != nil {
			if strings.HasPrefix(addr, "[") {
				t.Logf("no IPv6 here: %v", err)
				continue
			}
			t.Fatal(err)
		}
		host, _, err := net.SplitHostPort(s.Addr())
		if err != nil || host != want {
			t.Errorf("%s: listens on %s", addr, s.Addr())
		}
		_ = s.Stop(t.Context())
	}
}

// TestListenOneFamily: IPv6 is IPv6 alone, its port is free in the other family.
func TestListenOneFamily(t *testing.T) {
	var err error
	for range 20 { // or somebody else has the port there
		s := proxy.New(slog.New(slog.DiscardHandler), event.NewBus(1))
		if err := s.Start(t.Context(), "[::]:0", proxy.Config{}); err != nil {
			t.Logf("no IPv6 here: %v", err)
			return
		}
		_, port, _ := net.SplitHostPort(s.Addr())
		var ln net.Listener
		ln, err = net.Listen("tcp4", net.JoinHostPort("127.0.0.1", port))
		_ = s.Stop(t.Context())
		if err == nil {
			_ = ln.Close()
			return
		}
	}
	t.Errorf("it also listens on IPv4: %v", err)
}
