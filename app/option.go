package app

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"apex-ai-proxy/app/settings"
)

// option is a setting that a flag or an environment variable can replace.
type option struct {
	field string // as in the settings file
	flag  string
	env   string
	value string // what stands for the value in the help, "" for a switch
	help  string
	group string
	at    func(*settings.Settings) any // *string, *settings.Duration, *int or *bool
}

const (
	groupGateway = "Gateway"
	groupServer  = "Server"
)

var options = []option{
	{
		settings.FieldAccount, "account", "ACCOUNT_ID", "ID", "Cloudflare account ID: 32 characters, 0-9 and a-f", groupGateway,
		func(s *settings.Settings) any { return &s.Gateway.Account },
	},
	{
		settings.FieldGateway, "gateway", "GATEWAY_ID", "NAME", "name of the AI Gateway", groupGateway,
		func(s *settings.Settings) any { return &s.Gateway.ID },
	},
	{
		settings.FieldGatewayURL, "gateway-url", "APEX_GATEWAY_URL", "URL", "base URL of the gateway; the proxy appends /ACCOUNT/NAME/...", groupGateway,
		func(s *settings.Settings) any { return &s.Gateway.URL },
	},
	{
		settings.FieldAzureResource, "azure-resource", "AZURE_RESOURCE", "NAME", "Azure OpenAI resource", groupGateway,
		func(s *settings.Settings) any { return &s.Azure.Resource },
	},
	{
		settings.FieldAzureAPIVersion, "azure-api-version", "AZURE_API_VERSION", "DATE", "Azure OpenAI API version", groupGateway,
		func(s *settings.Settings) any { return &s.Azure.APIVersion },
	},
	{
		settings.FieldListen, "listen", "APEX_LISTEN", "ADDRESS:PORT", "address to listen on; port 0 picks a free port", groupServer,
		func(s *settings.Settings) any { return &s.Server.Listen },
	},
	{
		settings.FieldUpstreamTimeout, "upstream-timeout", "APEX_UPSTREAM_TIMEOUT", "TIME", "how long to wait for the first byte of an answer", groupServer,
		func(s *settings.Settings) any { return &s.Server.UpstreamTimeout },
	},
	{
		settings.FieldStreamIdleTimeout, "stream-idle-timeout", "APEX_STREAM_IDLE_TIMEOUT", "TIME", "how long a stream may be silent", groupServer,
		func(s *settings.Settings) any { return &s.Server.StreamIdleTimeout },
	},
	{
		settings.FieldRetries, "retries", "APEX_RETRIES", "NUMBER", "how often to retry a request that was not processed", groupServer,
		func(s *settings.Settings) any { return &s.Server.Retries },
	},
	{
		settings.FieldDebug, "debug", "DEBUG", "", "log every request (never its content)", groupServer,
		func(s *settings.Settings) any { return &s.Server.Debug },
	},
}

// override is a value that beats the settings file's.
type override struct {
	option option
	value  string
	source string // "flag --listen" or "environment APEX_LISTEN"
}

// readOverrides finds what flags (by name) and the environment replace: a flag beats
// the environment. An empty variable counts as absent.
func readOverrides(flags map[string]string, getenv func(string) string) ([]override, error) {
	var out []override
	for _, o := range options {
		v, given := flags[o.flag]
		ov := override{option: o, value: v, source: "flag --" + o.flag}
		if !given {
			if v = getenv(o.env); v == "" {
				continue
			}
			ov.value, ov.source = v, "environment "+o.env
			if o.value == "" { // a switch: other programs put other things into DEBUG
				ov.value = strconv.FormatBool(switchedOn(v))
			}
		}
		if err := ov.apply(&settings.Settings{}); err != nil {
			return nil, &OverrideError{Source: ov.source, Err: err}
		}
		out = append(out, ov)
	}
	return out, nil
}

// withFlags is the fields with the flags that set them.
func withFlags(fields []string) string {
	out := slices.Clone(fields)
	for i, field := range fields {
		for _, o := range options {
			if o.field == field {
				out[i] += " (--" + o.flag + ")"
			}
		}
	}
	return strings.Join(out, ", ")
}

func switchedOn(v string) bool {
	switch strings.ToLower(strings.TrimSpace(v)) {
	case "1", "t", "true", "yes", "on":
		return true
	}
	return false
}

// OverrideError is a flag or an environment variable whose value cannot be used.
type OverrideError struct {
	Source string
	Err    error
}

// Error names the source and the reason.
func (e *OverrideError) Error() string { return e.Source + ": " + e.Err.Error() }

// Unwrap is the reason alone.
func (e *OverrideError) Unwrap() error { return e.Err }

func (o override) apply(s *settings.Settings) error {
	switch p := o.option.at(s).(type) {
	case *string:
		*p = o.value
		return nil
	case *settings.Duration:
		return p.UnmarshalText([]byte(strings.TrimSpace(o.value)))
	case *int:
		v, err := strconv.Atoi(strings.TrimSpace(o.value))
		if err != nil {
			return fmt.Errorf("%q is not a whole number", settings.Masked(o.value))
		}
		*p = v
	case *bool:
		v, err := strconv.ParseBool(o.value)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", settings.Masked(o.value))
		}
		*p = v
	}
	return nil
}

// copyField sets the option's field in dst to the one in src.
func (o option) copyField(dst, src *settings.Settings) {
	switch p := o.at(dst).(type) {
	case *string:
		*p = *o.at(src).(*string)
	case *settings.Duration:
		*p = *o.at(src).(*settings.Duration)
	case *int:
		*p = *o.at(src).(*int)
	case *bool:
		*p = *o.at(src).(*bool)
	}
}

// overlay is s with the overrides in place, in the form that is used.
func overlay(s settings.Settings, overrides []override) settings.Settings {
	for _, o := range overrides {
		_ = o.apply(&s) // was applied before, by readOverrides
	}
	return s.Normalized()
}

// underlay is s with the file's own values where overrides hide them, so that saving s
// does not make an override permanent.
func underlay(s, file settings.Settings, overrides []override) settings.Settings {
	for _, o := range overrides {
		o.option.copyField(&s, &file)
	}
	return s.Normalized()
}
