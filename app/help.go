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
	case cmdVersion:
		return "Usage: apex-ai-proxy version\n\nPrints the version of the program.\n"
	}
	return mainHelp()
}

func mainHelp() string {
	return `Apex AI Proxy makes your Cloudflare AI Gateway a local endpoint for every AI tool.

Usage:
  apex-ai-proxy [flags]            open the window and the tray icon; serve where there is no display
  apex-ai-proxy serve [flags]      run the proxy without a window
  apex-ai-proxy doctor [flags]     test the connection to the gateway, without spending anything
  apex-ai-proxy token set          store the gateway token in the system keychain
  apex-ai-proxy token status       tell whether it is there
  apex-ai-proxy token remove       remove it
  apex-ai-proxy token set openai   the same for your own key of a provider; also status and remove
  apex-ai-proxy key                print the local key, which clients send
  apex-ai-proxy version
  apex-ai-proxy help [command]

Examples:
  apex-ai-proxy serve
      Without an account the models of provider demo answer, such as echo#demo.
  apex-ai-proxy token set < token.txt
  apex-ai-proxy serve --account 0123456789abcdef0123456789abcdef --gateway my-gateway
  export OPENAI_BASE_URL=http://127.0.0.1:8787/v1 OPENAI_API_KEY="$(apex-ai-proxy key)"
  export ANTHROPIC_BASE_URL=http://127.0.0.1:8787 ANTHROPIC_API_KEY="$(apex-ai-proxy key)"

` + flagHelp() + `With a window:
  --hidden                     start in the tray and leave the window closed

` + secretHelp() + exitHelp()
}

func serveHelp() string {
	return `Usage: apex-ai-proxy serve [flags]

Runs the proxy without a window until SIGINT (Ctrl-C), SIGTERM or SIGHUP (closed terminal). New requests are
refused then, and running ones may take 10 seconds to end; a second signal ends them at once.

The first line on standard output is "listening on http://ADDRESS:PORT". Where the local
key cannot be kept, a second line shows the one made for this run:
"local key (this run): KEY". Logs go to standard error and hold no secrets, headers or bodies.

The proxy does not wait for the system keychain. Until that has answered, requests are
refused with 401.

` + flagHelp() + secretHelp() + exitHelp()
}

func doctorHelp() string {
	return `Usage: apex-ai-proxy doctor [flags]

Tests whether requests would get through to the gateway, and says what is in the way: the
network, the account, the gateway, the token, its permission, or the providers' keys. It only
reads lists of models, which costs nothing. It exits with 0 when all is well, otherwise with 1.

` + flagHelp() + secretHelp() + exitHelp()
}

const tokenHelp = `Usage: apex-ai-proxy token set|status|remove [provider]

Keeps the gateway token in the system keychain. "set" reads it from standard input:

  apex-ai-proxy token set              asks for it
  apex-ai-proxy token set < token.txt

With a provider's name it is your own key for that provider, which is used when the
settings file says so:

  apex-ai-proxy token set openai

  [providers.openai]
  key = "own"

"status" exits with 0 when the secret is there, otherwise with 1.
`

const keyHelp = `Usage: apex-ai-proxy key

Prints the local key, which clients send as their API key. It is made and stored in the
system keychain when there is none.

  export OPENAI_API_KEY="$(apex-ai-proxy key)"
`

// flagHelp lists the flags by group, each with its variable and default.
func flagHelp() string {
	var b strings.Builder
	b.WriteString("Flags beat the environment, the environment beats the settings file.\n")
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
	b.WriteString("\nNames of your own for models: [aliases] in the settings file, as in \"fast\" = \"gpt-5-mini#openai\";\nfor what Claude Code asks for: [claude], as in haiku = \"gpt-5-mini#openai\".\n\n")
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
	return fmt.Sprintf(`Secrets are never flags, as other programs can read those. They come from the environment
or from the system keychain, the environment first:
  %-28s gateway token; otherwise the one stored by "token set" or in the window
  %-28s key that clients send; otherwise the keychain's, otherwise a new one
  %-28s your own key for a provider, as in %s

`, secret.Variable(secret.GatewayToken), secret.Variable(secret.LocalKey), secret.Variable(secret.ProviderKey("NAME")), secret.Variable(secret.ProviderKey("openai")))
}

func exitHelp() string {
	return `Exit codes:
  0  success, or stopped on request
  1  failure; the output says why. Also: doctor found a problem, or the secret is not stored
  2  the command line or a setting is not valid; nothing was started or changed
  3  the address is already in use
  4  stopped on request, but running requests were cut off
`
}
