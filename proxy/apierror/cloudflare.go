package apierror

import (
	"net/http"
	"strconv"
	"strings"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/prose"
)

// advice is what one of Cloudflare's codes means and what to do about it.
type advice struct {
	kind ir.ErrorKind
	text prose.Format // may hold %s once, for the provider's title
}

// byStatus stands for the kind that belongs to the answer's status.
const byStatus = ir.Internal

// codes are Cloudflare's own, as documented or reported up to November 2026.
var codes = map[int]advice{
	2001: {ir.UpstreamCredential, prose.Format("The gateway does not exist in this account. Check the account ID and the gateway name in Settings, or --account and --gateway.")},
	2003: {ir.RateLimited, prose.Format("The gateway's own rate limit is reached. Wait, or raise the limit in the gateway's settings at Cloudflare.")},
	2005: {byStatus, prose.Format("The gateway got no answer from %s. The model's name may be wrong, or the provider is failing.")},
	2008: {ir.InvalidRequest, prose.Format("The gateway does not know this provider or model. Write the model as model#provider.")},
	2009: {ir.UpstreamCredential, prose.Format("The gateway refused the token. Replace it in Settings, or run apex-ai-proxy token set.")},
	2016: {ir.ContentPolicy, prose.Format("The gateway's guardrails blocked the prompt. Change the prompt, or the guardrails at Cloudflare.")},
	2017: {ir.ContentPolicy, prose.Format("The gateway's guardrails blocked the answer. Change the prompt, or the guardrails at Cloudflare.")},
	2021: {ir.Billing, prose.Format("Cloudflare has not enough credit for this, or the model needs your own key. Add credit, or store a key for %s in AI Gateway under Provider Keys.")},
	2029: {ir.ContentPolicy, prose.Format("The gateway's data loss prevention blocked the prompt.")},
	2030: {ir.ContentPolicy, prose.Format("The gateway's data loss prevention blocked the answer.")},
	2044: {ir.UpstreamCredential, prose.Format("No key for %s is stored at Cloudflare. Store one in AI Gateway under Provider Keys, set your own in Settings or with apex-ai-proxy token set, or choose Cloudflare billing for it.")},
	7003: {ir.ModelNotFound, prose.Format("Cloudflare's catalogue does not contain this model. Use the provider's own name for it, as in model#provider.")},
	7013: {ir.Unavailable, prose.Format("The gateway's guardrails cannot be reached right now. Try again.")},

	10000: {ir.UpstreamCredential, prose.Format("Cloudflare refused the token: it is not valid, or it lacks a permission (AI Gateway Run; for Workers AI also Workers AI Read). Replace it in Settings, or run apex-ai-proxy token set.")},
	9106:  {ir.UpstreamCredential, prose.Format("Cloudflare could not read the token. Replace it in Settings, or run apex-ai-proxy token set.")},

	3007: {ir.RequestTimeout, prose.Format("Workers AI took too long. Try again, or use a smaller request.")},
	3008: {ir.RequestTimeout, prose.Format("Workers AI gave up on the request. Try again.")},
	3036: {ir.QuotaExceeded, prose.Format("The account's free Workers AI allowance for today is used up.")},
	3040: {ir.RateLimited, prose.Format("Workers AI has no capacity for this model right now. Try again.")},
	3042: {ir.ModelNotFound, prose.Format("Workers AI does not know this model. Its names start with @cf/.")},
	5004: {ir.InvalidRequest, prose.Format("Workers AI could not process the request.")},
	5007: {ir.ModelNotFound, prose.Format("Workers AI does not know this model. Its names start with @cf/.")},
	5021: {ir.ContextTooLong, prose.Format("The prompt is longer than this Workers AI model can take.")},
	8001: {ir.InvalidRequest, prose.Format("Workers AI could not process the request.")},
}

// gatewayError explains a refusal of Cloudflare.
func gatewayError(e *ir.Error, f *found, a *Answer) {
	said := e.Message.Map(func(s string) string { return strings.TrimSuffix(s, ".") })
	known := false
	for _, code := range f.codes {
		tip, ok := codes[code]
		if !ok {
			continue
		}
		known = true
		e.Kind, e.Code = tip.kind, "cf_"+strconv.Itoa(code)
		if tip.kind == byStatus {
			e.Kind = classify(a.Status, f)
		}
		e.Message = prose.New("%s (Cloudflare %d: %s)", tip.text.With(a.Provider), code, said)
		break
	}
	if !known {
		e.Kind = gatewayKind(a.Status, f)
		e.Message = prose.New("Cloudflare AI Gateway: %s", said)
		if len(f.codes) > 0 {
			e.Code = "cf_" + strconv.Itoa(f.codes[0])
			e.Message = prose.New("%s (%d)", e.Message, f.codes[0])
		}
		if tip := gatewayTip(e.Kind, f); !tip.Empty() {
			e.Message = prose.New("%s. %s", e.Message, tip)
		}
	}
	if id := a.header("Cf-Aig-Log-Id"); id != "" {
		e.Message = prose.New("%s [log %s]", e.Message, id)
	}
}

// gatewayKind is the kind of a refusal without a code that is known.
func gatewayKind(status int, f *found) ir.ErrorKind {
	switch status {
	case http.StatusUnauthorized:
		return ir.UpstreamCredential
	case http.StatusFailedDependency:
		return ir.ContentPolicy
	case http.StatusTooManyRequests:
		if f.bucket != "" || strings.Contains(strings.ToLower(f.message), "spending limit") {
			return ir.QuotaExceeded
		}
		return ir.RateLimited
	default:
		return classify(status, f)
	}
}

func gatewayTip(kind ir.ErrorKind, f *found) prose.Text {
	switch kind {
	case ir.QuotaExceeded:
		return prose.New("This is a limit set in your gateway; raise it at Cloudflare or wait until it resets")
	case ir.Forbidden:
		return prose.New("A policy of your gateway forbids it; ask whoever runs the gateway")
	case ir.UpstreamCredential:
		return prose.New("Check the gateway token in Settings, or run apex-ai-proxy token set")
	case ir.Billing:
		return prose.New("Add credit at Cloudflare, or store a key of your own")
	default:
		return prose.Text{}
	}
}
