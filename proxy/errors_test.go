package proxy_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"apex-ai-proxy/proxy"
)

func openAIError(code, message string) string {
	return `{"error":{"message":"` + message + `","type":"some_type","param":null,"code":"` + code + `"}}`
}

func gatewayError(code, message string) string {
	return `{"success":false,"result":[],"messages":[],"error":[{"code":` + code + `,"message":"` + message + `"}],"name":"AiGatewayError","httpCode":400,"internalCode":` + code + `,"message":"` + message + `","description":"` + message + `"}`
}

// want is what a client of a protocol gets.
type want struct {
	status    int
	typ, code string
}

// errorRows are the rows of the map of errors: what an upstream of the other protocol
// says, and what each client gets.
var errorRows = []struct {
	name   string
	status int
	body   string
	toMsg  want
	toChat want
	says   string
	stop   bool // x-should-retry: false
}{
	{"400", 400, openAIError("x", "bad field"), want{400, "invalid_request_error", ""}, want{400, "invalid_request_error", "x"}, "bad field", false},
	{"context", 400, openAIError("context_length_exceeded", "maximum context length is 8192 tokens, you sent 9001 tokens"), want{400, "invalid_request_error", ""}, want{400, "invalid_request_error", "context_length_exceeded"}, "8192", false},
	{"context 413", 413, `{"error":{"message":"prompt is too long: 9 tokens"}}`, want{400, "invalid_request_error", ""}, want{400, "invalid_request_error", "context_length_exceeded"}, "prompt is too long", false},
	{"policy", 400, openAIError("content_policy_violation", "refused"), want{400, "invalid_request_error", ""}, want{400, "invalid_request_error", "content_policy_violation"}, "refused", false},
	{"401 of the proxy's key", 401, openAIError("invalid_api_key", "Incorrect API key provided: sk-abcdef123456"), want{502, "api_error", ""}, want{502, "server_error", ""}, "Provider Keys", true},
	{"402", 402, openAIError("x", "pay"), want{402, "billing_error", ""}, want{429, "insufficient_quota", "insufficient_quota"}, "pay", true},
	{"403", 403, openAIError("", "region"), want{403, "permission_error", ""}, want{403, "permission_error", ""}, "region", false},
	{"403 html", 403, "<html><head><title>Attention Required!</title></head><body>x</body></html>", want{403, "permission_error", ""}, want{403, "permission_error", ""}, "Attention Required!", false},
	{"404 model", 404, openAIError("model_not_found", "The model does not exist"), want{404, "not_found_error", ""}, want{404, "invalid_request_error", "model_not_found"}, "does not exist", false},
	{"404 path", 404, openAIError("unknown_url", "Unknown request URL"), want{404, "not_found_error", ""}, want{404, "invalid_request_error", "unknown_url"}, "Unknown request URL", false},
	{"405", 405, `{"detail":"Method Not Allowed"}`, want{405, "invalid_request_error", ""}, want{405, "invalid_request_error", ""}, "Method Not Allowed", false},
	{"408", 408, `{"message":"late"}`, want{408, "timeout_error", ""}, want{408, "timeout", ""}, "late", false},
	{"409", 409, `{"msg":"conflict"}`, want{409, "invalid_request_error", ""}, want{409, "invalid_request_error", ""}, "conflict", false},
	{"413", 413, `{"error_msg":"large"}`, want{413, "request_too_large", ""}, want{413, "invalid_request_error", "request_too_large"}, "large", false},
	{"415", 415, `"media"`, want{415, "invalid_request_error", ""}, want{415, "invalid_request_error", ""}, "media", false},
	{"422", 422, `{"detail":[{"loc":["body","messages",0,"content"],"msg":"field required"}]}`, want{400, "invalid_request_error", ""}, want{422, "invalid_request_error", ""}, "field required", false},
	{"424", 424, `{"error":"dep"}`, want{502, "api_error", ""}, want{502, "server_error", ""}, "dep", false},
	{"425", 425, `{"error":"early"}`, want{503, "api_error", ""}, want{503, "server_error", ""}, "early", false},
	{"429", 429, openAIError("rate_limit_exceeded", "slow down"), want{429, "rate_limit_error", ""}, want{429, "rate_limit_error", "rate_limit_exceeded"}, "slow down", false},
	{"429 quota", 429, openAIError("insufficient_quota", "You exceeded your current quota"), want{402, "billing_error", ""}, want{429, "insufficient_quota", "insufficient_quota"}, "quota", true},
	{"400 credit", 400, `{"error":{"message":"Your credit balance is too low"}}`, want{402, "billing_error", ""}, want{429, "insufficient_quota", "insufficient_quota"}, "credit balance", true},
	{"500", 500, `[{"error":{"code":500,"message":"inside","status":"INTERNAL"}}]`, want{500, "api_error", ""}, want{500, "server_error", ""}, "inside", false},
	{"501", 501, `{}`, want{501, "api_error", ""}, want{501, "server_error", ""}, "501", true},
	{"502", 502, "", want{502, "api_error", ""}, want{502, "server_error", ""}, "the provider returned 502 Bad Gateway without a body", false},
	{"520", 520, "error code: 520", want{502, "api_error", ""}, want{502, "server_error", ""}, "error code: 520", false},
	{"503", 503, `{"message":"down"}`, want{503, "api_error", ""}, want{503, "server_error", ""}, "down", false},
	{"503 overloaded", 503, `{"message":"The model is overloaded"}`, want{529, "overloaded_error", ""}, want{503, "server_error", "overloaded"}, "overloaded", false},
	{"504", 504, `{"error":{"message":`, want{504, "timeout_error", ""}, want{504, "timeout", ""}, "504", false},
	{"524", 524, "<html>timeout</html>", want{504, "timeout_error", ""}, want{504, "timeout", ""}, "timeout", false},
	{"529", 529, `{"message":"busy"}`, want{529, "overloaded_error", ""}, want{503, "server_error", "overloaded"}, "busy", false},
	{"418", 418, `{"message":"teapot"}`, want{418, "invalid_request_error", ""}, want{418, "invalid_request_error", ""}, "teapot", false},
	{"599", 599, `{"message":"odd"}`, want{599, "api_error", ""}, want{599, "server_error", ""}, "odd", false},
	{"redirect", 302, "", want{502, "api_error", ""}, want{502, "server_error", ""}, "302", false},
	{"nested code", 400, `{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\"error\":{\"message\":\"the inner reason\",\"code\":\"inner_code\"}}"}}}`, want{400, "invalid_request_error", ""}, want{400, "invalid_request_error", "inner_code"}, "the inner reason", false},
	{"nested", 400, `{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\"error\":{\"message\":\"the inner reason\"}}"}}}`, want{400, "invalid_request_error", ""}, want{400, "invalid_request_error", ""}, "the inner reason", false},

	{"cf 2001", 400, gatewayError("2001", "Please configure AI Gateway"), want{502, "api_error", ""}, want{502, "server_error", ""}, "gateway name in Settings", true},
	{"cf 2003", 429, gatewayError("2003", "Rate limited"), want{429, "rate_limit_error", ""}, want{429, "rate_limit_error", ""}, "gateway's own rate limit", false},
	{"cf 2005", 400, gatewayError("2005", "Failed to get response from provider"), want{400, "invalid_request_error", ""}, want{400, "invalid_request_error", "cf_2005"}, "no answer from", false},
	{"cf 2008", 400, gatewayError("2008", "Invalid provider"), want{400, "invalid_request_error", ""}, want{400, "invalid_request_error", "cf_2008"}, "model#provider", false},
	{"cf 2009", 401, gatewayError("2009", "Unauthorized"), want{502, "api_error", ""}, want{502, "server_error", ""}, "refused the token. Replace it in Settings", true},
	{"cf 2016", 424, gatewayError("2016", "Prompt blocked"), want{400, "invalid_request_error", ""}, want{400, "invalid_request_error", ""}, "guardrails", false},
	{"cf 2021", 402, gatewayError("2021", "Insufficient"), want{402, "billing_error", ""}, want{429, "insufficient_quota", ""}, "credit", true},
	{"cf 2029", 400, gatewayError("2029", "DLP"), want{400, "invalid_request_error", ""}, want{400, "invalid_request_error", ""}, "data loss prevention", false},
	{"cf 2044", 400, gatewayError("2044", "credentials required"), want{502, "api_error", ""}, want{502, "server_error", ""}, "Provider Keys", true},
	{"cf api", 401, `{"result":null,"success":false,"errors":[{"code":10000,"message":"Authentication error"}],"messages":[]}`, want{502, "api_error", ""}, want{502, "server_error", ""}, "AI Gateway Run", true},
	{"cf policy", 403, `{"success":false,"error":{"message":"Access denied by policy"}}`, want{403, "permission_error", ""}, want{403, "permission_error", ""}, "policy of your gateway", false},
	{"cf spending", 429, `{"success":false,"error":{"message":"Spending limit exceeded","bucket":"b","spent":1000.42,"limit":1000}}`, want{402, "billing_error", ""}, want{429, "insufficient_quota", "insufficient_quota"}, "Spending limit", true},
	{"cf run", 503, `{"state":"Failed","error":{"code":"provider_unavailable","message":"gone"},"model":"m"}`, want{503, "api_error", ""}, want{503, "server_error", ""}, "gone", false},
	{"200 error", 200, `{"error":{"code":429,"message":"quick"}}`, want{429, "rate_limit_error", ""}, want{429, "rate_limit_error", ""}, "quick", false},
	{"200 base_resp", 200, `{"base_resp":{"status_code":1004,"status_msg":"nope"}}`, want{502, "api_error", ""}, want{502, "server_error", ""}, "nope", false},
	{"200 success false", 200, `{"success":false,"errors":[{"code":7003,"message":"No route"}]}`, want{404, "not_found_error", ""}, want{404, "invalid_request_error", "cf_7003"}, "catalogue", false},
	{"200 html", 200, "<html><title>Login</title></html>", want{502, "api_error", ""}, want{502, "server_error", ""}, "Login", false},
	{"200 empty", 200, "", want{502, "api_error", ""}, want{502, "server_error", ""}, "without a body", false},
}

// keptAsIs are the rows whose body a chat client can read as it is, with the type in it.
var keptAsIs = map[string]string{
	"400": "some_type", "context": "some_type", "context 413": "", "policy": "some_type", "402": "some_type", "403": "some_type",
	"404 model": "some_type", "404 path": "some_type", "429": "some_type", "429 quota": "some_type", "400 credit": "",
}

func TestErrorMap(t *testing.T) {
	for _, row := range errorRows {
		for _, client := range []string{"messages", "chat", "responses"} {
			for _, kind := range []string{"converted", "passed"} {
				for _, stream := range []string{"", `"stream":true,`} {
					t.Run(row.name+"/"+client+"/"+kind+"/"+stream, func(t *testing.T) {
						u := newUpstream(t, jsonAnswer(row.status, row.body, "Retry-After", "7", "Retry-After-Ms", "7000", "Cf-Aig-Log-Id", "log9"))
						f := start(t, u)
						model := "gpt-4o#openai"
						if (client == "messages") == (kind == "passed") {
							model = "claude-x#anthropic"
						}
						var got reply
						expect := row.toChat
						switch client {
						case "messages":
							got = f.post("/v1/messages", messages(model, stream))
							expect = row.toMsg
						case "responses":
							got = f.post("/v1/responses", `{"model":"`+model+`",`+stream+`"input":"hi"}`)
							if expect.code == "overloaded" {
								expect.code = "server_is_overloaded"
							}
						default:
							got = f.post("/v1/chat/completions", chat(model, stream))
						}
						e := parse(t, got.body)
						if typ, ok := keptAsIs[row.name]; ok && kind == "passed" && client != "messages" {
							if got.body != row.body || got.status != row.status || e.Error.Type != typ {
								t.Errorf("not passed as it was: %d %s", got.status, got.body)
							}
						} else {
							if got.body == row.body {
								t.Errorf("passed as it was with %d", got.status)
							}
							if got.status != expect.status || e.Error.Type != expect.typ {
								t.Errorf("%d %s, want %d %s: %s", got.status, e.Error.Type, expect.status, expect.typ, got.body)
							}
							if expect.code != "" && (e.Error.Code == nil || *e.Error.Code != expect.code) {
								t.Errorf("code, want %s: %s", expect.code, got.body)
							}
						}
						if (e.Type == "error") != (client == "messages") {
							t.Errorf("wrong envelope: %s", got.body)
						}
						if _, asIs := keptAsIs[row.name]; !asIs && client != "messages" && (!strings.Contains(got.body, `"param":`) || !strings.Contains(got.body, `"code":`)) {
							t.Errorf("members are missing: %s", got.body)
						}
						if !strings.Contains(e.Error.Message, row.says) {
							t.Errorf("does not say %q: %s", row.says, e.Error.Message)
						}
						if strings.Contains(got.body, "sk-abcdef") {
							t.Errorf("a key got out: %s", got.body)
						}
						retry := ""
						if row.stop {
							retry = "false"
						}
						if got.header.Get("X-Should-Retry") != retry || got.header.Get("Cf-Aig-Log-Id") != "log9" {
							t.Errorf("headers %v", got.header)
						}
						if row.status >= 400 && (got.header.Get("Retry-After") != "7" || got.header.Get("Retry-After-Ms") != "7000") {
							t.Errorf("retry-after is lost: %v", got.header)
						}
						x := f.final(got.header.Get("X-Apex-Request-Id"))
						if x.Phase.String() != "failed" || x.Status != got.status || x.Error == "" || strings.Contains(x.Error, "sk-abcdef") {
							t.Errorf("record %+v", x)
						}
					})
				}
			}
		}
	}
}

// TestLimitsReachTheClient: in the words of its own vendor, also where the body had to be
// made anew; another vendor's would mislead.
func TestLimitsReachTheClient(t *testing.T) {
	limits := []string{"Retry-After", "7", "X-Ratelimit-Remaining-Requests", "3", "Anthropic-Ratelimit-Requests-Remaining", "4", "X-Request-Id", "req_vendor"}
	for body, anew := range map[string]bool{openAIError("x", "slow"): false, `{"message":"slow"}`: true, "<html>slow</html>": true, gatewayError("2003", "Rate limited"): true} {
		f := start(t, newUpstream(t, jsonAnswer(429, body, limits...)))
		got := f.post("/v1/chat/completions", chat("gpt-4o#openai", ""))
		if (got.body != body) != anew || got.header.Get("X-Ratelimit-Remaining-Requests") != "3" || got.header.Get("Retry-After") != "7" {
			t.Errorf("%s: %d %v %s", body, got.status, got.header, got.body)
		}
		if got.header.Get("X-Upstream-Request-Id") != "req_vendor" || got.header.Get("X-Request-Id") == "" {
			t.Errorf("%s: %v", body, got.header)
		}
		got = f.post("/v1/messages", messages("gpt-4o#openai", ""))
		if got.header.Get("X-Ratelimit-Remaining-Requests") != "" || got.header.Get("Retry-After") != "7" || got.header.Get("X-Upstream-Request-Id") != "req_vendor" {
			t.Errorf("%s, converted: %v", body, got.header)
		}
		if e := parse(t, got.body); e.RequestID == "" || e.RequestID != got.header.Get("Request-Id") {
			t.Errorf("%s, converted: %s", body, got.body)
		}
	}
}

// TestUpstreamDecidesOnRetries: what it says of trying again is passed on.
func TestUpstreamDecidesOnRetries(t *testing.T) {
	for _, said := range []string{"true", "false"} {
		f := start(t, newUpstream(t, jsonAnswer(500, openAIError("x", "m"), "X-Should-Retry", said)))
		for _, got := range []reply{f.post("/v1/chat/completions", chat("gpt-4o#openai", "")), f.post("/v1/messages", messages("gpt-4o#openai", ""))} {
			if got.header.Get("X-Should-Retry") != said {
				t.Errorf("%s became %v", said, got.header)
			}
		}
	}
}

// TestErrorThatIsNone: clients of the Chat protocol stop at a member "error", even when
// it is null.
func TestErrorThatIsNone(t *testing.T) {
	const said = `data: {"id":"c","choices":[{"index":0,"delta":{"content":"the \"error\":null"},"finish_reason":null}]`
	f := start(t, newUpstream(t, sseAnswer(
		said+`,"error":null}`+"\n\n", `data: {"error" : null, "id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`+"\r\n\r\n", "data: [DONE]\n\n")))
	got := f.post("/v1/chat/completions", chat("gpt-4o#openai", `"stream":true,`))
	want := said + "}\n\n" + `data: { "id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\r\n\r\ndata: [DONE]\n\n"
	if got.body != want {
		t.Errorf("got  %q\nwant %q", got.body, want)
	}
	if got := f.post("/v1/messages", messages("gpt-4o#openai", `"stream":true,`)); strings.Contains(got.body, `"type":"error"`) {
		t.Errorf("converted: %s", got.body)
	}
}

// TestErrorsWhereNobodyLooks: in a Chat stream that passes through, an error that clients
// would miss is told where they look for one.
func TestErrorsWhereNobodyLooks(t *testing.T) {
	for frame, kept := range map[string]bool{
		`data: {"error":{"message":"it broke","code":null}}`: true,
		`data: {"error":"it broke"}`:                         true,
		`data: {"choices":[{"index":0,"delta":{},"finish_reason":"error","error":{"message":"it broke","code":502}}]}`: false,
		"event: error\ndata: {\"type\":\"error\",\"message\":\"it broke\",\"code\":\"x\"}":                             false,
		`data: {"type":"error","error":null,"message":"it broke"}`:                                                     false,
	} {
		f := start(t, newUpstream(t, sseAnswer(chatFrames[1], frame+"\n\n", "data: [DONE]\n\n")))
		got := f.post("/v1/chat/completions", chat("gpt-4o#openai", `"stream":true,`))
		if strings.Contains(got.body, frame) != kept || !kept && !strings.Contains(got.body, `data: {"error":{"message":"it broke","type":"server_error","param":null,"code":"upstream_error"}}`) {
			t.Errorf("%s became %s", frame, got.body)
		}
		if x := f.final(got.header.Get("X-Apex-Request-Id")); x.Phase.String() != "failed" || !strings.Contains(x.Error, "it broke") {
			t.Errorf("%s: record %+v", frame, x)
		}
	}
	f := start(t, newUpstream(t, sseAnswer("<html><title>Sign in</title></html>\n\n")))
	for _, got := range []reply{f.post("/v1/chat/completions", chat("gpt-4o#openai", `"stream":true,`)), f.post("/v1/messages", messages("claude-x#anthropic", `"stream":true,`))} {
		if got.status != 502 || !strings.Contains(parse(t, got.body).Error.Message, "Sign in") {
			t.Errorf("a page called a stream: %d %s", got.status, got.body)
		}
	}
}

func TestErrorBodyIsKept(t *testing.T) {
	body := `{"error" : {"message":"x\u00e9", "type":"t","param":null,"code":null,"extra":12345678901234567890}, "more":1}`
	f := start(t, newUpstream(t, jsonAnswer(400, body, "X-Ratelimit-Remaining-Requests", "3")))
	got := f.post("/v1/chat/completions", chat("gpt-4o#openai", ""))
	if got.body != body || got.status != 400 || got.header.Get("X-Ratelimit-Remaining-Requests") != "3" {
		t.Errorf("%d %s", got.status, got.body)
	}
	leaky := `{"error":{"message":"Incorrect API key provided: ` + gateToken + ` in sk-proj-1234567890","type":"t","param":null,"code":null}}`
	f = start(t, newUpstream(t, jsonAnswer(400, leaky)))
	got = f.post("/v1/chat/completions", chat("gpt-4o#openai", ""))
	if got.status != 400 || strings.Contains(got.body, gateToken) || strings.Contains(got.body, "1234567890") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestSecretsInErrors(t *testing.T) {
	const token = "tok/with/slashes-123456"
	withToken := func(c *proxy.Config) { c.GatewayToken = token }
	escaped := strings.ReplaceAll(token, "/", `\/`)
	for _, body := range []string{
		`{"error":{"message":"bad ` + escaped + `","type":"t","param":null,"code":null}}`,
		`{"error":{"message":"bad","type":"` + token + `","param":"` + token + `","code":"` + token + `"}}`,
		`{"type":"error","error":{"message":"bad","type":"\u0074ok/with/slashes-123456"}}`,
	} {
		f := start(t, newUpstream(t, jsonAnswer(400, body)), withToken)
		for _, got := range []reply{
			f.post("/v1/chat/completions", chat("gpt-4o#openai", "")), f.post("/v1/chat/completions", chat("claude-x#anthropic", "")),
			f.post("/v1/messages", messages("claude-x#anthropic", "")), f.post("/v1/messages", messages("gpt-4o#openai", "")),
		} {
			plain := strings.NewReplacer(`\/`, "/", `\u0074`, "t").Replace(got.body)
			if got.status != 400 || strings.Contains(plain, token) || !strings.Contains(got.body, "bad") {
				t.Errorf("%s: %d %s", body, got.status, got.body)
			}
			if x := f.final(got.header.Get("X-Apex-Request-Id")); strings.Contains(x.Error+x.ErrorKind, token) {
				t.Errorf("%s: record %+v", body, x)
			}
		}
		if strings.Contains(f.log.String(), token) {
			t.Errorf("%s: in the log", body)
		}
	}
	for _, d := range doors {
		bad := strings.Replace(errorFrame(d.frames), `"message":"overloaded"`, `"message":"overloaded `+escaped+` sk-proj-abcdef123456"`, 1)
		said := strings.Replace(named(d.frames[2], d.model()), "hel", "hel sk-proj-abcdef123456", 1)
		f := start(t, newUpstream(t, sseAnswer(d.frames[0], d.frames[1]+said, bad)), withToken)
		got := f.post(d.path, d.body)
		if strings.Contains(strings.ReplaceAll(got.body, `\/`, "/"), token) || !strings.Contains(got.body, "overloaded [hidden] [hidden]") {
			t.Errorf("%s: %s", d.name, got.body)
		}
		if !d.converted && !strings.Contains(got.body, said) {
			t.Errorf("%s: the model's words were changed: %s", d.name, got.body)
		}
	}
}

// TestDetailsOfErrors: what an upstream adds to an error reaches the client as it came, although the
// memory that it was read into is used again by then.
func TestDetailsOfErrors(t *testing.T) {
	const details = `{"said":"to nobody else","n":[1,2.50]}`
	body := `{"type":"error","error":{"type":"rate_limit_error","message":"slow down","details":` + details + `}}`
	for name, answer := range map[string]http.HandlerFunc{
		"refused":         jsonAnswer(429, body),
		"in success":      jsonAnswer(200, body),
		"long":            jsonAnswer(200, strings.Replace(body, "down", "down"+strings.Repeat(" or wait", 10_000), 1)),
		"at once":         sseAnswer("event: error\ndata: " + body + "\n\n"),
		"without a frame": sseAnswer(body),
	} {
		f := start(t, newUpstream(t, answer))
		for _, model := range []string{"claude-x#anthropic", "gpt-4o#openai"} {
			for _, more := range []string{"", `"stream":true,`} {
				got := f.post("/v1/messages", messages(model, more))
				bare := name == "at once" && (more == "" || model != "claude-x#anthropic") // errors that are converted out of a stream have none
				if got.status != 429 || !strings.Contains(got.body, "slow down") || strings.Contains(got.body, `"details":`+details) == bare {
					t.Errorf("%s, %s %s: %d %.300q", name, model, more, got.status, got.body)
				}
			}
		}
	}
}

// TestLongErrorInSuccess: an error does not pass for an answer because it is long.
func TestLongErrorInSuccess(t *testing.T) {
	long := strings.Repeat("very long ", 20_000)
	for _, body := range []string{
		openAIError("rate_limit_exceeded", long), `{"type":"error","error":{"type":"rate_limit_error","message":"` + long + `"}}`,
		`{"id":"` + long + `","error":{"code":429,"message":"m"}}`,
	} {
		f := start(t, newUpstream(t, jsonAnswer(200, body)))
		for _, got := range []reply{f.post("/v1/chat/completions", chat("gpt-4o#openai", "")), f.post("/v1/messages", messages("claude-x#anthropic", ""))} {
			if strings.HasPrefix(body, `{"id"`) { // what looks like an answer for 32 KiB is one
				if got.status != 200 || got.body != body {
					t.Errorf("%d, %d bytes", got.status, len(got.body))
				}
				continue
			}
			if got.status != 429 || !strings.Contains(got.body, "very long") {
				t.Errorf("%d %.200s", got.status, got.body)
			}
		}
	}
	answer := `{"error":{"message":"only a warning"},` + strings.Replace(chatAnswer, "hello", long, 1)[1:]
	f := start(t, newUpstream(t, jsonAnswer(200, answer)))
	got := f.post("/v1/chat/completions", chat("gpt-4o#openai", ""))
	if x := f.final(got.header.Get("X-Apex-Request-Id")); got.status != 200 || got.body != named(answer, "gpt-4o#openai") || x.Tokens.Output != 3 {
		t.Errorf("an answer with a warning: %d, %d bytes of %d, %+v", got.status, len(got.body), len(answer), x.Tokens)
	}
}

// TestEndOfConnection: where only that marks the end, half an answer must not pass for one.
func TestEndOfConnection(t *testing.T) {
	for body, want := range map[string]int{chatAnswer: 200, chatAnswer[:60]: 502} {
		f := start(t, newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"+body)
		}))
		if got := f.post("/v1/chat/completions", chat("gpt-4o#openai", "")); got.status != want {
			t.Errorf("%s: %d %s", body, got.status, got.body)
		}
	}
}

// TestGzippedError: of which no header tells that it is compressed.
func TestGzippedError(t *testing.T) {
	f := start(t, newUpstream(t, jsonAnswer(400, gzipOf(openAIError("x", "readable")))))
	for _, got := range []reply{f.post("/v1/chat/completions", chat("gpt-4o#openai", "")), f.post("/v1/messages", messages("gpt-4o#openai", ""))} {
		if e := parse(t, got.body); got.status != 400 || e.Error.Message != "readable" {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
}

// TestUnreadableError: nobody is shown bytes that are no text, neither the client nor the record.
func TestUnreadableError(t *testing.T) {
	packed := gzipOf(openAIError("x", "readable") + strings.Repeat("\n", 2<<20))
	for name, c := range map[string]struct{ body, want string }{
		"packed":                      {gzipOf(openAIError("x", "readable")), "readable"},
		"packed, more than is looked": {packed, "with a body that cannot be read"},
		"packed, cut off":             {packed[:len(packed)/2], "with a body that cannot be read"},
		"not packed after all":        {"\x1f\x8b\x08\xff\xfe\xfd\xfc\xfb\xfa", "with a body that cannot be read"},
		"packed otherwise":            {"\x28\xb5\x2f\xfd\x04\x00\x59\x00\x00\xff\xfe\x80", "with a body that cannot be read"},
		"text of an old encoding":     {"ung\xfcltig, says the upstream", "says the upstream"},
	} {
		for _, status := range []int{200, 400, 503} { // the last is tried again
			if name == "packed" && status == 200 {
				continue // as an answer, it is none
			}
			f, _ := again(t, newUpstream(t, jsonAnswer(status, c.body)))
			for _, got := range []reply{f.post("/v1/chat/completions", chat("gpt-4o#openai", "")), f.post("/v1/messages", messages("gpt-4o#openai", ""))} {
				x := f.final(got.header.Get("X-Apex-Request-Id"))
				said := []string{parse(t, got.body).Error.Message, x.Error}
				for _, try := range x.Tries {
					said = append(said, try.Why)
				}
				for _, s := range said {
					if !strings.Contains(s, c.want) || strings.Count(s, "\uFFFD") > 1 {
						t.Errorf("%s, %d: says %q", name, status, s)
					}
				}
				if status == 503 && len(x.Tries) == 0 {
					t.Errorf("%s: was not tried again", name)
				}
			}
		}
	}
}

func gzipOf(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, text)
	_ = z.Close()
	return b.String()
}

// TestKeyInQuotes: only that there are quotes is said, right key or wrong.
func TestKeyInQuotes(t *testing.T) {
	f := start(t, newUpstream(t, jsonAnswer(500, "")))
	for name, c := range map[string]struct {
		header, value string
		quoted        bool
	}{
		"right key":         {"Authorization", `Bearer "` + localKey + `"`, true},
		"wrong key":         {"Authorization", `Bearer "wrong-key"`, true},
		"single quotes":     {"X-Api-Key", "'" + localKey + "'", true},
		"around the scheme": {"Authorization", `"Bearer wrong-key"`, true},
		"one quote":         {"Authorization", `Bearer "wrong-key`, false},
		"only a quote":      {"Authorization", `Bearer "`, false},
		"two kinds":         {"Authorization", `Bearer "wrong-key'`, false},
		"none":              {"Authorization", "Bearer wrong-key", false},
	} {
		for _, got := range []reply{
			f.post("/v1/chat/completions", chat("echo#demo", ""), without("Authorization"), withHeader(c.header, c.value)),
			f.post("/v1/messages", messages("echo#demo", ""), without("Authorization"), without("X-Api-Key"), withHeader(c.header, c.value)),
		} {
			says := parse(t, got.body).Error.Message
			if got.status != 401 || strings.Contains(says, "has quotes around it") != c.quoted || strings.Contains(got.body, localKey) || strings.Contains(got.body, "wrong-key") {
				t.Errorf("%s: %d %s", name, got.status, got.body)
			}
		}
	}
}

func TestClientsOwnKeyRefused(t *testing.T) {
	f := start(t, newUpstream(t, jsonAnswer(401, openAIError("invalid_api_key", "bad key"))))
	mine := []edit{withHeader("Cf-Aig-Authorization", "Bearer "+gateToken), withHeader("Authorization", "Bearer mine-123456")}
	got := f.post("/v1/messages", messages("gpt-4o#openai", ""), mine...)
	if e := parse(t, got.body); got.status != 401 || e.Error.Type != "authentication_error" || !strings.Contains(e.Error.Message, "the key you sent") {
		t.Errorf("%d %s", got.status, got.body)
	}
	got = f.post("/v1/chat/completions", chat("gpt-4o#openai", ""), mine...)
	if got.status != 401 || got.body != openAIError("invalid_api_key", "bad key") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestUpstreamUnreachable(t *testing.T) {
	u := newUpstream(t, vendor)
	u.Close()
	f := start(t, u)
	got := f.post("/v1/messages", messages("claude-x#anthropic", ""))
	if e := parse(t, got.body); got.status != 502 || !strings.Contains(e.Error.Message, "could not be reached") {
		t.Errorf("%d %s", got.status, got.body)
	}
	broken := newUpstream(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	f = start(t, broken)
	got = f.post("/v1/chat/completions", chat("claude-x#anthropic", ""))
	if parse(t, got.body); got.status != 502 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// TestLoops: our own listener is sent nothing, and a request that comes back on another way is
// known.
func TestLoops(t *testing.T) {
	u := newUpstream(t, vendor)
	f := start(t, u)
	cfg := f.cfg
	cfg.GatewayURL = "http://" + f.Addr() + "/v1"
	f.Apply(cfg)
	got := f.post("/v1/messages", messages("claude-x#anthropic", ""))
	if got.status != 400 || !strings.Contains(got.body, "leads back") {
		t.Errorf("%d %s", got.status, got.body)
	}
	if all := f.bus.Recent(); len(all) != 1 {
		t.Errorf("a request was sent to ourselves: %+v", all)
	}
	f.Apply(f.cfg)
	f.post("/v1/chat/completions", chat("gpt-4o#openai", ""))
	hop := u.last(t).header.Get("X-Apex-Hop")
	got = f.post("/v1/chat/completions", chat("gpt-4o#openai", ""), withHeader("X-Apex-Hop", hop))
	if hop == "" || got.status != 400 || !strings.Contains(got.body, "leads back") {
		t.Errorf("%q %d %s", hop, got.status, got.body)
	}
}
