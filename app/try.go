package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/proxy/sse"
)

// Trial is how a model answered.
type Trial struct {
	Model string        // the one that answered, as its provider calls it
	First time.Duration // until the first words, 0 when there were none
	Took  time.Duration // until the end
}

// TrialError is an answer that says why there is none.
type TrialError struct {
	Status  int // of the answer; 200 when it failed on its way
	Message string

	told prose.Text // in its record, zero when there is none
}

// Error is the answer's own sentence.
func (e *TrialError) Error() string { return e.Message }

// Told is why there is no answer, for other languages.
func (e *TrialError) Told() prose.Text {
	if e.told.Empty() {
		return prose.Verbatim(e.Message)
	}
	return e.told
}

// trier is the name under which models are tried.
const trier = "apex-try/1"

// Bounds of a trial. A model that thinks needs some tokens before its first word.
const (
	trialTokens = 64
	trialAnswer = 256 << 10 // bytes; far more than that many tokens
)

// Try asks a model, by any name that requests may use, for a word through the proxy, as a
// client would, and tells how it answered. The request is recorded like any other. The
// errors are ErrNotRunning, what is wrong with the connection, and a *TrialError.
func (a *App) Try(ctx context.Context, model string) (Trial, error) {
	st := a.Status()
	if st.State != Running {
		return Trial{}, ErrNotRunning
	}
	body, err := json.Marshal(map[string]any{
		"model": model, "stream": true, "max_completion_tokens": trialTokens,
		"messages": []map[string]string{{"role": "user", "content": "Reply with OK."}},
	})
	if err != nil {
		return Trial{}, prose.Errorf("make the request: %v", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+reachable(st.Addr)+"/v1/chat/completions", bytes.NewReader(body))
	if err != nil {
		return Trial{}, prose.Errorf("make the request: %v", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", trier)
	req.Header.Set("Authorization", "Bearer "+a.LocalKey())
	start := time.Now()
	t := &http.Transport{DisableCompression: true, DisableKeepAlives: true}
	resp, err := t.RoundTrip(req)
	if err != nil {
		return Trial{}, prose.Errorf("send the request: %v", err)
	}
	defer resp.Body.Close()
	got := Trial{Model: resp.Header.Get("X-Upstream-Model")}
	answer := io.LimitReader(resp.Body, trialAnswer)
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(answer) // what came is all there is to say
		return got, a.recorded(resp.Header, refusal(resp.StatusCode, text))
	}
	if got.First, err = listen(answer, start); err != nil {
		return got, a.recorded(resp.Header, err)
	}
	got.Took = time.Since(start)
	return got, nil
}

// recorded is the error of an answer with what its record says of it, which a client is not
// told apart from its values, and with the model that a name led to.
func (a *App) recorded(h http.Header, err error) error {
	var refused *TrialError
	if x, ok := a.bus.Find(h.Get("X-Apex-Request-Id")); ok && !x.ErrorText.Empty() && errors.As(err, &refused) {
		refused.told = x.ErrorText
		if x.ModelUsed != "" && !strings.Contains(x.ModelAsked, "#") {
			refused.told = prose.New("%s (%s leads to %s)", x.ErrorText, x.ModelAsked, x.ModelUsed+"#"+x.Provider)
		}
	}
	return err
}

// errCut says that an answer ended before its end.
var errCut = prose.Errorf("the answer broke off")

// listen reads a streamed answer to its end and tells when its first words came, 0 for
// never.
func listen(answer io.Reader, start time.Time) (first time.Duration, err error) {
	var frames sse.Parser
	var failed error
	ended := false
	hear := func(f sse.Frame) {
		switch said, err := heard(f); {
		case err != nil && failed == nil:
			failed = err
		case said && first == 0:
			first = time.Since(start)
		}
		ended = ended || string(f.Data) == "[DONE]"
	}
	buf := make([]byte, 4096)
	for {
		n, err := answer.Read(buf)
		if err := frames.Feed(buf[:n], hear); err != nil {
			return first, prose.Errorf("read the answer: %v", err)
		}
		if err == nil {
			continue
		}
		frames.Close(hear)
		switch {
		case failed != nil:
			return first, failed
		case !errors.Is(err, io.EOF):
			return first, prose.Errorf("%v: %v", errCut, err)
		case !ended:
			return first, errCut
		}
		return first, nil
	}
}

// heard tells whether a frame holds words or thoughts, or an error.
func heard(f sse.Frame) (said bool, err error) {
	var chunk struct {
		Choices []struct {
			Delta map[string]any `json:"delta"`
		} `json:"choices"`
		Error json.RawMessage `json:"error"`
	}
	_ = json.Unmarshal(f.Data, &chunk) // or it is the end, or nothing of ours
	if len(chunk.Error) > 0 && string(chunk.Error) != "null" {
		return false, refusal(http.StatusOK, f.Data)
	}
	for _, c := range chunk.Choices {
		for name, v := range c.Delta {
			if text, ok := v.(string); ok && name != "role" && text != "" {
				return true, nil
			}
		}
	}
	return false, nil
}

// refusal is the error in an answer.
func refusal(status int, body []byte) error {
	var answer struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.Error.Message == "" {
		told := prose.New("the proxy answered %d %s", status, http.StatusText(status))
		return &TrialError{Status: status, Message: told.String(), told: told}
	}
	return &TrialError{Status: status, Message: answer.Error.Message}
}
