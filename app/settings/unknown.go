package settings

import (
	"reflect"
	"strings"

	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/proxy/spelling"
)

// unknownKey is a key, or a section, that is no setting.
type unknownKey struct {
	field   string
	section bool
}

// notice tells about the key, and what it may have been meant to be.
func (k unknownKey) notice() Notice {
	field := Masked(k.field)
	what := prose.New("%s is not a setting and is ignored", field)
	if k.section {
		what = prose.New("[%s] is not a section of the settings and is ignored", field)
	}
	if looksSecret(k.field) || field != k.field {
		return Notice{Text: prose.New("%s; secrets do not belong in this file, use the keychain or the environment", what)}
	}
	return Notice{Text: prose.New("%s; %s", what, k.suggestion())}
}

// suggestion is what the user may have meant.
func (k unknownKey) suggestion() prose.Text {
	section, name := cutLast(k.field)
	names := namesIn(section)
	near := spelling.Nearest(name, names)
	if near == "" && !k.section {
		if elsewhere := k.elsewhere(name); !elsewhere.Empty() {
			return prose.New("did you mean %s?", elsewhere)
		}
	}
	switch {
	case near != "" && k.section:
		return prose.New("did you mean [%s]?", strings.TrimPrefix(section+"."+near, "."))
	case near != "":
		return prose.New("did you mean %s?", strings.TrimPrefix(section+"."+near, "."))
	case section == "":
		return prose.New("the sections are %s", strings.Join(names[1:], ", ")) // the first is the version
	default:
		return prose.New("the settings in [%s] are %s", section, strings.Join(names, ", "))
	}
}

// elsewhere is the setting with that name in another section, "" for none.
func (unknownKey) elsewhere(name string) prose.Text {
	for _, section := range namesIn("") {
		for _, n := range namesIn(section) {
			if strings.EqualFold(n, name) {
				return prose.New("%s in the section [%s]", n, section)
			}
		}
	}
	return prose.Text{}
}

// meant is the name that a mistyped one was probably meant to be, or all that there are.
func meant(typed string, names []string) prose.Text {
	if near := spelling.Nearest(typed, names); near != "" {
		return prose.New("did you mean %s?", near)
	}
	return prose.New("choose one of %s", strings.Join(names, ", "))
}

func cutLast(field string) (section, name string) {
	i := strings.LastIndexByte(field, '.')
	return field[:max(0, i)], field[i+1:]
}

// namesIn are the settings in a section, or the sections of the document for "", in the
// order of the file; none for a section with names of the user's own.
func namesIn(section string) []string {
	t := reflect.TypeFor[Settings]()
	for name := range strings.SplitSeq(section, ".") {
		if section == "" {
			break
		}
		t, _ = memberOf(t, name)
		if t == nil || !isTable(t) {
			return nil
		}
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var names []string
	for i := range t.NumField() {
		key, _, _ := strings.Cut(t.Field(i).Tag.Get("toml"), ",")
		names = append(names, key)
	}
	return names
}

// notices tells about unknown keys.
func notices(unknown []unknownKey, lines Lines) []Notice {
	var out []Notice
	for _, k := range unknown {
		n := k.notice()
		n.Line = lines.Of(k.field)
		out = append(out, n)
	}
	return out
}

func looksSecret(field string) bool {
	field = strings.ToLower(field)
	for _, word := range []string{"token", "secret", "password", "api_key", "apikey", "local_key"} {
		if strings.Contains(field, word) {
			return true
		}
	}
	return false
}
