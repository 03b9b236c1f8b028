package proxy_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"apex-ai-proxy/proxy"
	"apex-ai-proxy/proxy/event"
)

// TestRecordsAreSmall: whatever a client or an upstream writes, and how much of it, a record
// holds little: a thousand of them are remembered, also of requests without the key.
func TestRecordsAreSmall(t *testing.T) {
	const most = 64 << 10 // bytes; mostly it is less than one
	long := strings.Repeat("x", 200<<10)
	headers := []string{"Cf-Aig-Log-Id", long[:40<<10], "Cf-Aig-Step", long[:40<<10], "Cf-Aig-Cache-Status", long[:40<<10], "Cf-Aig-Routed-Model", long[:40<<10]}
	refusing := instead(400, "application/json", openAIError(long, long))
	tools := `"tools":[{"type":"` + long + `"}],`
	var fields strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&fields, `"unknown_%d%s":1,`, i, long[:100])
	}
	stranger := without("Authorization")
	for name, c := range map[string]struct {
		up     http.HandlerFunc
		path   string
		body   string
		change []edit
		phase  event.Phase
	}{
		"path":               {nil, "/v1/" + long, "{}", nil, event.Failed},
		"path of a stranger": {nil, "/v1/" + long, "{}", []edit{stranger}, event.Failed},
		"method":             {nil, "/v1/messages", "{}", []edit{func(r *http.Request) { r.Method = long }}, event.Failed},
		"program":            {vendor, "/v1/messages", messages("claude-x#anthropic", ""), []edit{withHeader("User-Agent", long)}, event.Done},
		"model":              {nil, "/v1/messages", messages(long+"#openai", ""), nil, event.Failed},
		"model of an alias":  {vendor, "/v1/messages", messages("any-"+long, ""), nil, event.Done},
		"many losses":        {vendor, "/v1/messages", messages("gpt-4o#openai", fields.String()), nil, event.Done},
		"a long loss":        {vendor, "/v1/messages", messages("gpt-4o#openai", `"`+long+`":1,`), nil, event.Done},
		"our own error":      {nil, "/v1/messages", messages("gpt-4o#openai", tools), nil, event.Failed},
		"the upstream's":     {refusing, "/v1/messages", messages("claude-x#anthropic", ""), nil, event.Failed},
		"headers": {func(w http.ResponseWriter, r *http.Request) {
			for i := 0; i < len(headers); i += 2 {
				w.Header().Set(headers[i], headers[i+1])
			}
			vendor(w, r)
		}, "/v1/messages", messages("claude-x#anthropic", ""), nil, event.Done},
	} {
		t.Run(name, func(t *testing.T) {
			if c.up == nil {
				c.up = func(http.ResponseWriter, *http.Request) { t.Error("it was sent upstream") }
			}
			f := start(t, newUpstream(t, c.up), func(cfg *proxy.Config) { cfg.Aliases = map[string][]string{"any-*": {"claude-x#anthropic"}} })
			got := f.post(c.path, c.body, c.change...)
			x := f.final(got.header.Get("X-Apex-Request-Id"))
			if x.Phase != c.phase || (x.Error == "") != (c.phase == event.Done) {
				t.Errorf("%d, phase %s: %.300s", got.status, x.Phase, x.Error)
			}
			if n := len(fmt.Sprintf("%+v", x)); n > most {
				t.Errorf("the record takes %d bytes: %.300s", n, fmt.Sprintf("%+v", x))
			}
			if name == "many losses" {
				last := x.Warnings[len(x.Warnings)-1]
				if len(x.Warnings) < 100 || last.Code != "more" || x.Warnings[0].Code == "more" {
					t.Errorf("%d warnings, the last is %+v", len(x.Warnings), last)
				}
			}
		})
	}
}
