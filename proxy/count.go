package proxy

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"

	"apex-ai-proxy/proxy/apierror"
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/proxy/provider"
	"apex-ai-proxy/proxy/tokens"
)

// counter is shared by all servers: its vocabulary is large.
var counter tokens.Counter

// estimated marks a count that nobody but this program vouches for.
const estimated = "X-Token-Count"

// countTokens answers Anthropic's question how long a request is: by asking the upstream
// where it can tell, otherwise with an estimate.
func (x *exchange) countTokens() error {
	q, err := x.prepare()
	if err != nil {
		return err
	}
	models, alias := targets(x.cfg.Aliases, q.Model)
	x.alias = alias
	if err := x.choose(models[0]); err != nil {
		return err
	}
	if x.up == ir.AnthropicMessages {
		counted, err := x.askCount(q)
		if counted || err != nil {
			return err
		}
	}
	req, _, err := x.codec.DecodeRequest(q.Body)
	if err != nil {
		return err
	}
	n := counter.Estimate(req, x.route.Provider.Slug, x.route.Model)
	x.w.Header().Set(estimated, "estimate")
	x.rec.Tokens = event.Tokens{Input: n, Known: true}
	return x.json(http.StatusOK, []byte(`{"input_tokens":`+strconv.FormatInt(n, 10)+`}`))
}

// askCount asks the upstream. counted is false when it has no such API.
func (x *exchange) askCount(q *provider.Request) (counted bool, err error) {
	address, err := x.address()
	if err != nil {
		return false, err
	}
	address += "/count_tokens"
	if _, known := x.s.uncounted.Load(address); known {
		return false, nil
	}
	defer x.follow()()
	resp, err := x.sendCount(withQuery(address, x.r.URL.RawQuery), x.passed(q))
	if err != nil {
		return false, x.unlessGone(err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		x.s.uncounted.Store(address, nil)
		return false, nil
	case http.StatusNotFound:
		if e, _, err := x.refusal(resp); err == nil && e.Kind == ir.PathNotFound {
			x.s.uncounted.Store(address, nil)
		}
		return false, nil
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return true, x.passError(resp)
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return false, x.unlessGone(x.cutShort(err))
	}
	if !strings.Contains(string(answer), `"input_tokens"`) {
		return false, nil
	}
	x.passHeaders(resp.Header)
	return true, x.json(resp.StatusCode, answer)
}

// sendCount asks once more without the features that the client wants to try out, when
// they are what is refused: to count, none is needed.
func (x *exchange) sendCount(address string, body [][]byte) (*http.Response, error) {
	resp, err := x.send(address, body...)
	if err != nil || resp.StatusCode != http.StatusBadRequest || x.r.Header.Get("Anthropic-Beta") == "" {
		return resp, err
	}
	said, err := io.ReadAll(io.LimitReader(resp.Body, apierror.MaxBody))
	_ = resp.Body.Close()
	if err != nil {
		return nil, x.cutShort(err)
	}
	if !bytes.Contains(bytes.ToLower(said), []byte("beta")) {
		resp.Body = io.NopCloser(bytes.NewReader(said))
		return resp, nil
	}
	x.r.Header = x.r.Header.Clone()
	x.r.Header.Del("Anthropic-Beta")
	return x.send(address, body...)
}
