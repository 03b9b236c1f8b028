package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// The demo answers without an account, gateway or network, to both clients and in both
// upstream protocols.

func demoModels(name string) []string {
	return []string{name + "#demo", name + "-openai#demo", name + "-anthropic#demo"}
}

func TestDemoWithoutAnAccount(t *testing.T) {
	p := start(t, config{})
	for vendor, client := range clients(p) {
		for _, model := range demoModels("echo") {
			t.Run(vendor+" "+model, func(t *testing.T) {
				modes(t, func(t *testing.T, stream bool) {
					r, err := client().ask(deadline(t), question{model: model, system: "Be brief.", text: "good morning", image: pixel}, stream)
					if err != nil || r.text != "good morning\n\nI see 1 image (image/png, 70 bytes)." || r.stop != "end" || r.in != 4 || r.out == 0 {
						t.Errorf("%+v, %v", r, err)
					}
				})
			})
		}
	}
}

func TestDemoTools(t *testing.T) {
	p := start(t, config{})
	for vendor, client := range clients(p) {
		for _, model := range demoModels("tools") {
			t.Run(vendor+" "+model, func(t *testing.T) {
				modes(t, func(t *testing.T, stream bool) {
					c := client()
					q := question{model: model, text: "both in parallel", tools: true}
					r, err := c.ask(deadline(t), q, stream)
					if err != nil || len(r.calls) != 2 || r.stop != "tools" {
						t.Fatalf("%+v, %v", r, err)
					}
					q.text, q.results = "", []string{"sunny", "rainy"}
					r, err = c.ask(deadline(t), q, stream)
					if err != nil || r.text != "get_weather answered: sunny\nget_forecast answered: rainy" {
						t.Errorf("%+v, %v", r, err)
					}
				})
			})
		}
	}
}

func TestDemoErrors(t *testing.T) {
	p := start(t, config{})
	for vendor, client := range clients(p) {
		for name, status := range map[string]int{"error": 400, "error-429": 429, "error-500": 500, "error-529": 529} {
			for _, model := range demoModels(name) {
				_, err := client().ask(deadline(t), question{model: model, text: "go"}, true)
				want := status
				if vendor != "anthropic" && status == 529 {
					want = 503
				}
				if f, ok := failureOf(err); !ok || f.status != want {
					t.Errorf("%s %s: %v, want status %d", vendor, model, err, want)
				}
			}
		}
	}
}

// TestDemoManyAtOnce asks many things at the same time; every answer must be its own.
func TestDemoManyAtOnce(t *testing.T) {
	p := start(t, config{})
	const n = 32
	wrong := make(chan string, 2*n)
	for i := range n {
		for _, client := range []sdk{newOpenAI(p.URL, localKey), newAnthropic(p.URL, localKey)} {
			go func() {
				text := strings.Repeat(fmt.Sprintf("number %d ", i), 20) + "end"
				r, err := client.ask(deadline(t), question{model: demoModels("echo")[i%3], text: text}, i%2 == 0)
				switch {
				case err != nil:
					wrong <- err.Error()
				case r.text != text:
					wrong <- r.text
				default:
					wrong <- ""
				}
			}()
		}
	}
	for range 2 * n {
		if text := <-wrong; text != "" {
			t.Error(text)
		}
	}
}
