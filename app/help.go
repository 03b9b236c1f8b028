package app

import (
	"fmt"
	"strings"

	"apex-ai-proxy/app/secret"
	"apex-ai-proxy/app/settings"
)

// help is the text for a command, or for the whole program.
func help(topic string) string {
	switch topic {
	case cmdServe:
		return serveHelp()
	case cmdDoctor:
		return doctorHelp()
	case cmdToken:
		return tokenHelp
	case cmdKey:
		return keyHelp
	case cmdLicenses:
		return "Usage: apex-ai-proxy licenses\n\nPrints the licences of the works of others that are part of the program.\n"
	case cmdVersion:
		return "Usage: apex-ai-proxy version\n\nPrints the version of the program.\n"
	}
	return mainHelp()
}

func mainHelp() string {
	return `Apex AI Proxy makes your Cloudflare AI Gateway a local endpoint for every AI tool.

Usage:
  apex-ai-proxy [flags]            open the window and the tray icon; without a display, do as serve does
  apex-ai-proxy serve [flags]      run the proxy without a window
  apex-ai-proxy doctor [flags]     test the connection to the gateway, free of charge
  apex-ai-proxy token set          store the gateway token in the system keychain
  apex-ai-proxy token status       show whether it is set
  apex-ai-proxy token remove       remove it
  apex-ai-proxy token set openai   the same for your own key of a provider; also status and remove
  apex-ai-proxy key                print the local key, which your tools send as their API key
  apex-ai-proxy version
  apex-ai-proxy licenses           print the licences of the works of others that are part of it
  apex-ai-proxy help [command]

Examples:
  apex-ai-proxy serve
      Without an account, only the demo models work, such as echo#demo.
  apex-ai-proxy token set < token.txt
  apex-ai-proxy serve --account 0123456789abcdef0123456789abcdef --gateway my-gateway
  export OPENAI_BASE_URL=http://127.0.0.1:8787/v1 OPENAI_API_KEY="$(apex-ai-proxy key)"
  export ANTHROPIC_BASE_URL=http://127.0.0.1:8787 ANTHROPIC_API_KEY="$(apex-ai-proxy key)"

` + flagHelp() + `With a window:
  --hidden                     start in the tray, with the window closed

` + secretHelp() + exitHelp()
}

func serveHelp() string {
	return `Usage: apex-ai-proxy serve [flags]

Runs the proxy without a window until it receives SIGINT (Ctrl-C), SIGTERM or SIGHUP (the
terminal was closed). It then rejects new requests and gives running ones 10 seconds to finish.
A second signal stops it at once.

The first line on standard output is "listening on http://ADDRESS:PORT". If the local key
cannot be stored, a second line shows the key for this run: "local key (this run): KEY".
Logs go to standard error and contain no secrets, headers or bodies.

The proxy starts without waiting for the system keychain. Until the keychain has answered,
the proxy rejects requests with 401.

` + flagHelp() + secretHelp() + exitHelp()
}

func doctorHelp() string {
	return `Usage: apex-ai-proxy doctor [flags]

Tests the connection to the gateway: the network, the account, the gateway, the token and its
permissions, and the provider keys. It lists every problem that it finds and how to fix it, the
most important one first. It only reads lists of models, which is free of charge. It exits with 0
if everything works, with 1 if it found a problem, and with 2 if a setting is not valid.

` + flagHelp() + secretHelp() + exitHelp()
}

const tokenHelp = `Usage: apex-ai-proxy token set|status|remove [provider]

Stores the gateway token in the system keychain. "set" reads it from standard input:

  apex-ai-proxy token set              asks for the token
  apex-ai-proxy token set < token.txt

With the name of a provider, the command stores your own key for that provider. The proxy uses
this key if the settings file says so:

  apex-ai-proxy token set openai

  [providers.openai]
  key = "own"

"status" exits with 0 if the secret is set, otherwise with 1.
`

const keyHelp = `Usage: apex-ai-proxy key

Prints the local key, which your tools send as their API key. If there is no key yet, the
program creates one and stores it in the system keychain.

  export OPENAI_API_KEY="$(apex-ai-proxy key)"
`

// flagHelp lists the flags by group, each with its variable and default.
func flagHelp() string {
	var b strings.Builder
	b.WriteString("Flags override environment variables, and environment variables override the settings file.\n")
	fallback := settings.Default()
	for _, group := range []string{groupGateway, groupServer} {
		fmt.Fprintf(&b, "\n%s:\n", group)
		for _, o := range options {
			if o.group == group {
				writeFlag(&b, strings.TrimRight("--"+o.flag+" "+o.value, " "), o.env, o.help+defaultHelp(o, &fallback))
			}
		}
	}
	writeFlag(&b, "--config FILE", "APEX_CONFIG", "settings file (default "+settings.Path()+")")
	b.WriteString("\nYour own names for models go under [aliases] in the settings file, as in \"fast\" = \"gpt-5-mini#openai\".\nThe models behind Claude Code's sizes go under [claude], as in haiku = \"gpt-5-mini#openai\".\n\n")
	return b.String()
}

func writeFlag(b *strings.Builder, flag, env, text string) {
	fmt.Fprintf(b, "  %-28s %s\n", flag, text)
	fmt.Fprintf(b, "  %-28s environment: %s\n", "", env)
}

func defaultHelp(o option, fallback *settings.Settings) string {
	text := ""
	switch p := o.at(fallback).(type) {
	case *string:
		text = *p
	case *settings.Duration:
		text = p.String()
	}
	if text == "" {
		return ""
	}
	return " (default " + text + ")"
}

func secretHelp() string {
	return fmt.Sprintf(`Secrets are never flags, because other programs can read the flags of a running program. They
come from environment variables or, if those are not set, from the system keychain:
  %-28s the gateway token
  %-28s the local key, which your tools send; created if there is none
  %-28s your own key for a provider, as in %s

`, secret.Variable(secret.GatewayToken), secret.Variable(secret.LocalKey), secret.Variable(secret.ProviderKey("NAME")), secret.Variable(secret.ProviderKey("openai")))
}

func exitHelp() string {
	return `Exit codes:
  0  success, or stopped on request
  1  failure; the output says why. Also: doctor found a problem, the secret is not stored, or the window is already open and flags have no effect
  2  the command line or a setting is not valid; nothing was started or changed
  3  the address is already in use
  4  stopped on request, but running requests were cut off
`
}
