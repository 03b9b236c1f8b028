package settings

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Located are the account and the gateway that an address of Cloudflare names.
type Located struct {
	Account string
	Gateway string // "" when the address is that of the account
}

// Locate reads the account and the gateway from an address that was copied: of a page of
// the dashboard, of the gateway, or of Cloudflare's API. The scheme may be missing. It
// tells whether the address is one of these and names an account.
func Locate(address string) (l Located, ok bool) {
	address = strings.TrimSpace(address)
	if !strings.Contains(address, "://") {
		address = "https://" + address
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return Located{}, false
	}
	path := strings.Split(strings.Trim(u.Path, "/"), "/")
	switch strings.ToLower(u.Hostname()) {
	case "dash.cloudflare.com":
		l = Located{path[0], behind(path, "gateways")}
	case "gateway.ai.cloudflare.com":
		l = Located{at(path, 1), at(path, 2)}
	case "api.cloudflare.com":
		l = Located{behind(path, "accounts"), behind(path, "gateways")}
	}
	l.Account = strings.ToLower(l.Account)
	if !accountID.MatchString(l.Account) {
		return Located{}, false
	}
	if !gatewayID.MatchString(l.Gateway) || l.Gateway == newGateway {
		l.Gateway = ""
	}
	return l, true
}

// newGateway stands in the dashboard's addresses where a gateway is made.
const newGateway = "new"

// accountInPath is the account in the path of a gateway's address, and all that follows.
var accountInPath = regexp.MustCompile(`(?i)/[0-9a-f]{32}(/.*)?$`)

// WithoutAccount is a gateway's base URL without the account and what follows it, which are
// added to it.
func WithoutAccount(address string) string { return accountInPath.ReplaceAllString(address, "") }

// at is the part of a path at a place, "" when there are fewer.
func at(path []string, i int) string {
	if i < 0 || i >= len(path) {
		return ""
	}
	return path[i]
}

// behind is the part of a path behind the one with that name.
func behind(path []string, name string) string {
	i := slices.Index(path, name)
	if i < 0 {
		return ""
	}
	return at(path, i+1)
}
