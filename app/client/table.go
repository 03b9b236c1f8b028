package client

import "slices"

// What a client is told stands here and nowhere else. Each row names where its facts come
// from; all were checked in November 2026. Steps and notes are English and translated by
// the window; names of files, menus and fields stay as the client writes them.

// Steps that several clients share.
const (
	stepMerge    = "Add this to the file and keep what is already there. Create the file if there is none."
	stepTerminal = "Paste this into the terminal from which you start it."
	stepKeyVar   = "Put the local key into the variable APEX_LOCAL_KEY of the terminal from which you start it; the other tabs show how."
	stepRestart  = "Start the program again."
	noteDocker   = "A container cannot reach 127.0.0.1, and the proxy refuses the name host.docker.internal: run it without Docker, or on the host's network."
)

// Names of variants that are no names of things.
const (
	nameKeyInFile = "Key in the file"
	nameTunnel    = "With a tunnel"
	nameWorker    = "With the Worker"
	nameSettings  = "Settings"
)

// keyVar is the variable from which clients take the key that do not want it in a file.
var keyVar = pair{"APEX_LOCAL_KEY", key}

func join(parts ...[]Variant) []Variant { return slices.Concat(parts...) }

func one(v Variant) []Variant { return []Variant{v} }

var table = []Client{
	{
		// code.claude.com: settings, environment variables, gateways; Claude Code 2.1.330.
		ID: "claude-code", Name: "Claude Code", Kind: CommandLine, Protocols: []Protocol{Messages}, Tiers: true,
		Note: "Do not set ANTHROPIC_API_KEY as well: Claude Code would send both keys, and the wrong one can win.",
		Variants: join(
			one(Variant{
				Name: "settings.json", Format: JSON, File: home(".claude/settings.json"),
				Steps: []string{stepMerge, "Inside Claude Code, /status shows the address in use."},
				text: snippet(`
{
  "env": {
    "ANTHROPIC_BASE_URL": {{q .Anthropic}},
    "ANTHROPIC_AUTH_TOKEN": {{q .Key}},
    "ANTHROPIC_DEFAULT_OPUS_MODEL": {{q (.Tier "opus")}},
    "ANTHROPIC_DEFAULT_SONNET_MODEL": {{q (.Tier "sonnet")}},
    "ANTHROPIC_DEFAULT_HAIKU_MODEL": {{q (.Tier "haiku")}},
    "ANTHROPIC_DEFAULT_FABLE_MODEL": {{q (.Tier "fable")}}
  }
}`),
			}),
			shells([]string{stepTerminal, "Settings in settings.json take precedence over these variables."}, "claude", claudeVars...),
			one(Variant{
				Name: "VS Code", Format: JSON, File: codeUser("settings.json"),
				Steps: []string{"For the extension in VS Code: add this to the user settings and keep what is already there.", "Reload the window of VS Code."},
				text: snippet(`
{
  "claudeCode.environmentVariables": [
    {"name": "ANTHROPIC_BASE_URL", "value": {{q .Anthropic}}},
    {"name": "ANTHROPIC_AUTH_TOKEN", "value": {{q .Key}}},
    {"name": "ANTHROPIC_DEFAULT_OPUS_MODEL", "value": {{q (.Tier "opus")}}},
    {"name": "ANTHROPIC_DEFAULT_SONNET_MODEL", "value": {{q (.Tier "sonnet")}}},
    {"name": "ANTHROPIC_DEFAULT_HAIKU_MODEL", "value": {{q (.Tier "haiku")}}},
    {"name": "ANTHROPIC_DEFAULT_FABLE_MODEL", "value": {{q (.Tier "fable")}}}
  ]
}`),
			}),
		),
	},
	{
		// developers.openai.com/codex: configuration reference; Codex CLI 0.169.
		ID: "codex", Name: "Codex", Kind: CommandLine, Protocols: []Protocol{Responses},
		Note: "A Codex that was not started from a terminal does not see its variables: use the variant with the key in the file.",
		Variants: join(
			one(Variant{
				Name: "config.toml", Format: TOML, File: home(".codex/config.toml"),
				Steps: []string{"Put the first two lines at the top of the file and the table anywhere below. Keep what is already there.", stepKeyVar},
				text: snippet(codexConfig + `
env_key = "APEX_LOCAL_KEY"`),
			}),
			one(Variant{
				Name: nameKeyInFile, Format: TOML, File: home(".codex/config.toml"),
				Steps: []string{"Put the first two lines at the top of the file and the table anywhere below. Keep what is already there."},
				text: snippet(codexConfig + `
experimental_bearer_token = {{q .Key}}`),
			}),
			shells([]string{stepTerminal}, "codex", keyVar),
		),
	},
	{
		// opencode.ai/docs: config, providers; opencode 1.18.
		ID: "opencode", Name: "opencode", Kind: CommandLine, Protocols: []Protocol{Chat, Messages},
		Note: "opencode offers only the models that are listed in its file.",
		Variants: []Variant{
			openCode("Chat Completions", "@ai-sdk/openai-compatible", home(".config/opencode/opencode.json")),
			openCode("Messages", "@ai-sdk/anthropic", home(".config/opencode/opencode.json")),
		},
	},
	{
		// qwenlm.github.io/qwen-code-docs: model providers; Qwen Code 0.24.
		ID: "qwen-code", Name: "Qwen Code", Kind: CommandLine, Protocols: []Protocol{Chat},
		Variants: join(
			shells([]string{stepTerminal}, "qwen", pair{"OPENAI_BASE_URL", openAI}, pair{"OPENAI_API_KEY", key}, pair{"OPENAI_MODEL", model}),
			one(Variant{
				Name: "settings.json", Format: JSON, File: home(".qwen/settings.json"),
				Steps: []string{stepMerge, "Put the local key into the variable OPENAI_API_KEY of the terminal from which you start it.", "Inside Qwen Code, choose it with /model."},
				text: snippet(`
{
  "modelProviders": {
    "openai": [
      {
        "id": {{q .Model}},
        "name": "Apex AI Proxy",
        "baseUrl": {{q .OpenAI}},
        "envKey": "OPENAI_API_KEY"
      }
    ]
  }
}`),
				fields: []field{{"OPENAI_API_KEY", key}},
			}),
		),
	},
	{
		// kilo.ai/docs: configuration, OpenAI compatible.
		ID: "kilo-code", Name: "Kilo Code", Kind: CommandLine, Protocols: []Protocol{Chat},
		Variants: []Variant{
			openCode("kilo.jsonc", "@ai-sdk/openai-compatible", home(".config/kilo/kilo.jsonc")),
			{
				Name: "VS Code", Steps: []string{"In Kilo Code's settings, add the provider OpenAI Compatible and enter these values."},
				fields: []field{{"Base URL", openAI}, {"API Key", key}, {"Model ID", model}},
			},
		},
	},
	{
		// aider.chat/docs: OpenAI compatible APIs.
		ID: "aider", Name: "aider", Kind: CommandLine, Protocols: []Protocol{Chat},
		Note: "aider warns that it does not know the model; the warning does no harm, and openai/ in front of the name must stay.",
		Variants: shells([]string{stepTerminal}, `aider --model {{w (print "openai/" .Model)}}`,
			pair{"OPENAI_API_BASE", openAI}, pair{"OPENAI_API_KEY", key}),
	},
	{
		// docs.github.com: using your own models in Copilot CLI.
		ID: "copilot-cli", Name: "GitHub Copilot CLI", Kind: CommandLine, Protocols: []Protocol{Responses},
		Note: "The model must be able to use tools.",
		Variants: shells([]string{stepTerminal}, "copilot",
			pair{"COPILOT_PROVIDER_BASE_URL", openAI}, pair{"COPILOT_PROVIDER_API_KEY", key},
			pair{"COPILOT_PROVIDER_WIRE_API", always("responses")}, pair{"COPILOT_MODEL", model}),
	},
	{
		// docs.factory.ai: custom models.
		ID: "droid", Name: "Factory Droid", Kind: CommandLine, Protocols: []Protocol{Chat, Messages, Responses},
		Variants: []Variant{
			droid("Chat Completions", "generic-chat-completion-api", "{{q .OpenAI}}"),
			droid("Messages", "anthropic", "{{q .Anthropic}}"),
			droid("Responses", "openai", "{{q .OpenAI}}"),
		},
	},
	{
		// Gemini CLI 0.61 with GOOGLE_GEMINI_BASE_URL asks /v1beta/models/...:generateContent only.
		ID: "gemini-cli", Name: "Gemini CLI", Kind: CommandLine,
		Note: "Not possible: Gemini CLI speaks only Google's own protocol, and the proxy speaks those of OpenAI and Anthropic.",
	},
	{
		// code.visualstudio.com: language models, custom endpoints; VS Code 1.122 and later.
		ID: "vscode", Name: "VS Code Chat (Copilot)", Kind: Editor, Protocols: []Protocol{Chat, Responses, Messages},
		Note: "With Copilot Business or Enterprise, an administrator must allow models of your own.",
		Variants: []Variant{
			codeChat("Chat Completions", "chat-completions", `{{q (print .OpenAI "/chat/completions")}}`),
			codeChat("Responses", "responses", `{{q (print .OpenAI "/responses")}}`),
			codeChat("Messages", "messages", `{{q (print .Anthropic "/v1/messages")}}`),
		},
	},
	{
		// Cursor's staff in its forum, 2026: requests with own keys come from Cursor's servers.
		ID: "cursor", Name: "Cursor", Kind: Editor, Protocols: []Protocol{Chat},
		Note: "Cursor's own servers send the requests and refuse localhost: it needs a named tunnel, or the Cloudflare Worker that this project grew out of.",
		Variants: []Variant{
			{
				Name: nameTunnel,
				Steps: []string{
					"Set up a named tunnel, for example with cloudflared, and start it with these options. Throw-away tunnels do not promise to pass streams on.",
					"In Cursor open Settings > Models > API Keys, switch Override OpenAI Base URL on and enter the tunnel's public address with /v1.",
					"Enter the local key as the OpenAI key and add the model. Its name must be one that Cursor does not know itself.",
					"Anyone who knows the address and the key can spend your money. Close the tunnel when you do not need it.",
				},
				fields: []field{
					{"cloudflared", func(in Input) string {
						return "--url " + in.Anthropic + " --http-host-header " + hostOf(in.Anthropic)
					}},
					{"OpenAI API Key", key},
					{"Model", model},
				},
			},
			{
				Name: nameWorker,
				Steps: []string{
					"Deploy the Worker to your Cloudflare account. It has a public address and needs no tunnel.",
					"In Cursor open Settings > Models > API Keys, switch Override OpenAI Base URL on and enter the Worker's address with /v1.",
					"Enter your gateway token as the OpenAI key and add the model. Its name must be one that Cursor does not know itself.",
				},
				fields: []field{{"Model", model}},
			},
		},
	},
	{
		// docs.cline.bot: OpenAI compatible, Anthropic; Cline CLI 3.0.
		ID: "cline", Name: "Cline", Kind: Editor, Protocols: []Protocol{Chat, Messages},
		Variants: []Variant{
			{
				Name:   "OpenAI Compatible",
				Steps:  []string{"In Cline's settings, choose the API Provider OpenAI Compatible and enter these values."},
				fields: []field{{"Base URL", openAI}, {"API Key", key}, {"Model ID", model}},
			},
			{
				Name:   "Anthropic",
				Steps:  []string{"In Cline's settings, choose the API Provider Anthropic, tick Use custom base URL and enter these values."},
				fields: []field{{"Base URL", anthropic}, {"API Key", key}, {"Model ID", model}},
			},
			{
				Name: "CLI: bash, zsh", Format: Bash, Steps: []string{"Run this in a terminal once."},
				text: snippet(`cline auth -p openai -k {{bash .Key}} -m {{bash .Model}} -b {{bash .OpenAI}}`),
			},
			{
				Name: "CLI: PowerShell", Format: PowerShell, Steps: []string{"Run this in a terminal once."},
				text: snippet(`cline auth -p openai -k {{ps .Key}} -m {{ps .Model}} -b {{ps .OpenAI}}`),
			},
		},
	},
	{
		// docs.continue.dev: config.yaml reference; Continue 1.5.
		ID: "continue", Name: "Continue", Kind: Editor, Protocols: []Protocol{Chat, Messages},
		Note: "Where there is a config.yaml, Continue ignores an older config.json.",
		Variants: []Variant{
			continueYAML("Chat Completions", "openai"),
			continueYAML("Messages", "anthropic"),
		},
	},
	{
		// zed.dev/docs: use API access, OpenAI-compatible endpoints.
		ID: "zed", Name: "Zed", Kind: Editor, Protocols: []Protocol{Chat},
		Note: "The key does not belong into this file: Zed keeps it in the keychain, and a variable APEX_API_KEY would beat it.",
		Variants: []Variant{{
			Name: "settings.json", Format: JSON,
			File: Paths{MacOS: "~/.config/zed/settings.json", Linux: "~/.config/zed/settings.json", Windows: `%APPDATA%\Zed\settings.json`},
			Steps: []string{
				stepMerge, "Set max_tokens to the context size of your model.",
				"Run agent: open settings from the command palette and enter the key for the provider apex.",
			},
			text: snippet(`
{
  "language_models": {
    "openai_compatible": {
      "apex": {
        "api_url": {{q .OpenAI}},
        "available_models": [
          {
            "name": {{q .Model}},
            "display_name": {{q .Model}},
            "max_tokens": 128000
          }
        ]
      }
    }
  }
}`),
			fields: []field{{"API Key", key}},
		}},
	},
	{
		// jetbrains.com/help/ai-assistant: custom models, 2026.1.
		ID: "jetbrains", Name: "JetBrains AI Assistant", Kind: Editor, Protocols: []Protocol{Chat},
		Note: "Each entry takes one model.",
		Variants: []Variant{{
			Name:   nameSettings,
			Steps:  []string{"Open Settings > Tools > AI Assistant > Providers & API keys, choose OpenAI-compatible and enter these values."},
			fields: []field{{"URL", openAI}, {"API Key", key}, {"Model", model}},
		}},
	},
	{
		// developer.apple.com: coding intelligence; Xcode 26.3.
		ID: "xcode", Name: "Xcode", Kind: Editor, Protocols: []Protocol{Chat}, On: []OS{MacOS},
		Note: "Choose Internet Hosted although the proxy is local: the form for local providers has no place for a key.",
		Variants: []Variant{{
			Name: nameSettings,
			Steps: []string{
				"Open Settings > Intelligence, add a chat provider, choose Internet Hosted and enter these values.",
				"Choose a model from the list that Xcode then loads from the proxy.",
			},
			fields: []field{
				{"URL", anthropic},
				{"API Key", func(in Input) string { return "Bearer " + in.Key }},
				{"API Key Header", always("Authorization")},
			},
		}},
	},
	{
		// claude.com: Claude Desktop on third-party inference, 2026.
		ID: "claude-desktop", Name: "Claude Desktop", Kind: Desktop, Protocols: []Protocol{Messages}, On: []OS{MacOS, Windows},
		Note: "Experimental: Claude Desktop takes only names of Claude models, so give your model such a name with an alias.",
		Variants: []Variant{{
			Name: nameSettings,
			Steps: []string{
				"Choose Help > Troubleshooting > Enable Developer Mode.",
				"Choose Developer > Configure Third-Party Inference, then the provider Gateway, and enter these values.",
				stepRestart,
			},
			fields: []field{{"Gateway base URL", anthropic}, {"Gateway API key", key}, {"Gateway auth scheme", always("bearer")}},
		}},
	},
	{
		// docs.openwebui.com: OpenAI-compatible connections.
		ID: "open-webui", Name: "Open WebUI", Kind: Desktop, Protocols: []Protocol{Chat}, Note: noteDocker,
		Variants: []Variant{{
			Name:   nameSettings,
			Steps:  []string{"Open Admin Panel > Settings > Connections, add an OpenAI connection and enter these values.", "The models appear by themselves."},
			fields: []field{{"URL", openAI}, {"Key", key}},
		}},
	},
	{
		// librechat.ai/docs: custom endpoints.
		ID: "librechat", Name: "LibreChat", Kind: Desktop, Protocols: []Protocol{Chat}, Note: noteDocker,
		Variants: []Variant{{
			Name: "librechat.yaml", Format: YAML,
			Steps: []string{"Add the entry to librechat.yaml in LibreChat's folder and keep what is already there.", stepRestart},
			text: snippet(`
endpoints:
  custom:
    - name: "Apex AI Proxy"
      apiKey: {{q .Key}}
      baseURL: {{q .OpenAI}}
      models:
        default: [{{q .Model}}]
        fetch: true`),
		}},
	},
	{
		// manual.raycast.com: custom providers.
		ID: "raycast", Name: "Raycast", Kind: Desktop, Protocols: []Protocol{Chat}, On: []OS{MacOS},
		Note: "Custom providers must be switched on in Raycast's AI settings first, and may need Raycast Pro.",
		Variants: []Variant{{
			Name: "providers.yaml", Format: YAML, File: Paths{MacOS: "~/.config/raycast/ai/providers.yaml"},
			Steps: []string{stepMerge, "Set context to the context size of your model."},
			text: snippet(`
providers:
  - id: apex
    name: "Apex AI Proxy"
    base_url: {{q .OpenAI}}
    api_keys:
      apex: {{q .Key}}
    models:
      - id: {{q .Model}}
        name: {{q .Model}}
        context: 128000
        abilities:
          system_message:
            supported: true
          tools:
            supported: true`),
		}},
	},
	{
		// github.com/openai: openai-python, openai-node, openai-go.
		ID: "openai-sdk", Name: "OpenAI SDK", Kind: SDK, Protocols: []Protocol{Chat, Responses},
		Variants: join([]Variant{
			{Name: "Python", Format: Python, text: snippet(openAIPython)},
			{Name: "JavaScript", Format: JavaScript, text: snippet(openAIJavaScript)},
			{Name: "Go", Format: Go, text: snippet(openAIGo)},
		}, shells([]string{"The SDKs read these variables by themselves."}, "", pair{"OPENAI_BASE_URL", openAI}, pair{"OPENAI_API_KEY", key})),
	},
	{
		// github.com/anthropics: anthropic-sdk-python, anthropic-sdk-typescript, anthropic-sdk-go.
		ID: "anthropic-sdk", Name: "Anthropic SDK", Kind: SDK, Protocols: []Protocol{Messages},
		Variants: join([]Variant{
			{Name: "Python", Format: Python, text: snippet(anthropicPython)},
			{Name: "JavaScript", Format: JavaScript, text: snippet(anthropicJavaScript)},
			{Name: "Go", Format: Go, text: snippet(anthropicGo)},
		}, shells([]string{"The SDKs read these variables by themselves."}, "", pair{"ANTHROPIC_BASE_URL", anthropic}, pair{"ANTHROPIC_API_KEY", key})),
	},
	{
		// The routes of this program.
		ID: "curl", Name: "curl", Kind: Terminal, Protocols: []Protocol{Chat, Messages},
		Variants: []Variant{
			{Name: "bash, zsh", Format: Bash, text: curl("bash", chatPath, chatHeaders, chatBody)},
			{Name: "PowerShell", Format: PowerShell, text: curl("ps", chatPath, chatHeaders, chatBody)},
			{Name: "Messages: bash, zsh", Format: Bash, text: curl("bash", messagesPath, messagesHeaders, messagesBody)},
			{Name: "Messages: PowerShell", Format: PowerShell, text: curl("ps", messagesPath, messagesHeaders, messagesBody)},
		},
	},
}
