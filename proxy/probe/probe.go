// Package probe asks a Cloudflare AI Gateway whether requests would get through, and says
// precisely what is in the way. Nothing it sends costs money: it only reads lists of models,
// and for what the gateway's own refusal leaves open, what Cloudflare's API says about the
// token and the gateway.
//
// The gateway's list of models needs the permission to run the gateway and spends no tokens.
// The lists of the providers tell whether their keys are there: with unified billing
// forbidden, the gateway refuses a provider whose key it does not have.
package probe

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"apex-ai-proxy/proxy/apierror"
	"apex-ai-proxy/proxy/provider"
)

// Limit is how long a test may take.
const Limit = 20 * time.Second

// Gateway is what is tested.
type Gateway struct {
	URL     string // base URL, no slash at the end
	Account string
	Name    string
	Token   string         // "" when there is none
	Keys    map[string]Key // by provider; the others' keys are stored at Cloudflare
	Version string         // of this program, for the User-Agent
}

// Key is where the key for a provider comes from when it is not stored at Cloudflare.
type Key struct {
	Own     string // "" when the user wants one and it is not set
	Unified bool   // Cloudflare may charge, so that no key is needed
}

const (
	cloudflare = "gateway.ai.cloudflare.com"
	cloudAPI   = "https://api.cloudflare.com/client/v4"
)

// Test asks the gateway. It ends with ctx, and after Limit at the latest.
func Test(ctx context.Context, g Gateway) Finding {
	api := ""
	if u, err := url.Parse(g.URL); err == nil && u.Hostname() == cloudflare && u.Scheme == "https" {
		api = cloudAPI // the token goes nowhere else
	}
	p := &prober{gateway: g, api: api, proxy: http.ProxyFromEnvironment, limit: Limit}
	return p.test(ctx)
}

// Reach tells whether the gateway's host answers at all, and what is in the way if not. It
// needs no account, name or token.
func Reach(ctx context.Context, g Gateway) Finding {
	p := &prober{gateway: Gateway{URL: g.URL, Version: g.Version}, proxy: http.ProxyFromEnvironment, limit: Limit}
	return p.run(ctx, p.reach)
}

// prober is one test.
type prober struct {
	gateway Gateway
	api     string // of Cloudflare, "" for a gateway that is not Cloudflare's own
	proxy   func(*http.Request) (*url.URL, error)
	limit   time.Duration
	client  *http.Client
}

func (p *prober) test(ctx context.Context) Finding { return p.run(ctx, p.ask) }

// run makes a test with a client of its own.
func (p *prober) run(ctx context.Context, test func(context.Context) Finding) Finding {
	ctx, cancel := context.WithTimeout(ctx, p.limit)
	defer cancel()
	transport := &http.Transport{Proxy: p.proxy, ForceAttemptHTTP2: true, DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	p.client = &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	f := test(ctx)
	f.Said = strings.Join(strings.Fields(apierror.Mask(f.Said, p.secrets()...)), " ") // lines of its own could pass for ours
	return f
}

// secrets must not be repeated.
func (p *prober) secrets() []string {
	list := []string{p.gateway.Token}
	for _, k := range p.gateway.Keys {
		list = append(list, k.Own)
	}
	return list
}

func (p *prober) ask(ctx context.Context) Finding {
	switch g := p.gateway; {
	case g.Account == "":
		return Finding{Cause: AccountMissing}
	case g.Name == "":
		return Finding{Cause: GatewayMissing}
	}
	a := p.get(ctx, p.base()+"/compat/models", p.header())
	f := judge(a)
	switch f.Cause {
	case OK:
		if p.gateway.Token == "" { // it is open, but keys that are stored need a token
			return Finding{Cause: TokenMissing}
		}
		return p.providers(ctx)
	case NoGateway:
		return p.which(ctx, f)
	case TokenRefused, Permission:
		if p.gateway.Token == "" {
			f.Cause = TokenMissing
			return f
		}
		return p.whose(ctx, f)
	default:
		return f
	}
}

func (p *prober) reach(ctx context.Context) Finding {
	if a := p.get(ctx, p.gateway.URL, http.Header{}); a.err != nil {
		return judge(a)
	}
	return Finding{Cause: OK}
}

func (p *prober) base() string {
	return p.gateway.URL + "/" + url.PathEscape(p.gateway.Account) + "/" + url.PathEscape(p.gateway.Name)
}

// header forbids everything that could cost something.
func (p *prober) header() http.Header {
	h := http.Header{"Cf-Aig-No-Wholesale": {"true"}, "Cf-Aig-Skip-Cache": {"true"}}
	if p.gateway.Token != "" {
		h.Set("Cf-Aig-Authorization", "Bearer "+p.gateway.Token)
	}
	return h
}

// answer is what came back, or why nothing did.
type answer struct {
	status int
	header http.Header
	body   []byte
	err    error
	via    *url.URL // the proxy on the way, nil for none
}

// maxList bounds what is read of a list, in bytes.
const maxList = 8 << 20

func (p *prober) get(ctx context.Context, address string, h http.Header) answer {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return answer{err: err}
	}
	req.Header = h
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", strings.TrimRight("apex-ai-proxy/"+p.gateway.Version, "/"))
	a := answer{}
	if p.proxy != nil {
		a.via, _ = p.proxy(req) // what is wrong with it is said by the request
	}
	resp, err := p.client.Do(req)
	if err != nil {
		a.err = err
		return a
	}
	defer resp.Body.Close()
	a.status, a.header = resp.StatusCode, resp.Header
	a.body, a.err = io.ReadAll(io.LimitReader(resp.Body, maxList))
	return a
}

// isList tells whether the body is a list of models, in the form of OpenAI and Anthropic or
// in that of Google.
func isList(body []byte) bool {
	var list struct {
		Data   []json.RawMessage `json:"data"`
		Models []json.RawMessage `json:"models"`
	}
	return json.Unmarshal(body, &list) == nil && (list.Data != nil || list.Models != nil)
}

// which finds out whether the account or the gateway's name is wrong.
func (p *prober) which(ctx context.Context, f Finding) Finding {
	if p.api == "" || p.gateway.Token == "" {
		return f
	}
	a := p.get(ctx, p.api+"/accounts/"+url.PathEscape(p.gateway.Account)+"/ai-gateway/gateways?per_page=50", p.authorized())
	switch {
	case a.err != nil:
	case a.status == http.StatusOK:
		var list struct {
			Result []struct {
				ID string `json:"id"`
			} `json:"result"`
		}
		if json.Unmarshal(a.body, &list) != nil {
			return f
		}
		f.Cause = WrongGateway
		for _, g := range list.Result {
			f.Gateways = append(f.Gateways, g.ID)
		}
	case a.status == http.StatusNotFound:
		f.Cause = WrongAccount
	}
	return f
}

// whose finds out whether a token that the gateway refused is one at all: one that is lacks
// a permission, or is of another account.
func (p *prober) whose(ctx context.Context, f Finding) Finding {
	if p.api == "" {
		return f
	}
	for _, path := range []string{"/user/tokens/verify", "/accounts/" + url.PathEscape(p.gateway.Account) + "/tokens/verify"} {
		a := p.get(ctx, p.api+path, p.authorized())
		var said struct {
			Result struct {
				Status string `json:"status"`
			} `json:"result"`
		}
		switch {
		case a.err != nil || a.status >= http.StatusInternalServerError:
			return f // which leaves it open
		case a.status != http.StatusOK || json.Unmarshal(a.body, &said) != nil:
			continue
		}
		switch said.Result.Status {
		case "active":
			f.Cause = Permission
			return f
		case "disabled", "expired":
			f.Cause = TokenExpired
			return f
		}
	}
	f.Cause = TokenRefused
	return f
}

func (p *prober) authorized() http.Header {
	return http.Header{"Authorization": {"Bearer " + p.gateway.Token}}
}

// providers asks those providers that have a list whether their keys are there.
func (p *prober) providers(ctx context.Context) Finding {
	var asked []provider.Provider
	for _, row := range provider.All() {
		if row.List != "" && !p.gateway.Keys[row.Slug].Unified {
			asked = append(asked, row)
		}
	}
	found := make([]Provider, len(asked))
	said := make([]Finding, len(asked))
	var wg sync.WaitGroup
	for i := range asked {
		wg.Go(func() { found[i], said[i] = p.provider(ctx, &asked[i]) })
	}
	wg.Wait()
	return p.sum(found, said)
}

func (p *prober) provider(ctx context.Context, row *provider.Provider) (Provider, Finding) {
	h := p.header()
	key, own := p.gateway.Keys[row.Slug]
	found := Provider{Name: row.Slug, Title: row.Title}
	if own {
		if key.Own == "" {
			found.State = KeyMissing
			return found, Finding{}
		}
		h.Set(row.Key.Name, row.Key.Prefix+key.Own)
	}
	if row.Slug == "anthropic" {
		h.Set("Anthropic-Version", "2023-06-01")
	}
	a := p.get(ctx, p.base()+"/"+row.List, h)
	f := judge(a)
	switch {
	case f.Cause == OK:
		found.State = Ready
	case f.Cause == NoKey:
		found.State = KeyMissing
	case a.err == nil && own && (a.status == http.StatusUnauthorized || a.status == http.StatusForbidden || a.status == http.StatusBadRequest):
		found.State = KeyRefused
	case a.err == nil && (a.status == http.StatusUnauthorized || a.status == http.StatusForbidden):
		found.State = KeyMissing // or the one that is stored is not good
	default:
		found.State = Unknown
	}
	return found, f
}

// sum is the finding about all providers.
func (p *prober) sum(found []Provider, said []Finding) Finding {
	all := Finding{Cause: OK, Providers: found}
	missing := 0
	for i, at := range found {
		switch {
		case at.State == KeyRefused, at.State == KeyMissing && p.wantsOwn(at.Name):
			f := said[i]
			f.Cause, f.Provider, f.Providers = OwnKey, at.Name, found
			return f
		case at.State == KeyMissing:
			missing++
		}
	}
	if missing > 0 && missing == len(found) {
		all.Cause, all.Code, all.Said = NoKey, said[0].Code, said[0].Said
	}
	return all
}

func (p *prober) wantsOwn(name string) bool {
	k, ok := p.gateway.Keys[name]
	return ok && !k.Unified
}
