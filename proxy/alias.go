package proxy

import (
	"fmt"
	"slices"
	"strings"

	"apex-ai-proxy/proxy/apierror"
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/demo"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/proxy/provider"
)

// published begins the names under which aliases are offered to Claude Code, whose list of
// models shows nothing that begins otherwise. Behind it any name may stand.
const published = "claude-gw-"

// chosen is the name that the tray and the window offer for a model of the user's choice. It
// is an alias once there is one.
const chosen = "default"

// resolve is provider.Resolve for one of the models that targets has found for alias.
func resolve(model, alias string) (provider.Route, error) {
	if alias == "" && model == chosen {
		return provider.Route{}, &ir.Error{
			Kind: ir.ModelNotFound, Param: "model", Code: "model_not_found",
			Message: prose.New("no default model is chosen yet: choose one on the Models page or in the tray, or add the alias default to the settings file"),
		}
	}
	route, err := provider.Resolve(model)
	if err == nil && route.Provider.Local && !demo.Knows(route.Model) {
		return provider.Route{}, &ir.Error{
			Kind: ir.ModelNotFound, Param: "model", Code: "model_not_found",
			Message: prose.New("%s has no model %q: use %s", route.Provider.Told(), route.Model, strings.Join(demo.Models(), ", ")),
		}
	}
	return route, err
}

// targets are the models to try for a name: those of the alias that is written like it,
// otherwise those of the alias whose pattern fits it best, otherwise the name itself, which
// is no alias then. What an alias leads to is never looked up as an alias again.
func targets(aliases map[string][]string, name string) (models []string, alias string) {
	plain := provider.StripContext(strings.TrimSpace(name))
	if t := aliases[plain]; len(t) > 0 {
		return t, plain
	}
	if inner, ok := strings.CutPrefix(plain, published); ok && inner != "" {
		return targets(aliases, inner)
	}
	if alias = pattern(aliases, plain); alias != "" {
		return aliases[alias], alias
	}
	return []string{plain}, ""
}

// pattern is the alias with * that fits a name best, "" when none does: the one with the
// most letters of its own, and of two with as many the one that comes first in the
// alphabet, so that the choice never varies. A name that tells its provider means just that.
func pattern(aliases map[string][]string, name string) (best string) {
	if i := strings.LastIndexByte(name, '#'); i >= 0 {
		if _, known := provider.Lookup(name[i+1:]); known {
			return ""
		}
	}
	longest := -1
	for p, t := range aliases {
		own := len(p) - strings.Count(p, "*")
		if len(t) == 0 || own < longest || own == longest && p > best || !fits(p, name) {
			continue
		}
		best, longest = p, own
	}
	return best
}

// fits tells whether a name has the form of a pattern, in which * stands for any text.
func fits(pattern, name string) bool {
	pieces := strings.Split(pattern, "*")
	if len(pieces) == 1 {
		return pattern == name
	}
	rest, ok := strings.CutPrefix(name, pieces[0])
	if !ok {
		return false
	}
	last := pieces[len(pieces)-1]
	for _, piece := range pieces[1 : len(pieces)-1] {
		i := strings.Index(rest, piece)
		if i < 0 {
			return false
		}
		rest = rest[i+len(piece):]
	}
	return strings.HasSuffix(rest, last)
}

// explained is an error that says which models' names the request came and went under,
// where the client did not write them itself.
func (x *exchange) explained(e *ir.Error) *ir.Error {
	said, text := *e, e.Message.String()
	if e.Kind == ir.ContextTooLong && x.client == ir.AnthropicMessages {
		text = apierror.PromptTooLong(text)
	}
	switch {
	case x.alias != "" && strings.Contains(x.alias, "*"):
		text += fmt.Sprintf(" (the alias %s leads %s to %s)", x.alias, printable(x.rec.ModelAsked), x.target)
	case x.alias != "":
		text += fmt.Sprintf(" (the alias %s leads to %s)", x.alias, x.target)
	case e.Kind == ir.ModelNotFound && x.route.Model != "" && !aboutThread(e):
		text += fmt.Sprintf(" (you asked for %s, sent to %s as %s)", printable(x.rec.ModelAsked), x.route.Provider.Title, x.route.WireModel())
	}
	if text != e.Message.String() {
		said.Message = prose.Verbatim(text) // for the client, who reads English
	}
	return &said
}

// aboutThread tells whether the error is about a conversation that an upstream keeps; the
// client's SDK knows what to do.
func aboutThread(e *ir.Error) bool {
	return strings.HasPrefix(e.Details.Get("error_code").Str(), "thread_")
}

// transient tells whether another model may do better than the one that failed so. An
// error of the request itself would only be met again, and a setting that is missing is to
// be told.
func transient(e *ir.Error) bool {
	if e.Code == notSetUp || e.Code == keychainWaiting || aboutThread(e) {
		return false
	}
	switch e.Kind {
	case ir.RateLimited, ir.QuotaExceeded, ir.Billing, ir.Overloaded, ir.Unavailable, ir.BadGateway, ir.GatewayTimeout,
		ir.Internal, ir.OtherServer, ir.NotImplemented, ir.UpstreamCredential, ir.ModelNotFound, ir.RequestTimeout:
		return e != errGone
	default:
		return false
	}
}

// fallBack notes that a model failed and clears what its try left behind.
func (x *exchange) fallBack(model string, e *ir.Error) {
	h := x.w.Header()
	for name := range h {
		if strings.HasPrefix(name, "Cf-") || strings.HasPrefix(name, "X-Upstream-") || name == "X-Conversion-Warnings" || isLimit(name) {
			h.Del(name)
		}
	}
	h.Set("X-Apex-Request-Id", x.id)
	h.Add("X-Fallback-From", token(model))
	x.rec.Phase = event.Waiting
	x.rec.Error, x.rec.ErrorText, x.rec.ErrorKind = "", prose.Text{}, ""
	why := x.masked(&ir.Error{Message: prose.New("%s could not answer: %s", model, e.Message)}).Message
	kept := slices.DeleteFunc(slices.Clone(x.rec.Warnings), func(w event.Warning) bool { return w.Code != event.Fallback })
	x.rec.Warnings = append(kept, event.Warning{
		Code: event.Fallback, Path: "model", Why: why.String(), Text: why,
	})
	x.s.log.Info("falling back to the next model", "id", x.id, "from", x.route.Model, "kind", kindName(e.Kind))
}
