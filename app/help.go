package app

import (
	"fmt"
	"strconv"
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
		return "Usage: apex-ai-proxy licenses\n\nPrints the licenses of the works of others that are part of the program.\n"
	case cmdVersion:
		return "Usage: apex-ai-proxy version\n\nPrints the version of the program.\n"
	}
	return mainHelp()
}

func mainHelp() string {
	return `Apex AI Proxy makes your Cloudflare AI Gateway a local endpoint for AI clients.

Usage:
  apex-ai-proxy [flags]           open the window and the tray icon;
                                  without a display, do as serve does
  apex-ai-proxy serve [flags]     run the proxy without a window
  apex-ai-proxy doctor [flags]    test the connection to the gateway for free
  apex-ai-proxy token set         store the gateway token in the keychain
  apex-ai-proxy token status      show whether it is set
  apex-ai-proxy token remove      remove it
  apex-ai-proxy token set openai  store your own key for a provider;
                                  status and remove take its name as well
  apex-ai-proxy key               print the local key, which your clients send
  apex-ai-proxy version           print the version
  apex-ai-proxy licenses          print the licenses of the works of others
                                  that are part of the program
  apex-ai-proxy help [command]    explain a command

Examples:
  apex-ai-proxy serve
      Without an account, only the demo models work, such as echo#demo.
  apex-ai-proxy token set < token.txt
  apex-ai-proxy serve --account YOUR_ACCOUNT_ID --gateway my-gateway

  Clients and SDKs for OpenAI:
  export OPENAI_BASE_URL=http://127.0.0.1:8787/v1
  export OPENAI_API_KEY="$(apex-ai-proxy key)"

  Claude Code, and SDKs for Anthropic:
  export ANTHROPIC_BASE_URL=http://127.0.0.1:8787
  export ANTHROPIC_AUTH_TOKEN="$(apex-ai-proxy key)"

` + flagHelp() + `With a window:
` + flagLine("--hidden", "start in the tray, with the window closed") + `
` + secretHelp() + exitHelp()
}

func serveHelp() string {
	return `Usage: apex-ai-proxy serve [flags]

Runs the proxy without a window until it receives SIGINT (Ctrl-C), SIGTERM or
SIGHUP (the terminal was closed). It then refuses new requests and gives running
ones 10 seconds to finish. A second signal stops it at once.

The first line on standard output is "listening on http://ADDRESS:PORT". Such a
line follows each time that the settings file is given another address. If the
local key cannot be stored, a line shows the key for this run:
"local key (this run): KEY". Logs go to standard error and contain no secrets,
headers or bodies.

The proxy starts without waiting for the system keychain. Until the keychain has
answered, the proxy refuses requests with 503.

` + flagHelp() + secretHelp() + exitHelp()
}

func doctorHelp() string {
	return `Usage: apex-ai-proxy doctor [flags]

Tests the connection to the gateway: the network, the account, the gateway, the
token and its permissions, and the provider keys. It lists every problem that it
finds and how to fix it, the most important one first. It only reads lists of
models, which is free of charge.

` + flagHelp() + secretHelp() + exitHelp()
}

const tokenHelp = `Usage: apex-ai-proxy token set|status|remove [provider]

Stores the gateway token in the system keychain. "set" reads the token from
standard input:

  apex-ai-proxy token set              asks for the token
  apex-ai-proxy token set < token.txt

With the name of a provider, the command stores your own key for that provider:

  apex-ai-proxy token set openai

The proxy uses this key if you choose My own key for the provider in Settings,
or write in the settings file:

  [providers.openai]
  key = "own"

"status" exits with 0 if the secret is set, otherwise with 1.
`

const keyHelp = `Usage: apex-ai-proxy key

Prints the local key, which your clients send as their API key. If there is no
key yet, the program creates one and stores it in the system keychain.

  export OPENAI_API_KEY="$(apex-ai-proxy key)"
`

// flagHelp lists the flags by group, each with its variable and default.
func flagHelp() string {
	var b strings.Builder
	b.WriteString("Flags override environment variables, which override the settings file.\n")
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
	b.WriteString(`
Aliases, which are your own names for models, go under [aliases] in the settings
file, as in "fast" = "gpt-5-mini#openai". The models of the tiers that Claude
Code asks for go under [claude], as in haiku = "gpt-5-mini#openai".

`)
	return b.String()
}

const (
	helpWidth  = 80 // columns; a word that is longer stays whole
	helpIndent = 31 // columns, of what is said about a flag
)

func writeFlag(b *strings.Builder, flag, env, text string) {
	b.WriteString(flagLine(flag, text) + flagLine("", "environment: "+env))
}

// flagLine is a flag with what is said about it, in as many lines as that needs.
func flagLine(flag, text string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  %-*s", helpIndent-2, flag)
	used := helpIndent
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case used+1+len(word) > helpWidth:
			b.WriteString("\n" + strings.Repeat(" ", helpIndent))
			used = helpIndent
		default:
			b.WriteString(" ")
			used++
		}
		b.WriteString(word)
		used += len(word)
	}
	b.WriteString("\n")
	return b.String()
}

func defaultHelp(o option, fallback *settings.Settings) string {
	text := ""
	switch p := o.at(fallback).(type) {
	case *string:
		text = *p
	case *settings.Duration:
		text = p.String()
	case *int:
		text = strconv.Itoa(*p)
	}
	if text == "" {
		return ""
	}
	return " (default " + text + ")"
}

func secretHelp() string {
	return `Secrets are never flags, because other programs can read the flags of a running
program. They come from environment variables or, if those are not set, from the
system keychain:
` + flagLine(secret.Variable(secret.GatewayToken), "the gateway token") +
		flagLine(secret.Variable(secret.LocalKey), "the local key, which your clients send as their API key; created if there is none") +
		flagLine(secret.Variable(secret.ProviderKey("NAME")), "your own key for a provider, as in "+secret.Variable(secret.ProviderKey("openai"))) + "\n"
}

func exitHelp() string {
	return `Exit codes:
  0  success, or stopped on request
  1  failure; the output says why. Also: doctor found a problem, the secret is
     not stored, or the window is already open and flags have no effect
  2  the command line or a setting is not valid; nothing was started or changed
  3  the address is already in use
  4  stopped on request, but running requests were cut off
`
}
