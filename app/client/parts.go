package client

import "strings"

// claudeVars are the variables of Claude Code: one model for each of its tiers.
var claudeVars = []pair{
	{"ANTHROPIC_BASE_URL", anthropic},
	{"ANTHROPIC_AUTH_TOKEN", key},
	{"ANTHROPIC_DEFAULT_OPUS_MODEL", tier("opus")},
	{"ANTHROPIC_DEFAULT_SONNET_MODEL", tier("sonnet")},
	{"ANTHROPIC_DEFAULT_HAIKU_MODEL", tier("haiku")},
	{"ANTHROPIC_DEFAULT_FABLE_MODEL", tier("fable")},
}

// codeUser is a file of VS Code's user folder.
func codeUser(name string) Paths {
	return Paths{
		MacOS: "~/Library/Application Support/Code/User/" + name,
		Linux: "~/.config/Code/User/" + name, Windows: `%APPDATA%\Code\User\` + name,
	}
}

// hostOf is the host and port of an address.
func hostOf(address string) string {
	_, host, _ := strings.Cut(address, "://")
	return host
}

// openCode is a provider in the format of opencode, which others use too. The package npm
// decides the protocol; all of them want the address with /v1.
func openCode(name, npm string, file Paths) Variant {
	return Variant{
		Name: name, Format: JSON, File: file,
		Steps: []string{stepMerge, "Start it and choose the model with /models."},
		text: snippet(`
{
  "provider": {
    "apex": {
      "npm": "` + npm + `",
      "name": "Apex AI Proxy",
      "options": {
        "baseURL": {{q .OpenAI}},
        "apiKey": {{q .Key}}
      },
      "models": {
        {{q .Model}}: {"name": {{q .Model}}}
      }
    }
  }
}`),
	}
}

func droid(name, provider, address string) Variant {
	return Variant{
		Name: name, Format: JSON, File: home(".factory/settings.json"),
		Steps: []string{stepMerge, "Inside Droid, choose it with /model."},
		text: snippet(`
{
  "customModels": [
    {
      "model": {{q .Model}},
      "displayName": {{q .Model}},
      "baseUrl": ` + address + `,
      "apiKey": {{q .Key}},
      "provider": "` + provider + `",
      "maxOutputTokens": 16384
    }
  ]
}`),
	}
}

// codeChat is an endpoint of VS Code's chat, which wants the whole path.
func codeChat(name, apiType, address string) Variant {
	return Variant{
		Name: name, Format: JSON, File: codeUser("chatLanguageModels.json"),
		Steps: []string{
			"Run Chat: Open Language Models (JSON) from the command palette and add the entry to the list.",
			"Set both limits to those of your model, then choose it in the model picker.",
		},
		text: snippet(`
[
  {
    "name": "Apex AI Proxy",
    "vendor": "customendpoint",
    "apiKey": {{q .Key}},
    "apiType": "` + apiType + `",
    "models": [
      {
        "id": {{q .Model}},
        "name": {{q .Model}},
        "url": ` + address + `,
        "toolCalling": true,
        "vision": true,
        "maxInputTokens": 128000,
        "maxOutputTokens": 16000
      }
    ]
  }
]`),
	}
}

// continueYAML is a file of Continue, which wants the address with /v1 for both formats.
func continueYAML(name, provider string) Variant {
	return Variant{
		Name: name, Format: YAML, File: home(".continue/config.yaml"),
		Steps: []string{"If the file exists, add only the entry below models and keep what is already there."},
		text: snippet(`
name: local
version: 0.0.1
schema: v1
models:
  - name: "Apex AI Proxy"
    provider: ` + provider + `
    model: {{q .Model}}
    apiBase: {{q .OpenAI}}
    apiKey: {{q .Key}}
    roles: [chat, edit, apply]`),
	}
}

// codexConfig is all of Codex's settings but for the key.
const codexConfig = `
model = {{q .Model}}
model_provider = "apex"

[model_providers.apex]
name = "Apex AI Proxy"
base_url = {{q .OpenAI}}
wire_api = "responses"`

const openAIPython = `
from openai import OpenAI

client = OpenAI(
    base_url={{q .OpenAI}},
    api_key={{q .Key}},
)
answer = client.chat.completions.create(
    model={{q .Model}},
    messages=[{"role": "user", "content": "Hello"}],
)
print(answer.choices[0].message.content)`

const openAIJavaScript = `
import OpenAI from "openai";

const client = new OpenAI({
  baseURL: {{q .OpenAI}},
  apiKey: {{q .Key}},
});
const answer = await client.chat.completions.create({
  model: {{q .Model}},
  messages: [{ role: "user", content: "Hello" }],
});
console.log(answer.choices[0].message.content);`

const openAIGo = `
package main

import (
	"context"
	"fmt"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

func main() {
	client := openai.NewClient(
		option.WithBaseURL({{q .OpenAI}}),
		option.WithAPIKey({{q .Key}}),
	)
	answer, err := client.Chat.Completions.New(context.Background(), openai.ChatCompletionNewParams{
		Model:    {{q .Model}},
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Hello")},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(answer.Choices[0].Message.Content)
}`

const anthropicPython = `
from anthropic import Anthropic

client = Anthropic(
    base_url={{q .Anthropic}},
    api_key={{q .Key}},
)
answer = client.messages.create(
    model={{q .Model}},
    max_tokens=1000,
    messages=[{"role": "user", "content": "Hello"}],
)
print(answer.content[0].text)`

const anthropicJavaScript = `
import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic({
  baseURL: {{q .Anthropic}},
  apiKey: {{q .Key}},
});
const answer = await client.messages.create({
  model: {{q .Model}},
  max_tokens: 1000,
  messages: [{ role: "user", content: "Hello" }],
});
console.log(answer.content[0].text);`

const anthropicGo = `
package main

import (
	"context"
	"fmt"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
)

func main() {
	client := anthropic.NewClient(
		option.WithBaseURL({{q .Anthropic}}),
		option.WithAPIKey({{q .Key}}),
	)
	answer, err := client.Messages.New(context.Background(), anthropic.MessageNewParams{
		Model:     {{q .Model}},
		MaxTokens: 1000,
		Messages:  []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("Hello"))},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(answer.Content[0].Text)
}`

// The two requests that curl shows. In the headers, KEY is a word of the shell.
const (
	chatPath     = `(print .OpenAI "/chat/completions")`
	chatBody     = `{"model":{{q .Model}},"messages":[{"role":"user","content":"Hello"}]}`
	messagesPath = `(print .Anthropic "/v1/messages")`
	messagesBody = `{"model":{{q .Model}},"max_tokens":1000,"messages":[{"role":"user","content":"Hello"}]}`
)

var (
	chatHeaders     = []string{`(print "Authorization: Bearer " .Key)`, `"Content-Type: application/json"`}
	messagesHeaders = []string{`(print "x-api-key: " .Key)`, `"anthropic-version: 2023-06-01"`, `"Content-Type: application/json"`}
)

// curl is a request as a command of a shell. PowerShell gets the body through a pipe and
// in ASCII, because its older versions take quotes out of arguments and change letters.
func curl(shell, path string, headers []string, body string) func(Input) string {
	program, next := "curl", " \\\n  "
	if shell == "ps" {
		program, next = "curl.exe", " `\n  "
	}
	text := program + " {{" + shell + " " + path + "}}"
	for _, h := range headers {
		text += next + "-H {{" + shell + " " + h + "}}"
	}
	command, content := snippet(text), snippet(body)
	if shell == "ps" {
		return func(in Input) string {
			return quotePowerShell(ascii(content(in))) + " |\n  " + command(in) + next + "--data-binary '@-'"
		}
	}
	return func(in Input) string { return command(in) + next + "-d " + quoteBash(content(in)) }
}
