package settings

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"apex-ai-proxy/proxy/prose"
)

// MaxImport is the largest file that Import reads, in bytes.
const MaxImport = 1 << 20

// Why a file cannot be imported. What is wrong with its values is a *ValidationError.
var (
	ErrTooLarge   = prose.Errorf("the file is too large to hold settings")
	ErrNoSettings = prose.Errorf("the file holds neither settings of this program nor the vars of a wrangler.jsonc")
	ErrNothing    = prose.Errorf("the file holds nothing that can be imported")
)

// Imported is what a file brings.
type Imported struct {
	Settings Settings  // the ones before with the file's over them
	Ignored  []Ignored // what the file holds and was not taken over
}

// Ignored is a value that was not taken over. It is never repeated: it may be a secret.
type Ignored struct {
	Name string     // as in the file
	Why  prose.Text // a sentence without capital and full stop
}

// The reasons why something is ignored.
var (
	ignoredSecret  = prose.New("a secret is not read from a file; store it in the keychain")
	ignoredUnknown = prose.New("this program has no such setting")
	ignoredExample = prose.New("it is still the text of the example")
	ignoredKind    = prose.New("it is not a text")
	ignoredEnv     = prose.New("only the vars at the top of the file are read")
)

// Export is s as a document that Import reads. It holds no secrets, as s holds none.
func Export(s Settings) ([]byte, error) {
	s.Version = current.version
	return encode(s)
}

// Import reads a document of Export, or the configuration of a Worker (wrangler.jsonc),
// whose vars name the account and the gateway. Values that the file does not have stay as
// they are before. Secrets are never taken over.
func Import(data []byte, before Settings, providers []string) (Imported, error) {
	if len(data) > MaxImport {
		return Imported{}, ErrTooLarge
	}
	data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))
	if len(data) == 0 {
		return Imported{}, ErrNothing
	}
	read := readSettings
	if data[0] == '{' || data[0] == '/' {
		read = readWorker
	}
	in, err := read(data, before)
	if err != nil {
		return Imported{}, err
	}
	in.Settings = in.Settings.Normalized()
	in.Settings.App.Guided = before.App.Guided
	if err := in.Settings.Validate(providers); err != nil {
		return Imported{}, err
	}
	return in, nil
}

func readSettings(data []byte, before Settings) (Imported, error) {
	var doc map[string]any
	if toml.Unmarshal(data, &doc) != nil {
		return Imported{}, ErrNoSettings
	}
	if vars, ok := doc["vars"].(map[string]any); ok { // wrangler.toml
		return takeVars(vars, doc["env"] != nil, before)
	}
	s, unknown, _, err := current.decodeOver(before.copied(), data)
	if err != nil {
		return Imported{}, err
	}
	in := Imported{Settings: s}
	for _, k := range unknown {
		in.ignore(k.field)
	}
	if len(doc) == 0 || len(unknown) > 0 && len(Changes(before, s)) == 0 && doc["version"] == nil {
		return Imported{}, ErrNoSettings
	}
	return in, nil
}

// copied is s with maps and lists of its own.
func (s Settings) copied() Settings {
	s.Providers = maps.Clone(s.Providers)
	s.Aliases = maps.Clone(s.Aliases)
	s.Claude = maps.Clone(s.Claude)
	s.Server.Origins = slices.Clone(s.Server.Origins)
	return s
}

// ignore notes a key that is not taken over.
func (in *Imported) ignore(name string) {
	why := ignoredUnknown
	if looksSecret(name) {
		why = ignoredSecret
	}
	in.Ignored = append(in.Ignored, Ignored{Masked(name), why})
}

// readWorker reads wrangler.jsonc.
func readWorker(data []byte, before Settings) (Imported, error) {
	var doc struct {
		Vars map[string]any            `json:"vars"`
		Env  map[string]map[string]any `json:"env"`
	}
	if json.Unmarshal(plainJSON(data), &doc) != nil || doc.Vars == nil {
		return Imported{}, ErrNoSettings
	}
	return takeVars(doc.Vars, len(doc.Env) > 0, before)
}

// takeVars takes over what a Worker was configured with.
func takeVars(vars map[string]any, environments bool, before Settings) (Imported, error) {
	in := Imported{Settings: before.copied()}
	at := map[string]*string{
		"ACCOUNT_ID": &in.Settings.Gateway.Account, "GATEWAY_ID": &in.Settings.Gateway.ID,
		"AZURE_RESOURCE": &in.Settings.Azure.Resource, "AZURE_API_VERSION": &in.Settings.Azure.APIVersion,
	}
	taken := 0
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		place := at[name]
		value, isText := vars[name].(string)
		value = strings.TrimSpace(value)
		switch {
		case place == nil:
			in.ignore(name)
		case !isText:
			in.Ignored = append(in.Ignored, Ignored{name, ignoredKind})
		case value == "":
		case strings.HasPrefix(strings.ToLower(value), "your-"):
			in.Ignored = append(in.Ignored, Ignored{name, ignoredExample})
		default:
			*place = value
			taken++
		}
	}
	if environments {
		in.Ignored = append(in.Ignored, Ignored{"env", ignoredEnv})
	}
	if taken == 0 {
		return Imported{}, ErrNothing
	}
	return in, nil
}

// plainJSON is JSON without the comments and the commas before closing brackets that
// wrangler allows.
func plainJSON(data []byte) []byte {
	out := make([]byte, 0, len(data))
	comma := -1 // place of a comma in out that nothing but space has followed
	for i := 0; i < len(data); {
		switch c := data[i]; {
		case c == '"':
			end := stringEnd(data, i)
			out, comma, i = append(out, data[i:end]...), -1, end
			continue
		case c == '/' && i+1 < len(data) && data[i+1] == '/':
			i = after(data, i, "\n")
			continue
		case c == '/' && i+1 < len(data) && data[i+1] == '*':
			i = after(data, i+2, "*/")
			continue
		case c == ',':
			comma = len(out)
		case (c == '}' || c == ']') && comma >= 0:
			out[comma], comma = ' ', -1
		case c != ' ' && c != '\t' && c != '\r' && c != '\n':
			comma = -1
		}
		out = append(out, data[i])
		i++
	}
	return out
}

// stringEnd is the place behind the string that begins at i.
func stringEnd(data []byte, i int) int {
	for j := i + 1; j < len(data); j++ {
		switch data[j] {
		case '\\':
			j++
		case '"':
			return j + 1
		}
	}
	return len(data)
}

// after is the place behind the next mark, or the end.
func after(data []byte, i int, mark string) int {
	n := bytes.Index(data[i:], []byte(mark))
	if n < 0 {
		return len(data)
	}
	return i + n + len(mark)
}

// Change is a value that differs.
type Change struct {
	Field         string // as in the file
	Before, After string // "" for none
}

// Changes are the values in which two settings differ, by field.
func Changes(before, after Settings) []Change {
	was, is := flat(before), flat(after)
	fields := maps.Clone(was)
	maps.Copy(fields, is)
	var out []Change
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		if was[field] != is[field] && field != "version" {
			out = append(out, Change{field, was[field], is[field]})
		}
	}
	return out
}

// flat is every value of s by its field.
func flat(s Settings) map[string]string {
	out := map[string]string{}
	data, err := toml.Marshal(s)
	var doc map[string]any
	if err != nil || toml.Unmarshal(data, &doc) != nil {
		return out // settings can always be written and read again
	}
	var walk func(prefix string, v any)
	walk = func(prefix string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, value := range v {
				walk(strings.TrimPrefix(prefix+"."+name, "."), value)
			}
		case []any:
			texts := make([]string, len(v))
			for i := range v {
				texts[i] = fmt.Sprint(v[i])
			}
			out[prefix] = strings.Join(texts, ", ")
		default:
			out[prefix] = fmt.Sprint(v)
		}
	}
	walk("", doc)
	return out
}
