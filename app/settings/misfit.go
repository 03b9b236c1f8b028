package settings

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"apex-ai-proxy/proxy/prose"
)

// odd is what in a document is not as the settings are.
type odd struct {
	unknown []unknownKey
	misfits ValidationError // values of another kind than their setting
}

// withoutMisfits is the document without the values that are of another kind than their
// setting. A document without any comes back as it is.
func withoutMisfits(data []byte) ([]byte, odd, error) {
	var doc map[string]any
	if err := toml.Unmarshal(data, &doc); err != nil {
		return nil, odd{}, err
	}
	o := odd{}
	o.prune(doc, reflect.TypeFor[Settings](), "")
	if len(o.misfits.Problems) == 0 {
		return data, o, nil
	}
	data, err := toml.Marshal(doc)
	return data, o, err
}

// prune notes what in a table is no member of t, and takes out the values that do not fit
// theirs.
func (o *odd) prune(table map[string]any, t reflect.Type, section string) {
	for _, name := range slices.Sorted(maps.Keys(table)) {
		member, known := memberOf(t, name)
		field := join(section, name)
		sub, isSection := table[name].(map[string]any)
		switch {
		case !known:
			o.unknown = append(o.unknown, unknownKey{field, isSection || isSections(table[name])})
		case isSection && isTable(member):
			o.prune(sub, member, field)
		default:
			if text := misfit(table[name], member, field); !text.Empty() {
				o.misfits.check(field, text)
				delete(table, name)
			}
		}
	}
}

// memberOf is the type of the setting called name, which the decoder finds in any case.
func memberOf(t reflect.Type, name string) (reflect.Type, bool) {
	if t.Kind() == reflect.Map {
		return t.Elem(), true
	}
	for i := range t.NumField() {
		key, _, _ := strings.Cut(t.Field(i).Tag.Get("toml"), ",")
		if strings.EqualFold(key, name) {
			return t.Field(i).Type, true
		}
	}
	return nil, false
}

func isTable(t reflect.Type) bool { return t.Kind() == reflect.Struct || t.Kind() == reflect.Map }

// misfit is what is wrong with a value for a setting of type t, "" when it fits.
func misfit(value any, t reflect.Type, field string) prose.Text {
	if t == reflect.TypeFor[Duration]() {
		return misfitDuration(value)
	}
	switch t.Kind() {
	case reflect.String:
		if _, ok := value.(string); !ok {
			return prose.New(`write it in quotes, as in "text"`)
		}
	case reflect.Bool:
		if _, ok := value.(bool); !ok {
			return prose.New("write true or false, without quotes")
		}
	case reflect.Int:
		if _, ok := value.(int64); !ok {
			return prose.New("write a whole number, without quotes")
		}
	case reflect.Slice:
		if list, ok := value.([]any); !ok || slices.ContainsFunc(list, notString) {
			return prose.New(`write a list, as in ["first", "second"]`)
		}
	case reflect.Struct, reflect.Map:
		return prose.New("this is a section; write [%s] on a line of its own and its settings below", field)
	default:
	}
	return prose.Text{}
}

// misfitDuration refuses bare numbers, which would be nanoseconds.
func misfitDuration(value any) prose.Text {
	switch v := value.(type) {
	case string:
		if err := new(Duration).UnmarshalText([]byte(v)); err != nil {
			return prose.Of(err)
		}
		return prose.Text{}
	case int64, float64, bool:
		return prose.New("%v is not a time; %s", v, durationForm())
	}
	return prose.New("this is not a time; %s", durationForm())
}

// isSections tells whether the value was written as [[name]].
func isSections(v any) bool {
	list, _ := v.([]any)
	if len(list) == 0 {
		return false
	}
	_, ok := list[0].(map[string]any)
	return ok
}

func notString(v any) bool {
	_, ok := v.(string)
	return !ok
}
