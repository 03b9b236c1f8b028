package proxy

import (
	"slices"
	"strings"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/proxy/provider"
)

// targets are the models to try for a name: those of the alias that is written like it,
// otherwise those of the alias whose pattern fits it best, otherwise the name itself.
func targets(aliases map[string][]string, name string) []string {
	plain := provider.StripContext(strings.TrimSpace(name))
	if t := aliases[plain]; len(t) > 0 {
		return t
	}
	best, length := []string(nil), -1
	for pattern, t := range aliases {
		// The pattern with the most letters of its own is the closest; of two of the same
		// length the one that comes first in the alphabet, so that the choice never varies.
		own := len(pattern) - strings.Count(pattern, "*")
		if len(t) == 0 || own < length || !fits(pattern, plain) {
			continue
		}
		if own > length || t[0] < best[0] {
			best, length = t, own
		}
	}
	if best != nil {
		return best
	}
	return []string{name}
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

// transient tells whether another model may do better than the one that failed so. An
// error of the request itself would only be met again.
func transient(e *ir.Error) bool {
	switch e.Kind {
	case ir.RateLimited, ir.QuotaExceeded, ir.Billing, ir.Overloaded, ir.Unavailable, ir.BadGateway, ir.GatewayTimeout,
		ir.Internal, ir.OtherServer, ir.NotImplemented, ir.UpstreamCredential, ir.ModelNotFound, ir.RequestTimeout:
		return e != errGone
	default:
		return false
	}
}

// fallback is the code of the warning that a model failed and another one answered.
const fallback = "fallback"

// fallBack notes that a model failed and clears what its try left behind.
func (x *exchange) fallBack(model string, e *ir.Error) {
	h := x.w.Header()
	for name := range h {
		if strings.HasPrefix(name, "Cf-") || strings.HasPrefix(name, "X-Upstream-") || name == "X-Conversion-Warnings" {
			h.Del(name)
		}
	}
	h.Set("X-Apex-Request-Id", x.id)
	h.Add("X-Fallback-From", token(model))
	x.rec.Phase = event.Waiting
	x.rec.Error, x.rec.ErrorKind = "", ""
	kept := slices.DeleteFunc(slices.Clone(x.rec.Warnings), func(w event.Warning) bool { return w.Code != fallback })
	x.rec.Warnings = append(kept, event.Warning{
		Code: fallback, Path: "model", Why: x.masked(&ir.Error{Message: model + " could not answer: " + e.Message}).Message,
	})
	x.s.log.Info("falling back to the next model", "id", x.id, "from", x.route.Model, "kind", kindName(e.Kind))
}
