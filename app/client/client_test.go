package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
	"go.yaml.in/yaml/v3"
)

// inputs are what snippets are made of, the plain one first.
var inputs = []Input{
	{"http://127.0.0.1:8787/v1", "http://127.0.0.1:8787", "apx-key", "claude-sonnet-4-5#anthropic", nil},
	{"http://[::1]:9/v1", "http://[::1]:9", `a'b"c\d$(touch x)` + "`e`!%PATH%", `@cf/o'ne"two\three#workers-ai`, nil},
	{"http://h:1/v1", "http://h:1", "‘’‚‛“”é中🔑", "‘模型’ – é#x", nil},
	{"http://h:1/v1", "http://h:1", "true", "null", nil},
	{"http://h:1/v1", "http://h:1", "- x: {y} # z", "*a: &b ? | > % @#p", nil},
	{"http://h:1/v1", "http://h:1", "{{.Model}} ${HOME} \\u0041", "1_000", nil},
	{"http://h:1/v1", "http://h:1", "line\r\nbreak\ttab\x1b\x7f\u0085\u2028\ufeff", " spaces  \x01", nil},
	{"http://h:1/v1", "http://h:1", "", "", nil},
}

// Where the address, the key and the model stand in what a client is given: the names of
// variables, keys of a file, or fields. {m} in a key stands for the model.
type at struct {
	openAI, anthropic, key, model []string
	fixed                         map[string]string
}

var claude = []string{"ANTHROPIC_DEFAULT_OPUS_MODEL", "ANTHROPIC_DEFAULT_SONNET_MODEL", "ANTHROPIC_DEFAULT_HAIKU_MODEL", "ANTHROPIC_DEFAULT_FABLE_MODEL"}

func below(prefix string, names ...string) []string {
	var out []string
	for _, n := range names {
		out = append(out, prefix+n)
	}
	return out
}

func list(names ...string) []string { return names }

// wanted says for each variant of each client what stands where. The shells of a client
// are one entry, "shells".
var wanted = map[string]at{
	"claude-code/settings.json": {anthropic: list("env/ANTHROPIC_BASE_URL"), key: list("env/ANTHROPIC_AUTH_TOKEN"), model: below("env/", claude...)},
	"claude-code/shells":        {anthropic: list("ANTHROPIC_BASE_URL"), key: list("ANTHROPIC_AUTH_TOKEN"), model: claude, fixed: fixed("$0", "claude")},
	"claude-code/VS Code": {
		anthropic: list("claudeCode.environmentVariables/0/value"), key: list("claudeCode.environmentVariables/1/value"),
		model: list("claudeCode.environmentVariables/2/value", "claudeCode.environmentVariables/3/value", "claudeCode.environmentVariables/4/value", "claudeCode.environmentVariables/5/value"),
		fixed: fixed("claudeCode.environmentVariables/0/name", "ANTHROPIC_BASE_URL", "claudeCode.environmentVariables/1/name", "ANTHROPIC_AUTH_TOKEN",
			"claudeCode.environmentVariables/2/name", claude[0], "claudeCode.environmentVariables/3/name", claude[1], "claudeCode.environmentVariables/4/name", claude[2], "claudeCode.environmentVariables/5/name", claude[3]),
	},
	"codex/config.toml": {
		openAI: list("model_providers/apex/base_url"), model: list("model"),
		fixed: fixed("model_provider", "apex", "model_providers/apex/wire_api", "responses", "model_providers/apex/env_key", "APEX_LOCAL_KEY"),
	},
	"codex/Key in the file": {
		openAI: list("model_providers/apex/base_url"), model: list("model"), key: list("model_providers/apex/experimental_bearer_token"),
		fixed: fixed("model_provider", "apex", "model_providers/apex/wire_api", "responses"),
	},
	"codex/shells":              {key: list("APEX_LOCAL_KEY"), fixed: fixed("$0", "codex")},
	"opencode/Chat Completions": openCodeAt("@ai-sdk/openai-compatible"),
	"opencode/Messages":         openCodeAt("@ai-sdk/anthropic"),
	"qwen-code/shells":          {openAI: list("OPENAI_BASE_URL"), key: list("OPENAI_API_KEY"), model: list("OPENAI_MODEL"), fixed: fixed("$0", "qwen")},
	"qwen-code/settings.json": {
		openAI: list("modelProviders/openai/0/baseUrl"), model: list("modelProviders/openai/0/id"), key: list("=OPENAI_API_KEY"),
		fixed: fixed("modelProviders/openai/0/envKey", "OPENAI_API_KEY"),
	},
	"kilo-code/kilo.jsonc":      openCodeAt("@ai-sdk/openai-compatible"),
	"kilo-code/VS Code":         {openAI: list("=Base URL"), key: list("=API Key"), model: list("=Model ID")},
	"aider/shells":              {openAI: list("OPENAI_API_BASE"), key: list("OPENAI_API_KEY"), fixed: fixed("$0", "aider", "$1", "--model", "$2", "openai/{m}")},
	"copilot-cli/shells":        {openAI: list("COPILOT_PROVIDER_BASE_URL"), key: list("COPILOT_PROVIDER_API_KEY"), model: list("COPILOT_MODEL"), fixed: fixed("COPILOT_PROVIDER_WIRE_API", "responses", "$0", "copilot")},
	"droid/Chat Completions":    droidAt(at{openAI: list("customModels/0/baseUrl")}, "generic-chat-completion-api"),
	"droid/Messages":            droidAt(at{anthropic: list("customModels/0/baseUrl")}, "anthropic"),
	"droid/Responses":           droidAt(at{openAI: list("customModels/0/baseUrl")}, "openai"),
	"vscode/Chat Completions":   codeChatAt("chat-completions", "{o}/chat/completions"),
	"vscode/Responses":          codeChatAt("responses", "{o}/responses"),
	"vscode/Messages":           codeChatAt("messages", "{a}/v1/messages"),
	"cursor/With a tunnel":      {key: list("=OpenAI API Key"), model: list("=Model"), fixed: fixed("=cloudflared", "--url {a} --http-host-header {h}")},
	"cursor/With the Worker":    {model: list("=Model")},
	"cline/OpenAI Compatible":   {openAI: list("=Base URL"), key: list("=API Key"), model: list("=Model ID")},
	"cline/Anthropic":           {anthropic: list("=Base URL"), key: list("=API Key"), model: list("=Model ID")},
	"cline/CLI: bash, zsh":      clineAt,
	"cline/CLI: PowerShell":     clineAt,
	"continue/Chat Completions": continueAt("openai"),
	"continue/Messages":         continueAt("anthropic"),
	"zed/settings.json":         {openAI: list(zed + "api_url"), model: list(zed+"available_models/0/name", zed+"available_models/0/display_name"), key: list("=API Key")},
	"jetbrains/Settings":        {openAI: list("=URL"), key: list("=API Key"), model: list("=Model")},
	"xcode/Settings":            {anthropic: list("=URL"), fixed: fixed("=API Key", "Bearer {k}", "=API Key Header", "Authorization")},
	"claude-desktop/Settings":   {anthropic: list("=Gateway base URL"), key: list("=Gateway API key"), fixed: fixed("=Gateway auth scheme", "bearer")},
	"open-webui/Settings":       {openAI: list("=URL"), key: list("=Key")},
	"librechat/librechat.yaml":  {openAI: list("endpoints/custom/0/baseURL"), key: list("endpoints/custom/0/apiKey"), model: list("endpoints/custom/0/models/default/0"), fixed: fixed("endpoints/custom/0/models/fetch", "true")},
	"raycast/providers.yaml":    {openAI: list("providers/0/base_url"), key: list("providers/0/api_keys/apex"), model: list("providers/0/models/0/id")},
	"openai-sdk/Python":         {openAI: list("base_url"), key: list("api_key"), model: list("model")},
	"openai-sdk/JavaScript":     {openAI: list("baseURL"), key: list("apiKey"), model: list("model")},
	"openai-sdk/Go":             {openAI: list("WithBaseURL"), key: list("WithAPIKey"), model: list("Model")},
	"openai-sdk/shells":         {openAI: list("OPENAI_BASE_URL"), key: list("OPENAI_API_KEY")},
	"anthropic-sdk/Python":      {anthropic: list("base_url"), key: list("api_key"), model: list("model")},
	"anthropic-sdk/JavaScript":  {anthropic: list("baseURL"), key: list("apiKey"), model: list("model")},
	"anthropic-sdk/Go":          {anthropic: list("WithBaseURL"), key: list("WithAPIKey"), model: list("Model")},
	"anthropic-sdk/shells":      {anthropic: list("ANTHROPIC_BASE_URL"), key: list("ANTHROPIC_API_KEY")},
	"curl/bash, zsh":            curlAt("curl", "{o}/chat/completions", "Authorization: Bearer {k}"),
	"curl/PowerShell":           curlAt("curl.exe", "{o}/chat/completions", "Authorization: Bearer {k}"),
	"curl/Messages: bash, zsh":  curlAt("curl", "{a}/v1/messages", "x-api-key: {k}", "anthropic-version: 2023-06-01"),
	"curl/Messages: PowerShell": curlAt("curl.exe", "{a}/v1/messages", "x-api-key: {k}", "anthropic-version: 2023-06-01"),
}

const zed = "language_models/openai_compatible/apex/"

var clineAt = at{fixed: fixed("$0", "cline", "$1", "auth", "$2", "-p", "$3", "openai", "$4", "-k", "$5", "{k}", "$6", "-m", "$7", "{m}", "$8", "-b", "$9", "{o}")}

func fixed(pairs ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

func openCodeAt(npm string) at {
	return at{
		openAI: list("provider/apex/options/baseURL"), key: list("provider/apex/options/apiKey"),
		model: list("provider/apex/models/{m}/name"), fixed: fixed("provider/apex/npm", npm),
	}
}

func droidAt(a at, provider string) at {
	a.key, a.model, a.fixed = list("customModels/0/apiKey"), list("customModels/0/model"), fixed("customModels/0/provider", provider)
	return a
}

func codeChatAt(apiType, url string) at {
	return at{
		key: list("0/apiKey"), model: list("0/models/0/id"),
		fixed: fixed("0/vendor", "customendpoint", "0/apiType", apiType, "0/models/0/url", url, "0/models/0/toolCalling", "true"),
	}
}

func continueAt(provider string) at {
	return at{
		openAI: list("models/0/apiBase"), key: list("models/0/apiKey"), model: list("models/0/model"),
		fixed: fixed("schema", "v1", "models/0/provider", provider, "models/0/roles/2", "apply"),
	}
}

func curlAt(program, url string, headers ...string) at {
	want := fixed("$0", program, "$1", url)
	for i, h := range append(headers, "Content-Type: application/json") {
		want["$"+strconv.Itoa(2+2*i)], want["$"+strconv.Itoa(3+2*i)] = "-H", h
	}
	return at{model: list("body/model"), fixed: want}
}

// TestSnippets parses every snippet in its own language and looks whether everything
// stands in its place, also with values that try to get out of it.
func TestSnippets(t *testing.T) {
	seen := map[string]bool{}
	for _, os := range []OS{MacOS, Linux, Windows} {
		for _, c := range For(os) {
			for i := range c.Variants {
				v := &c.Variants[i]
				name := c.ID + "/" + v.Name
				if _, ok := wanted[name]; !ok && slices.Contains([]Format{Bash, Fish, PowerShell}, v.Format) {
					name = c.ID + "/shells"
				}
				want, ok := wanted[name]
				if !ok {
					t.Errorf("nothing is said about %s", name)
				}
				seen[name] = true
				for _, in := range inputs {
					checkVariant(t, name+" ("+v.Name+")", v, in, want)
				}
			}
		}
	}
	for name := range wanted {
		if !seen[name] {
			t.Errorf("there is no %s", name)
		}
	}
}

func checkVariant(t *testing.T, name string, v *Variant, in Input, want at) {
	t.Helper()
	got, err := values(v, in)
	if err != nil {
		t.Errorf("%s with %q: %v\n%s", name, in, err, v.Text(in))
		return
	}
	expect := map[string]string{}
	for _, x := range []struct {
		places []string
		value  string
	}{{want.openAI, in.OpenAI}, {want.anthropic, in.Anthropic}, {want.key, in.Key}, {want.model, in.Model}} {
		for _, place := range x.places {
			expect[strings.ReplaceAll(place, "{m}", in.Model)] = x.value
		}
	}
	fill := strings.NewReplacer("{o}", in.OpenAI, "{a}", in.Anthropic, "{k}", in.Key, "{m}", in.Model, "{h}", strings.TrimPrefix(in.Anthropic, "http://"))
	for place, value := range want.fixed {
		expect[place] = fill.Replace(value)
	}
	for place, value := range expect {
		if g, ok := got[place]; !ok || g != value {
			t.Errorf("%s with %q: %s is %q, want %q\n%s", name, in, place, g, value, v.Text(in))
		}
	}
	if v.Format == None && v.Text(in) != "" || v.Format != None && v.Text(in) == "" {
		t.Errorf("%s: the format is %q and the snippet %q", name, v.Format, v.Text(in))
	}
}

// values are all texts that a variant tells, by their place.
func values(v *Variant, in Input) (map[string]string, error) {
	out := map[string]string{}
	for _, f := range v.Fields(in) {
		out["="+f.Name] = f.Value
	}
	text := v.Text(in)
	var tree any
	var err error
	switch v.Format {
	case None:
		return out, nil
	case JSON:
		err = json.Unmarshal([]byte(text), &tree)
	case TOML:
		err = toml.Unmarshal([]byte(text), &tree)
	case YAML:
		err = yaml.Unmarshal([]byte(text), &tree)
	case Bash, Fish, PowerShell:
		return out, shellValues(v.Format, text, out)
	case Python, JavaScript:
		return out, namedLiterals(text, out)
	case Go:
		return out, goLiterals(text, out)
	}
	flatten("", tree, out)
	return out, err
}

func flatten(prefix string, tree any, out map[string]string) {
	switch x := tree.(type) {
	case map[string]any:
		for k, v := range x {
			flatten(prefix+k+"/", v, out)
		}
	case []any:
		for i, v := range x {
			flatten(prefix+strconv.Itoa(i)+"/", v, out)
		}
	default:
		out[strings.TrimSuffix(prefix, "/")] = fmt.Sprint(x)
	}
}

// shellValues reads the commands of a shell: variables by their names, the words of the
// last command as $0, $1 and so on, and a body of JSON below body/.
func shellValues(f Format, text string, out map[string]string) error {
	commands, err := words(f, text)
	if err != nil {
		return err
	}
	var last []string
	for _, c := range commands {
		switch {
		case f == Bash && c[0] == "export":
			name, value, _ := strings.Cut(c[1], "=")
			out[name] = value
		case f == Fish && c[0] == "set":
			out[c[2]] = c[3]
		case f == PowerShell && strings.HasPrefix(c[0], "$env:"):
			out[strings.TrimPrefix(c[0], "$env:")] = c[2]
		default:
			last = append(last, c...)
		}
	}
	if i := slices.Index(last, "|"); i > 0 { // the body comes through a pipe
		if strings.ContainsFunc(last[0], func(r rune) bool { return r > 0x7e }) {
			return fmt.Errorf("the body %q is not ASCII", last[0])
		}
		last = append(append(last[i+1:], "-d"), last[0])
	}
	for i, w := range last {
		out["$"+strconv.Itoa(i)] = w
		if i > 0 && last[i-1] == "-d" {
			var body any
			if err := json.Unmarshal([]byte(w), &body); err != nil {
				return err
			}
			flatten("body/", body, out)
		}
	}
	return nil
}

// words splits a script as its shell does, as far as snippets use it: words without
// quotes, words in single quotes, line breaks, and lines that go on.
func words(f Format, script string) (commands [][]string, err error) {
	goesOn := map[Format]rune{Bash: '\\', Fish: '\\', PowerShell: '`'}[f]
	var command []string
	var word strings.Builder
	in, quoted := false, false
	endWord := func() {
		if in {
			command = append(command, word.String())
		}
		word.Reset()
		in = false
	}
	endCommand := func() {
		endWord()
		if len(command) > 0 && command[len(command)-1] != "|" {
			commands = append(commands, command)
			command = nil
		}
	}
	rs := []rune(script)
	for i := 0; i < len(rs); i++ {
		r, next := rs[i], rune(0)
		if i+1 < len(rs) {
			next = rs[i+1]
		}
		switch {
		case quoted && f == Fish && r == '\\' && (next == '\'' || next == '\\'):
			word.WriteRune(next)
			i++
		case quoted && f == PowerShell && isQuote(r) && isQuote(next):
			word.WriteRune(r)
			i++
		case r == '\'' || f == PowerShell && isQuote(r):
			quoted, in = !quoted, true
		case quoted:
			word.WriteRune(r)
		case r == goesOn && next == '\n':
			endWord()
			i++
		case f == Bash && r == '\\' && next == '\'':
			word.WriteRune(next)
			i++
		case r == '\n':
			endCommand()
		case r == ' ':
			endWord()
		case strings.ContainsRune("$:=-.,/_|", r) || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9':
			word.WriteRune(r)
			in = true
		default:
			return nil, fmt.Errorf("%q stands outside of quotes", r)
		}
	}
	if quoted {
		return nil, errors.New("a quote is not closed")
	}
	endCommand()
	return commands, nil
}

func isQuote(r rune) bool { return strings.ContainsRune("'‘’‚‛", r) }

// namedLiterals finds name="..." and name: "..." . Literals mean what they mean in JSON.
func namedLiterals(text string, out map[string]string) error {
	for _, line := range strings.Split(text, "\n") {
		name, rest, ok := strings.Cut(strings.TrimSpace(line), "=")
		if n, r, colon := strings.Cut(strings.TrimSpace(line), ": "); colon && (!ok || len(n) < len(name)) {
			name, rest, ok = n, r, true
		}
		rest = strings.TrimSuffix(strings.TrimSpace(rest), ",")
		if !ok || !strings.HasPrefix(rest, `"`) {
			continue
		}
		var value string
		if err := json.Unmarshal([]byte(rest), &value); err != nil {
			return fmt.Errorf("%s: %w", line, err)
		}
		out[name] = value
	}
	return nil
}

// goLiterals finds f("...") and Name: "..." in a program that gofmt would leave as it is.
func goLiterals(text string, out map[string]string) error {
	formatted, err := format.Source([]byte(text))
	if err != nil {
		return err
	}
	if string(formatted) != text+"\n" {
		return errors.New("gofmt would change it")
	}
	file, err := parser.ParseFile(token.NewFileSet(), "main.go", text, 0)
	if err != nil {
		return err
	}
	keep := func(name string, x ast.Expr) {
		if lit, ok := x.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			out[name], _ = strconv.Unquote(lit.Value)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.CallExpr:
			if f, ok := x.Fun.(*ast.SelectorExpr); ok && len(x.Args) == 1 {
				keep(f.Sel.Name, x.Args[0])
			}
		case *ast.KeyValueExpr:
			if k, ok := x.Key.(*ast.Ident); ok {
				keep(k.Name, x.Value)
			}
		}
		return true
	})
	return nil
}

// TestWords holds the test's own reading of shells to what these shells do.
func TestWords(t *testing.T) {
	for _, c := range []struct {
		f    Format
		text string
		want []string
	}{
		{Bash, `a 'b'\''c' 'd\e'`, list("a", "b'c", `d\e`)},
		{Fish, `a 'b\'c' 'd\\e\n'`, list("a", "b'c", `d\e\n`)},
		{PowerShell, `a 'b''c' 'd’’e'`, list("a", "b'c", "d’e")},
	} {
		got, err := words(c.f, c.text)
		if err != nil || len(got) != 1 || !slices.Equal(got[0], c.want) {
			t.Errorf("%s: %q is %q, %v", c.f, c.text, got, err)
		}
	}
	for _, text := range []string{"a 'b", "a $(b)", "a;b", "a \"b\"", "a `b`", "a & b"} {
		if got, err := words(Bash, text); err == nil {
			t.Errorf("%q is taken: %q", text, got)
		}
	}
}

func TestTable(t *testing.T) {
	ids := map[string]bool{}
	for _, c := range table {
		if ids[c.ID] || c.ID == "" || c.Name == "" || !slices.Contains(Kinds, c.Kind) {
			t.Errorf("%q has no id, name and kind of its own", c.ID)
		}
		ids[c.ID] = true
		if len(c.Variants) == 0 && c.Note == "" {
			t.Errorf("%s: neither a way nor the reason why there is none", c.ID)
		}
		if (len(c.Variants) == 0) != (len(c.Protocols) == 0) {
			t.Errorf("%s: a protocol without a way, or a way without a protocol", c.ID)
		}
		checkSentence(t, c.ID, c.Note)
		names := map[string]bool{}
		for i := range c.Variants {
			v := &c.Variants[i]
			if names[v.Name] || v.Name == "" {
				t.Errorf("%s: two variants named %q", c.ID, v.Name)
			}
			names[v.Name] = true
			checkPlaces(t, &c, v)
		}
	}
	if len(table) < 20 {
		t.Errorf("only %d clients", len(table))
	}
}

// checkPlaces wants a place for a file on every system where the client exists, and steps
// for all that is not plainly code.
func checkPlaces(t *testing.T, c *Client, v *Variant) {
	t.Helper()
	for _, s := range v.Steps {
		checkSentence(t, c.ID, s)
	}
	code := slices.Contains([]Format{Bash, PowerShell, Python, JavaScript, Go}, v.Format)
	if len(v.Steps) == 0 && !code {
		t.Errorf("%s/%s: nothing says what to do", c.ID, v.Name)
	}
	if v.File == (Paths{}) {
		if v.Format == JSON || v.Format == TOML {
			t.Errorf("%s/%s: no file", c.ID, v.Name)
		}
		return
	}
	for _, os := range []OS{MacOS, Linux, Windows} {
		exists := c.On == nil || slices.Contains(c.On, os)
		path := v.File.On(os)
		switch {
		case exists != (path != ""):
			t.Errorf("%s/%s: on %s the file is %q", c.ID, v.Name, os, path)
		case os == Windows && exists && (!strings.HasPrefix(path, "%") || strings.Contains(path, "/")):
			t.Errorf("%s/%s: %q is no path of Windows", c.ID, v.Name, path)
		case os != Windows && exists && !strings.HasPrefix(path, "~/"):
			t.Errorf("%s/%s: %q is not below the home folder", c.ID, v.Name, path)
		}
	}
}

func checkSentence(t *testing.T, id, s string) {
	t.Helper()
	if s != "" && (!strings.HasSuffix(s, ".") || strings.Contains(s, "{{")) {
		t.Errorf("%s: %q is no sentence", id, s)
	}
}

// TestNoKeyShown sees to it that what is shown with a stand-in holds nothing of the key.
func TestNoKeyShown(t *testing.T) {
	for _, c := range table {
		for i := range c.Variants {
			v := &c.Variants[i]
			in := inputs[0]
			in.Key = "LOCAL_KEY"
			shown := fmt.Sprint(v.Text(in), v.Fields(in))
			in.Key = "apx-secret"
			copied := fmt.Sprint(v.Text(in), v.Fields(in))
			if strings.ReplaceAll(copied, "apx-secret", "LOCAL_KEY") != shown {
				t.Errorf("%s/%s: what is copied differs in more than the key", c.ID, v.Name)
			}
			if v.ShowsKey() != strings.Contains(copied, "apx-secret") {
				t.Errorf("%s/%s: ShowsKey is %v", c.ID, v.Name, v.ShowsKey())
			}
		}
	}
}

// A client that asks by tier gets the tier's own model where there is one.
func TestTiers(t *testing.T) {
	in := inputs[0]
	in.Tiers = map[string]string{"opus": "claude-opus"}
	asks := 0
	for _, c := range table {
		for i := range c.Variants {
			text := c.Variants[i].Text(in)
			if got := strings.Count(text, "claude-opus"); (got == 1) != c.Tiers || c.Tiers && strings.Count(text, in.Model) != 3 {
				t.Errorf("%s/%s: %s", c.ID, c.Variants[i].Name, text)
			}
		}
		if c.Tiers {
			asks++
		}
	}
	if asks == 0 {
		t.Error("no client asks by tier")
	}
}

func TestUses(t *testing.T) {
	for id, want := range map[string][2]bool{
		"claude-code": {true, true}, "gemini-cli": {false, false}, "open-webui": {true, false}, "xcode": {true, false}, "codex": {true, true},
	} {
		i := slices.IndexFunc(table, func(c Client) bool { return c.ID == id })
		if key, model := table[i].Uses(); key != want[0] || model != want[1] {
			t.Errorf("%s uses key %v, model %v", id, key, model)
		}
	}
}

func TestFor(t *testing.T) {
	first := func(os OS, id string) string {
		for _, c := range For(os) {
			if c.ID == id {
				return c.Variants[0].Name
			}
		}
		return ""
	}
	for _, c := range []struct {
		os   OS
		id   string
		want string
	}{
		{MacOS, "aider", "bash, zsh"},
		{Windows, "aider", "PowerShell"},
		{Windows, "curl", "PowerShell"},
		{Windows, "claude-code", "settings.json"},
		{Linux, "xcode", ""},
		{MacOS, "xcode", "Settings"},
		{Linux, "claude-desktop", ""},
		{"freebsd", "aider", "bash, zsh"},
	} {
		if got := first(c.os, c.id); got != c.want {
			t.Errorf("%s on %s begins with %q, want %q", c.id, c.os, got, c.want)
		}
	}
	if first(MacOS, "aider") != "bash, zsh" {
		t.Error("a look for Windows has changed the table")
	}
}

func TestProse(t *testing.T) {
	texts := Prose()
	for _, want := range []string{stepMerge, noteDocker, nameTunnel} {
		if len(texts) < 30 || !slices.Contains(texts, want) {
			t.Errorf("%d texts, %q among them %v", len(texts), want, slices.Contains(texts, want))
		}
	}
}
