package proxy

import (
	"cmp"
	"net/http"
	"slices"
	"unicode/utf8"

	"apex-ai-proxy/proxy/apierror"
	"apex-ai-proxy/proxy/convert/ir"
)

// secretsOf are what must not be repeated, the longest first.
func secretsOf(c *Config) []string {
	all := []string{c.GatewayToken, c.LocalKey}
	for _, k := range c.Keys {
		all = append(all, k.Own)
	}
	return longestFirst(all)
}

// longestFirst is the order in which texts are replaced, because one may begin with another.
func longestFirst(texts []string) []string {
	slices.SortFunc(texts, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return slices.Compact(texts)
}

// secrets are what must not leave in a message. Nobody may write to them.
func (x *exchange) secrets() []string {
	all := x.cfg.secrets
	if x.key.provider == "" {
		return all
	}
	return append([]string{x.key.provider}, all...)
}

// masked hides the secrets in an error.
func (x *exchange) masked(e *ir.Error) *ir.Error {
	secrets := x.secrets()
	e.Message = e.Message.Map(func(s string) string { return apierror.Mask(s, secrets...) })
	for _, s := range [...]*string{&e.Param, &e.Code, &e.Type} {
		*s = apierror.Mask(*s, secrets...)
	}
	if e.Details != nil {
		e.Details = apierror.MaskJSON(e.Details, secrets...)
	}
	return e
}

// hide replaces the secrets in what a record shows. People put them into paths and names by
// mistake.
func (x *exchange) hide(s string) string {
	if s == "" {
		return ""
	}
	return apierror.Hide(apierror.Hide(s, x.key.provider), x.cfg.secrets...)
}

// What records keep of a text that came from outside, in bytes, and how many warnings. A client
// or an upstream may write what it likes, and a thousand records are remembered.
const (
	maxRecorded      = 1 << 10
	maxRecordedError = 16 << 10
	maxRecordedLost  = 200
)

// recorded is what a record keeps of a text from outside: its start, without secrets.
func (x *exchange) recorded(s string) string { return brief(x.hide(s), maxRecorded) }

// brief is a text as it is, or its first n bytes, of which nothing longer is kept in memory.
func brief(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// minEchoed is the length below which a secret is left alone in headers: a local key that
// somebody has chosen, as "test", would be found in names of models.
const minEchoed = 8

// hideHeaders replaces the secrets in the headers of an answer: an upstream may repeat what it
// was sent.
func (x *exchange) hideHeaders(h http.Header) {
	secrets := x.secrets()
	for _, values := range h {
		for i, v := range values {
			for _, s := range secrets {
				if minEchoed <= len(s) && len(s) <= len(v) {
					v = apierror.Hide(v, s)
				}
			}
			values[i] = v
		}
	}
}
