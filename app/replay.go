package app

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"

	"apex-ai-proxy/proxy"
	"apex-ai-proxy/proxy/capture"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/proxy/provider"
)

// Replay is a request to be sent again.
type Replay struct {
	ID    string // of the exchange
	Model string // another model, "" for the same
	Body  []byte // another body, nil for the same
}

// The reasons why a request cannot be sent again.
var (
	ErrNotKept    = prose.Errorf("the request is not kept any more, or only its beginning")
	ErrNotRunning = prose.Errorf("the proxy is not running")
)

// replayer is the name under which requests are sent again.
const replayer = "apex-replay/1"

// repeatedHeaders are the headers of the client that matter to the meaning of a request.
var repeatedHeaders = []string{"Anthropic-Version", "Anthropic-Beta", "Openai-Beta", "Accept"}

// Replay sends a captured request through the proxy once more, as a client would, and
// waits for the end of its answer, which is recorded like any other.
func (a *App) Replay(ctx context.Context, r Replay) error {
	st := a.Status()
	if st.State != Running {
		return ErrNotRunning
	}
	path, body, ok := a.bytes.Original(r.ID)
	if r.Body != nil {
		body = r.Body
	} else if !ok {
		return ErrNotKept
	}
	snap, kept := a.bytes.Get(r.ID)
	if !kept {
		return ErrNotKept
	}
	if r.Model != "" {
		q, err := provider.Peek(body)
		if err != nil {
			return prose.Errorf("choose another model: %v", err)
		}
		body = q.Rewrite(r.Model, provider.Quirks{})
		if strings.Contains(path, "/deployments/") { // there the path names the model
			path = "/v1" + path[strings.LastIndex(path, "/chat/completions"):]
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+reachable(st.Addr)+path, bytes.NewReader(body))
	if err != nil {
		return prose.Errorf("make the request: %v", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", replayer)
	req.Header.Set("Authorization", "Bearer "+a.LocalKey())
	req.Header.Set(proxy.ReplayHeader, r.ID)
	for _, name := range repeatedHeaders {
		if v := snap.Messages[capture.ClientRequest].Header[name]; v != nil {
			req.Header[name] = v
		}
	}
	t := &http.Transport{DisableCompression: true, DisableKeepAlives: true}
	resp, err := t.RoundTrip(req)
	if err != nil {
		return prose.Errorf("send the request: %v", err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return nil // what became of it is in its record
}
