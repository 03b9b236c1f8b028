package app

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"apex-ai-proxy/app/secret"
	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/spelling"
)

// shortKey is how many characters a local key should have at least.
const shortKey = 8

// doubts tells what in the environment is probably not what its author meant, by variable.
// names are the variables there are; the values of secrets are never part of what is told.
func doubts(getenv func(string) string, names []string, s settings.Settings) map[string]string {
	out := map[string]string{}
	for _, o := range options {
		if v := getenv(o.env); o.value == "" && v != "" && !switchedOn(v) && !switchedOff(v) {
			out[o.env] = fmt.Sprintf("%q is neither on nor off and counts as off; write 1 or 0", v)
		}
	}
	key := secret.Variable(secret.LocalKey)
	if n := utf8.RuneCountInString(strings.TrimSpace(getenv(key))); n > 0 && n < shortKey {
		out[key] = fmt.Sprintf("a key of fewer than %d characters is easy to guess; choose a longer one", shortKey)
	}
	for _, name := range names {
		if strings.HasPrefix(name, "APEX_") && getenv(name) != "" {
			if text := doubtName(name, s); text != "" {
				out[name] = text
			}
		}
	}
	return out
}

// doubtName tells why a variable that looks like one of this program's has no effect.
func doubtName(name string, s settings.Settings) string {
	known := []string{configVariable, secret.Variable(secret.LocalKey)}
	for _, o := range options {
		known = append(known, o.env)
	}
	var keys []string
	for _, p := range providers() {
		variable := secret.Variable(secret.ProviderKey(p))
		if name == variable && s.Providers[p].Key != settings.KeyOwn {
			return fmt.Sprintf("it is not used; write key = \"own\" under [providers.%s] in the settings file", p)
		}
		keys = append(keys, variable)
	}
	switch {
	case slices.Contains(known, name), slices.Contains(keys, name):
		return ""
	case strings.HasPrefix(name, secret.Variable(secret.ProviderKey(""))):
		for i := range keys {
			keys[i] = strings.ToLower(keys[i])
		}
		if near := spelling.Nearest(name, keys); near != "" {
			return fmt.Sprintf("there is no such provider; did you mean %s?", strings.ToUpper(near))
		}
		return "there is no such provider; choose one of " + strings.Join(providers(), ", ")
	}
	for i := range known {
		known[i] = strings.ToLower(known[i])
	}
	if near := spelling.Nearest(name, known); near != "" {
		return fmt.Sprintf("it is not used; did you mean %s?", strings.ToUpper(near))
	}
	return ""
}

func switchedOff(v string) bool {
	switch strings.ToLower(strings.TrimSpace(v)) {
	case "0", "f", "false", "no", "off":
		return true
	}
	return false
}
