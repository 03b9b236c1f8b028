package app

import (
	"net"
	"net/netip"
	"os"
	"time"

	"apex-ai-proxy/app/secret"
	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy"
	"apex-ai-proxy/proxy/capture"
)

// configure gives the proxy what settings and secrets say now.
func (a *App) configure() {
	a.apply.Lock() // so that of two the later one lasts
	defer a.apply.Unlock()
	a.mu.Lock()
	cfg := makeConfig(overlay(a.file, a.overrides), a.values, a.loading)
	a.mu.Unlock()
	cfg.Version, cfg.Lacking = a.version, a.lacking
	if a.watched.Load() {
		a.bytes.SetLimits(captureLimits(a.Settings().Captures))
		cfg.Captures = a.bytes
	}
	a.sup.Apply(cfg)
}

// makeConfig is what s and the secrets say; unread are those that the keychain still has.
func makeConfig(s settings.Settings, secrets map[string]string, unread map[string]bool) proxy.Config {
	cfg := proxy.Config{
		Account:           s.Gateway.Account,
		Gateway:           s.Gateway.ID,
		GatewayURL:        s.Gateway.URL,
		GatewayToken:      secrets[secret.GatewayToken],
		LocalKey:          secrets[secret.LocalKey],
		TokenUnread:       unread[secret.GatewayToken],
		KeyUnread:         unread[secret.LocalKey],
		AzureResource:     s.Azure.Resource,
		AzureAPIVersion:   s.Azure.APIVersion,
		Keys:              make(map[string]proxy.ProviderKey, len(s.Providers)),
		UpstreamTimeout:   time.Duration(s.Server.UpstreamTimeout),
		StreamIdleTimeout: time.Duration(s.Server.StreamIdleTimeout),
		Retries:           s.Server.Retries,
		Origins:           s.Server.Origins,
		Hosts:             hosts(s.Server.Listen),
		Aliases:           s.AliasTargets(),
	}
	for name, p := range s.Providers {
		switch p.Key {
		case settings.KeyOwn:
			cfg.Keys[name] = proxy.ProviderKey{Own: secrets[secret.ProviderKey(name)], Need: true, Unread: unread[secret.ProviderKey(name)]}
		case settings.KeyUnified:
			cfg.Keys[name] = proxy.ProviderKey{Unified: true}
		case settings.KeyStored:
		}
	}
	return cfg
}

// bodyLimit is how much of one body is kept, in bytes.
const bodyLimit = 1 << 20

var captureModes = map[settings.Bodies]capture.Mode{
	settings.BodiesAll: capture.All, settings.BodiesErrors: capture.Errors, settings.BodiesOff: capture.Off,
}

func captureLimits(c settings.Captures) capture.Limits {
	return capture.Limits{Mode: captureModes[c.Bodies], Exchanges: c.Exchanges, PerBody: bodyLimit, Total: int64(c.Memory) << 20}
}

// hosts is the names besides the loopback ones under which clients may call: this
// computer's own when others can reach it. Addresses need no mention, the proxy allows
// the one that a connection came in on.
func hosts(listen string) []string {
	host, _, err := net.SplitHostPort(listen)
	if err != nil || host == "localhost" {
		return nil
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.Unmap().IsLoopback() {
		return nil
	}
	name, err := os.Hostname()
	if err != nil {
		return nil
	}
	return []string{name, name + ".local"}
}
