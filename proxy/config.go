package proxy

import (
	"crypto/sha256"
	"time"

	"apex-ai-proxy/proxy/capture"
)

// Config is everything an exchange needs to know. It is a snapshot: an exchange keeps
// the Config it began with, whatever is applied later. A Config holds secrets and must
// not be logged.
type Config struct {
	Account    string // Cloudflare account id
	Gateway    string // AI Gateway id
	GatewayURL string // https://gateway.ai.cloudflare.com/v1 unless replaced; no slash at the end

	GatewayToken string // sent upstream as cf-aig-authorization; "" when the user has none yet
	LocalKey     string // what clients must send; the gateway token is accepted too
	// TokenUnread and KeyUnread: the keychain, which may have them, has not answered yet.
	TokenUnread, KeyUnread bool

	AzureResource   string
	AzureAPIVersion string

	// Keys says per provider where its key comes from. A provider that is not listed
	// uses the key stored at Cloudflare.
	Keys map[string]ProviderKey

	// Aliases are names of the user's own for models, which may hold *, and the models that
	// are tried for them in order.
	Aliases map[string][]string

	UpstreamTimeout   time.Duration // longest wait for an upstream's first byte
	StreamIdleTimeout time.Duration // longest silence inside a stream
	Retries           int           // how often a request that was not begun is sent again, 0 for never
	MaxBody           int64         // bytes of a request's body, decoded; 0 means DefaultMaxBody
	Origins           []string      // web origins allowed besides loopback and editors; "*" for all
	Hosts             []string      // Host names allowed besides loopback ones
	Version           string        // of this program, for the User-Agent

	// Lacking is called when a request to a provider goes without a secret that it should have,
	// and must not block; nil for nobody.
	Lacking func()

	// Captures keeps what is sent and what comes back, for people to look at; nil for nobody.
	Captures *capture.Store

	// What every exchange needs of the above. Apply sets it.
	gateway  string              // the address of the gateway, without a slash at the end
	bearer   []string            // the value of a header with the gateway's token
	secrets  []string            // what must not be repeated
	accepted [][sha256.Size]byte // the hashes of the keys of which a client must show one
}

// DefaultMaxBody is the largest request body accepted, in bytes: as much as Anthropic takes.
const DefaultMaxBody = 32 << 20

// ProviderKey is where the key for a provider comes from.
type ProviderKey struct {
	Own     string // the user's own key; "" for a key stored at Cloudflare
	Unread  bool   // the keychain, which may have it, has not answered yet
	Need    bool   // the user chose a key of their own: without one nothing is sent
	Unified bool   // Cloudflare may charge its unified billing
}
