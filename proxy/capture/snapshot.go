package capture

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"apex-ai-proxy/proxy/apierror"
	"apex-ai-proxy/proxy/rawjson"
)

// Message is one side of an exchange, as it was seen.
type Message struct {
	Seen   bool        // the exchange got this far
	Method string      // of a request
	URL    string      // of a request
	Status int         // of an answer
	Header http.Header // with Dots for credentials
	Body   []byte      // what was kept of the body, with Dots for secrets
	Size   int64       // of the whole body, in bytes
}

// Cut tells whether the body was longer than what was kept of it.
func (m *Message) Cut() bool { return m.Size > int64(len(m.Body)) }

// Snapshot is what is known of an exchange at one moment.
type Snapshot struct {
	ID       string
	Revision int64
	Done     bool
	Attempts int // requests sent upstream; more than one after a repair or a fallback
	Messages [Sides]Message
}

func (r *Record) snapshot(secrets []string) Snapshot {
	r.mu.Lock()
	s := Snapshot{ID: r.id, Revision: r.revision, Done: r.done, Attempts: r.attempts}
	sides := r.sides
	var bodies [Sides][]byte
	for i := range r.bodies {
		bodies[i] = r.bodies[i].bytes(bodies[ClientRequest])
	}
	said := r.tape.bytes()
	copy(bodies[UpstreamAnswer:], said[:])
	for i, n := range r.tape.all {
		sides[int(UpstreamAnswer)+i].size = n
	}
	shown := slices.Clone(r.shown)
	r.mu.Unlock()
	for i := range sides {
		s.Messages[i].Body = bodies[i]
		if m := &sides[i]; m.seen {
			s.Messages[i] = Message{
				Seen: true, Method: m.method, URL: maskedURL(m.url), Status: m.status, Header: masked(m.header),
				Body: bodies[i], Size: m.size,
			}
		}
	}
	// Whoever the credentials of a request were shown to may repeat them.
	secrets = forms(slices.Concat(secrets, shown, sides[ClientRequest].credentials(), sides[UpstreamRequest].credentials()))
	for i := range s.Messages {
		m := &s.Messages[i]
		m.URL, m.Header = dotted(m.URL, secrets), dottedHeader(m.Header, secrets)
		cut, size := m.Cut(), m.Size
		m.Body = hide(m, secrets)
		if cut || !s.Done {
			m.Body = cutSecret(m.Body, secrets)
		}
		if m.Size = int64(len(m.Body)); cut {
			m.Size = max(size, m.Size+1) // dots may be longer than what they stand for
		}
	}
	return s
}

// hide replaces secrets in a body. In the answer of an upstream that refuses, whatever
// looks like a key counts as one: vendors quote the key that they did not like.
func hide(m *Message, secrets []string) []byte {
	if m.Status >= http.StatusBadRequest {
		return apierror.MaskJSON(m.Body, secrets...)
	}
	body := m.Body
	for _, s := range secrets {
		if bytes.Contains(body, []byte(s)) {
			body = bytes.ReplaceAll(body, []byte(s), []byte(Dots))
		}
	}
	return body
}

// forms are the secrets as they may be written in a body or an address, the longest first,
// because one may begin with another. Short ones are left out.
func forms(secrets []string) []string {
	var out []string
	for _, s := range secrets {
		if len(s) < minSecret {
			continue
		}
		quoted, _ := json.Marshal(s) // a string can always be written
		plain := rawjson.AppendEscape(nil, s)
		out = append(out, s, string(quoted[1:len(quoted)-1]), string(plain), url.QueryEscape(s), url.PathEscape(s))
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return slices.Compact(out)
}

// dotted is a text without secrets.
func dotted(text string, secrets []string) string {
	for _, s := range secrets {
		text = strings.ReplaceAll(text, s, Dots)
	}
	return text
}

// dottedHeader is a copy of headers without secrets, which people put into names of programs
// and gateways repeat.
func dottedHeader(h http.Header, secrets []string) http.Header {
	if h == nil {
		return nil
	}
	out := make(http.Header, len(h))
	for name, values := range h {
		for _, v := range values {
			out[name] = append(out[name], dotted(v, secrets))
		}
	}
	return out
}

// cutSecret leaves out a secret's beginning that a body ends in: more of it may follow, or
// was not kept.
func cutSecret(body []byte, secrets []string) []byte {
	for _, s := range secrets {
		for n := len(s) - 1; n >= minSecret; n-- {
			if bytes.HasSuffix(body, []byte(s[:n])) {
				return append(slices.Clip(body[:len(body)-n]), Dots...)
			}
		}
	}
	return body
}

// minSecret is the length below which a secret is a word like any other.
const minSecret = 4

// Original is a client's request as it came, with nothing replaced, for sending it again.
// ok is false when it is not kept, or not as a whole.
func (s *Store) Original(id string) (path string, body []byte, ok bool) {
	s.mu.Lock()
	r, found := s.at[id]
	s.mu.Unlock()
	if !found {
		return "", nil, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	m := &r.sides[ClientRequest]
	return maskedURL(m.url), r.bodies[ClientRequest].bytes(nil), r.whole()
}

// Kept tells whether anything of a client's request is kept, and whether all of it is, as
// Original needs it.
func (s *Store) Kept(id string) (some, all bool) {
	s.mu.Lock()
	r, found := s.at[id]
	s.mu.Unlock()
	if !found {
		return false, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	m := &r.sides[ClientRequest]
	return m.seen, r.whole()
}

// whole tells whether all of the client's request was kept. r.mu is held.
func (r *Record) whole() bool {
	m := &r.sides[ClientRequest]
	return m.seen && m.size == int64(r.bodies[ClientRequest].copied)
}

// Dots stand for a credential.
const Dots = "••••••••"

// credentialHeaders are replaced whole.
var credentialHeaders = map[string]bool{
	"Authorization": true, "Proxy-Authorization": true, "Cookie": true, "Set-Cookie": true,
}

// credentialWords mark the name of a header as that of a credential.
var credentialWords = []string{"api-key", "apikey", "token", "secret", "password", "authorization", "credential", "goog-api"}

// counts are headers with such a word that hold no credential.
var counts = []string{"ratelimit", "token-count", "tokens"}

func isCredential(name string) bool {
	if credentialHeaders[name] {
		return true
	}
	name = strings.ToLower(name)
	contains := func(word string) bool { return strings.Contains(name, word) }
	return slices.ContainsFunc(credentialWords, contains) && !slices.ContainsFunc(counts, contains)
}

// minShown is the length below which a client's credential is taken for a word that it
// sends because it has to send something, as in "dummy".
const minShown = 8

// credentials are those in a request's headers and in its address.
func (m *message) credentials() (out []string) {
	add := func(s string) {
		if len(s) >= minShown {
			out = append(out, s)
		}
	}
	for name, values := range m.header {
		if !isCredential(name) {
			continue
		}
		for _, v := range values {
			if _, rest, ok := strings.Cut(v, " "); ok {
				v = rest
			}
			add(v)
		}
	}
	_, query, _ := strings.Cut(m.url, "?")
	for pair := range strings.SplitSeq(query, "&") {
		if value, ok := queryCredential(pair); ok {
			if plain, err := url.QueryUnescape(value); err == nil {
				value = plain
			}
			add(value)
		}
	}
	return out
}

// queryCredential is the value of a pair of a query, as it is written, when that is a
// credential.
func queryCredential(pair string) (value string, ok bool) {
	name, value, _ := strings.Cut(pair, "=")
	if plain, err := url.QueryUnescape(name); err == nil {
		name = plain
	}
	return value, value != "" && (isCredential(name) || strings.EqualFold(name, "key"))
}

// masked is a copy of headers without credentials. What kind of credential it was, as in
// "Bearer", stays.
func masked(h http.Header) http.Header {
	out := make(http.Header, len(h))
	for name, values := range h {
		if !isCredential(name) {
			out[name] = slices.Clone(values)
			continue
		}
		for _, v := range values {
			shown := Dots
			if scheme, rest, ok := strings.Cut(v, " "); ok && rest != "" && (strings.EqualFold(scheme, "Bearer") || strings.EqualFold(scheme, "Basic")) {
				shown = scheme + " " + Dots
			}
			out[name] = append(out[name], shown)
		}
	}
	return out
}

// maskedURL is an address without the credentials that some clients put into the query.
func maskedURL(address string) string {
	path, query, ok := strings.Cut(address, "?")
	if !ok {
		return address
	}
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		if value, ok := queryCredential(pair); ok {
			pairs[i] = pair[:len(pair)-len(value)] + Dots
		}
	}
	return path + "?" + strings.Join(pairs, "&")
}
