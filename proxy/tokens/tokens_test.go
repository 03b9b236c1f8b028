package tokens_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
	"strings"
	"sync"
	"testing"

	"apex-ai-proxy/proxy/convert"
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/tokens"
)

var counter tokens.Counter

func estimate(t *testing.T, provider, model, body string) int64 {
	t.Helper()
	req, _, err := convert.For(ir.AnthropicMessages).DecodeRequest([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return counter.Estimate(req, provider, model)
}

func user(content string) string {
	return `{"model":"m","messages":[{"role":"user","content":` + content + `}]}`
}

func pictureOf(t *testing.T, w, h int) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, w, h))); err != nil {
		t.Fatal(err)
	}
	return `[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + base64.StdEncoding.EncodeToString(b.Bytes()) + `"}}]`
}

func TestEstimate(t *testing.T) {
	pdf := base64.StdEncoding.EncodeToString([]byte("%PDF-1.4 <</Type /Pages>> <</Type /Page>> <</Type/Page>>"))
	tool := `{"name":"get_weather","description":"The weather of a city","input_schema":{"type":"object","properties":{"city":{"type":"string"}}}}`
	for _, c := range []struct {
		name, body string
		low, high  int64
	}{
		{"a few words", user(`"Hello, how are you today?"`), 10, 12}, // 7 tokens and a message
		{"escapes count as what they mean", user(`"\u0048ello"`), 5, 5},
		{"system counts", `{"system":"Be brief.","model":"m","messages":[{"role":"user","content":"Hi"}]}`, 10, 13},
		{"tools count", `{"model":"m","tools":[` + tool + `],"messages":[{"role":"user","content":"Hi"}]}`, 380, 400},
		{"a result counts", `{"model":"m","messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{"a":1}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"` + strings.Repeat("word ", 100) + `"}]}]}`, 115, 130},
		{"a small image", user(pictureOf(t, 10, 10)), 89, 89},
		{"an image", user(pictureOf(t, 750, 100)), 105, 105},
		{"a large image", user(pictureOf(t, 3000, 3000)), 1604, 1604},
		{"an image nobody can read", user(`[{"type":"image","source":{"type":"base64","media_type":"image/webp","data":"UklGRg=="}}]`), 1504, 1504},
		{"a PDF of two pages", user(`[{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"` + pdf + `"}}]`), 4004, 4004},
	} {
		if n := estimate(t, "openai", "gpt-5", c.body); n < c.low || n > c.high {
			t.Errorf("%s: %d, want %d to %d", c.name, n, c.low, c.high)
		}
	}
}

// TestHugeTextsAreSampled: nobody waits for the exact count of megabytes.
func TestHugeTextsAreSampled(t *testing.T) {
	beginning, rest := strings.Repeat("word ", 1<<20/5+1), strings.Repeat("!?", 1<<20)
	short := estimate(t, "openai", "gpt-5", user(`"`+beginning[:1<<20]+`"`))
	long := estimate(t, "openai", "gpt-5", user(`"`+beginning[:1<<20]+rest+`"`))
	if want := 3 * short; long < want-10 || long > want+10 {
		t.Errorf("%d tokens for one MiB, %d for three", short, long)
	}
}

func TestThinkingCountsInTheLastTurnOnly(t *testing.T) {
	turn := `{"role":"assistant","content":[{"type":"thinking","thinking":"` + strings.Repeat("hm ", 200) + `","signature":"x"},{"type":"text","text":"ok"}]}`
	with := estimate(t, "openai", "gpt-5", `{"model":"m","messages":[{"role":"user","content":"a"},`+turn+`,{"role":"user","content":"b"},{"role":"assistant","content":"c"}]}`)
	last := estimate(t, "openai", "gpt-5", `{"model":"m","messages":[{"role":"user","content":"a"},{"role":"assistant","content":"c"},{"role":"user","content":"b"},`+turn+`]}`)
	if last-with < 150 {
		t.Errorf("%d with thinking in the last turn, %d with it before", last, with)
	}
}

func TestModelsCountDifferently(t *testing.T) {
	body := user(`"` + strings.Repeat("word ", 1000) + `"`)
	openai := estimate(t, "openai", "gpt-5", body)
	for model, factor := range map[string]float64{"claude-sonnet-4-5": 1.15, "claude-opus-4-8": 1.35, "llama-3.3": 1.05} {
		if n := float64(estimate(t, "x", model, body)); n < float64(openai)*factor-3 || n > float64(openai)*factor+3 {
			t.Errorf("%s: %.0f, want %.2f times %d", model, n, factor, openai)
		}
	}
}

func TestConcurrentCounting(t *testing.T) {
	var c tokens.Counter
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			req, _, err := convert.For(ir.AnthropicMessages).DecodeRequest([]byte(user(fmt.Sprintf(`"number %d"`, g%3))))
			if err != nil || c.Estimate(req, "openai", "gpt-5") < 5 {
				t.Errorf("wrong count: %v", err)
			}
		})
	}
	wg.Wait()
}
