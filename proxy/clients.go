package proxy

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// clients are programs known by a piece of their User-Agent, in lower case; the first
// that fits counts, so programs stand before the SDKs they are built on.
var clients = []struct{ mark, name string }{
	{"apex-replay", "Sent again"},
	{"apex-try", "Tried here"},
	{"claude-cli", "Claude Code"},
	{"claude-code", "Claude Code"},
	{"codex", "Codex"},
	{"cursor", "Cursor"},
	{"continue", "Continue"},
	{"roo-code", "Roo Code"},
	{"roocode", "Roo Code"},
	{"kilo", "Kilo Code"},
	{"cline", "Cline"},
	{"opencode", "opencode"},
	{"qwencode", "Qwen Code"},
	{"qwen-code", "Qwen Code"},
	{"aider", "Aider"},
	{"zed/", "Zed"},
	{"xcode", "Xcode"},
	{"githubcopilot", "VS Code"},
	{"vscode", "VS Code"},
	{"jetbrains", "JetBrains"},
	{"crush", "Crush"},
	{"goose", "Goose"},
	{"open-webui", "Open WebUI"},
	{"librechat", "LibreChat"},
	{"raycast", "Raycast"},
	{"langchain", "LangChain"},
	{"litellm", "LiteLLM"},
	{"ai-sdk", "AI SDK"},
	{"anthropic/", "Anthropic SDK"},
	{"asyncanthropic/", "Anthropic SDK"},
	{"anthropic-sdk", "Anthropic SDK"},
	{"asyncopenai/", "OpenAI SDK"},
	{"openai/", "OpenAI SDK"},
	{"curl/", "curl"},
	{"wget/", "Wget"},
	{"httpie/", "HTTPie"},
	{"postmanruntime/", "Postman"},
	{"insomnia/", "Insomnia"},
	{"python-requests/", "Python requests"},
	{"python-httpx/", "Python httpx"},
	{"go-http-client/", "Go program"},
	{"mozilla/", "Browser"},
}

// languages completes the name of an SDK with x-stainless-lang.
var languages = map[string]string{
	"js": "JS", "python": "Python", "go": "Go", "java": "Java", "ruby": "Ruby", "csharp": "C#", "kotlin": "Kotlin", "php": "PHP",
}

// clientName recognises the program behind a request.
func clientName(h http.Header) string {
	ua := first(h, "User-Agent")
	if first(h, "X-Claude-Code-Session-Id") != "" {
		return "Claude Code"
	}
	if o := strings.ToLower(first(h, "Originator")); strings.HasPrefix(o, "codex") {
		return "Codex"
	}
	if name := programOf(ua); name != "" {
		if strings.HasSuffix(name, " SDK") {
			if l := languages[strings.ToLower(first(h, "X-Stainless-Lang"))]; l != "" {
				return name + " (" + l + ")"
			}
		}
		return name
	}
	if first(h, "X-Stainless-Lang") != "" {
		if h.Get("Anthropic-Version") != "" {
			return "Anthropic SDK"
		}
		return "OpenAI SDK"
	}
	return productOf(ua)
}

// programs are the names of the first maxPrograms User-Agents that were looked up: a computer
// has few, and each of them comes with every request.
var (
	programs  sync.Map // string -> string
	nPrograms atomic.Int32
)

const maxPrograms = 256

// programOf is the program that a User-Agent is known for, "" for none.
func programOf(ua string) string {
	if name, ok := programs.Load(ua); ok {
		return name.(string)
	}
	name, lower := "", strings.ToLower(ua)
	for _, c := range clients {
		if strings.Contains(lower, c.mark) {
			name = c.name
			break
		}
	}
	if len(ua) <= maxAgent && nPrograms.Add(1) <= maxPrograms {
		programs.Store(ua, name)
	}
	return name
}

// maxAgent bounds the User-Agents that are remembered, in bytes.
const maxAgent = 512

// productOf is the start of a User-Agent that nobody knows, printable and short.
func productOf(ua string) string {
	name, _, _ := strings.Cut(ua, " ")
	name = strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e || r == '(' || r == ')' {
			return -1
		}
		return r
	}, name)
	if len(name) > 40 {
		name = name[:40]
	}
	return name
}
