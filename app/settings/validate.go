package settings

import (
	"net"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"apex-ai-proxy/proxy/prose"
)

// The fields that can be wrong or missing, named as in the file.
const (
	FieldAccount           = "gateway.account"
	FieldGateway           = "gateway.id"
	FieldGatewayURL        = "gateway.url"
	FieldAzureResource     = "azure.resource"
	FieldAzureAPIVersion   = "azure.api_version"
	FieldListen            = "server.listen"
	FieldUpstreamTimeout   = "server.upstream_timeout"
	FieldStreamIdleTimeout = "server.stream_idle_timeout"
	FieldRetries           = "server.retries"
	FieldOrigins           = "server.origins"
	FieldDebug             = "server.debug"
	FieldBodies            = "captures.bodies"
	FieldExchanges         = "captures.exchanges"
	FieldMemory            = "captures.memory"
	FieldLanguage          = "app.language"
	FieldTheme             = "app.theme"
)

// FieldProvider is the field of a provider's key mode.
func FieldProvider(name string) string { return "providers." + name + ".key" }

// Problem is what is wrong with one field, and what to do.
type Problem struct {
	Field string     // as in the file, e.g. "server.listen"
	Text  prose.Text // a sentence without the field's name
}

// Name is the field as it may be told: that of an alias is made of what the user wrote.
func (p Problem) Name() string { return Masked(p.Field) }

// ValidationError lists everything that is wrong with settings.
type ValidationError struct {
	Problems []Problem
}

// Error is every problem on one line.
func (e *ValidationError) Error() string { return e.Told().String() }

// Field is what is wrong with a field, "" when nothing is.
func (e *ValidationError) Field(name string) string { return e.Of(name).String() }

// Told is every problem as one text.
func (e *ValidationError) Told() prose.Text {
	var all prose.Text
	for _, p := range e.Problems {
		one := prose.New("%s: %s", p.Name(), p.Text)
		if all.Empty() {
			all = one
		} else {
			all = prose.New("%s; %s", all, one)
		}
	}
	return all
}

// Of is what is wrong with a field, the zero Text when nothing is.
func (e *ValidationError) Of(name string) prose.Text {
	for _, p := range e.Problems {
		if p.Field == name {
			return p.Text
		}
	}
	return prose.Text{}
}

func (e *ValidationError) check(field string, problem prose.Text) {
	if !problem.Empty() {
		e.Problems = append(e.Problems, Problem{Field: field, Text: problem})
	}
}

// Normalized is s without what people add by accident: spaces around values, capital
// letters in the account id, slashes at the end of the gateway's URL.
func (s Settings) Normalized() Settings {
	s.Gateway.Account = strings.ToLower(strings.TrimSpace(s.Gateway.Account))
	s.Gateway.ID = strings.TrimSpace(s.Gateway.ID)
	s.Gateway.URL = strings.TrimRight(strings.TrimSpace(s.Gateway.URL), "/")
	s.Azure.Resource = strings.TrimSpace(s.Azure.Resource)
	s.Azure.APIVersion = strings.TrimSpace(s.Azure.APIVersion)
	s.Server.Listen = strings.TrimSpace(s.Server.Listen)
	s.Server.Origins = slices.Clone(s.Server.Origins)
	for i, o := range s.Server.Origins {
		s.Server.Origins[i] = strings.TrimRight(strings.TrimSpace(o), "/")
	}
	return s
}

// Validate tells what is wrong with s as a *ValidationError, given the names of the
// providers there are. An account or gateway that is not filled in is not wrong: the
// built-in demo works without; see Missing.
func (s Settings) Validate(providers []string) error {
	e := &ValidationError{}
	if s.Gateway.Account != "" && !accountID.MatchString(s.Gateway.Account) {
		e.check(FieldAccount, prose.New("an account ID has 32 characters, 0-9 and a-f; copy it from the address of your Cloudflare dashboard"))
	}
	if s.Gateway.ID != "" && !gatewayID.MatchString(s.Gateway.ID) {
		e.check(FieldGateway, prose.New("a gateway's name has up to 64 of a-z, 0-9, - and _; copy it from AI > AI Gateway in the dashboard"))
	}
	e.check(FieldGatewayURL, checkURL(s.Gateway.URL))
	if s.Azure.Resource != "" && !azureResource.MatchString(s.Azure.Resource) {
		e.check(FieldAzureResource, prose.New("give the resource's name alone (2 to 64 letters, digits and hyphens), not its address"))
	}
	if s.Azure.APIVersion != "" && !azureVersion.MatchString(s.Azure.APIVersion) {
		e.check(FieldAzureAPIVersion, prose.New("an API version looks like 2024-02-01 or 2025-04-01-preview"))
	}
	e.check(FieldListen, checkListen(s.Server.Listen))
	e.check(FieldUpstreamTimeout, checkDuration(s.Server.UpstreamTimeout))
	e.check(FieldStreamIdleTimeout, checkDuration(s.Server.StreamIdleTimeout))
	if s.Server.Retries < 0 || s.Server.Retries > maxRetries {
		e.check(FieldRetries, prose.New("choose a number from 0 to 5"))
	}
	for _, o := range s.Server.Origins {
		e.check(FieldOrigins, checkOrigin(o))
	}
	s.checkProviders(e, providers)
	s.checkAliases(e)
	s.App.check(e)
	s.Captures.check(e)
	if len(e.Problems) == 0 {
		return nil
	}
	return e
}

// maxRetries bounds how often a request is sent again, which check says in words.
const maxRetries = 5

var (
	accountID     = regexp.MustCompile(`^[0-9a-f]{32}$`)
	gatewayID     = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)
	azureResource = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,62}[A-Za-z0-9]$`)
	azureVersion  = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2}(-[a-z0-9]+)*|preview|latest|v1)$`)
	originScheme  = regexp.MustCompile(`^[a-z][a-z0-9+.-]*$`)
)

func (s Settings) checkProviders(e *ValidationError, known []string) {
	names := make([]string, 0, len(s.Providers))
	for name := range s.Providers {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if !slices.Contains(known, name) {
			e.check(Masked("providers."+name), prose.New("there is no such provider; %s", meant(name, known)))
			continue
		}
		switch s.Providers[name].Key {
		case "", KeyStored, KeyOwn, KeyUnified:
		default:
			e.check(FieldProvider(name), prose.New(`write "stored", "own" or "unified"`))
		}
	}
}

func checkURL(raw string) prose.Text {
	u, err := url.Parse(raw)
	switch {
	case err != nil || raw != strings.TrimSpace(raw):
		return prose.New("this is not an address; write one like https://gateway.ai.cloudflare.com/v1")
	case u.Scheme != "https" && u.Scheme != "http":
		return prose.New("the address must begin with https:// (or http://)")
	case u.Hostname() == "" || u.Opaque != "" || !portOK(u.Port()) || strings.HasSuffix(u.Host, ":"):
		return prose.New("the address has no valid host; write one like https://gateway.ai.cloudflare.com/v1")
	case u.User != nil:
		return prose.New("the address must not hold a user name or password; the token has a place of its own")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(raw, "#"):
		return prose.New("leave out everything from ? or # on; the account, gateway and provider are added to the path")
	case strings.HasSuffix(u.Path, "/"):
		return prose.New("leave out the slash at the end")
	case u.Path != "" && path.Clean(u.Path) != u.Path || u.RawPath != "":
		return prose.New("write the path plainly, without //, . or .. or percent codes")
	}
	return prose.Text{}
}

func portOK(port string) bool {
	if port == "" {
		return true
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

func checkListen(addr string) prose.Text {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return prose.New("an address and a port are needed; write it as 127.0.0.1:8787")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return prose.New("the port must be a number from 1 to 65535, or 0 for any free one")
	}
	if host == "" || host == "localhost" {
		return prose.Text{}
	}
	if _, err := netip.ParseAddr(host); err != nil {
		return prose.New("the address must be one of this computer's IP addresses or localhost; write it as 127.0.0.1:8787")
	}
	return prose.Text{}
}

func checkDuration(d Duration) prose.Text {
	if time.Duration(d) < time.Second {
		return prose.New(`the time must be at least one second; write it as in "5m" or "90s"`)
	}
	return prose.Text{}
}

func checkOrigin(o string) prose.Text {
	if o == "*" {
		return prose.Text{}
	}
	scheme, host, ok := strings.Cut(o, "://")
	if !ok || !originScheme.MatchString(scheme) || host == "" || strings.ContainsAny(host, "/?#@ *,") {
		return prose.New(`%q is not a web origin; write scheme and host as in https://example.com, or "*" for all`, Masked(o))
	}
	return prose.Text{}
}

// Missing lists the fields that must be filled in before a request can go to the
// gateway.
func (s Settings) Missing() []string {
	var out []string
	if s.Gateway.Account == "" {
		out = append(out, FieldAccount)
	}
	if s.Gateway.ID == "" {
		out = append(out, FieldGateway)
	}
	return out
}

// Warnings tells what is allowed but should be chosen knowingly. It is for settings
// that are valid.
func (s Settings) Warnings() []Problem {
	var out []Problem
	if host, _, err := net.SplitHostPort(s.Server.Listen); err == nil && !loopback(host) {
		out = append(out, Problem{FieldListen, prose.New("other computers can reach this address; whoever has the local key can use your gateway, and nothing is encrypted on the way")})
	}
	if u, err := url.Parse(s.Gateway.URL); err == nil && u.Scheme == "http" && !loopback(u.Hostname()) {
		out = append(out, Problem{FieldGatewayURL, prose.New("the gateway token and every request travel unencrypted; use https://")})
	}
	if slices.Contains(s.Server.Origins, "*") {
		out = append(out, Problem{FieldOrigins, prose.New("every web page may call the proxy if it knows the local key")})
	}
	return out
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
