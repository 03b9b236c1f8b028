package settings

import (
	"bytes"
	"os"
	"reflect"
)

// Merge is theirs with what was changed from base to ours: what somebody wrote into the
// file meanwhile stays, unless the same value was changed here. Names of one's own and
// other maps are merged entry by entry.
func Merge(base, ours, theirs Settings) Settings {
	merge(reflect.ValueOf(&base).Elem(), reflect.ValueOf(&ours).Elem(), reflect.ValueOf(&theirs).Elem())
	return theirs
}

// merge changes theirs, which can be set.
func merge(base, ours, theirs reflect.Value) {
	switch {
	case theirs.Kind() == reflect.Struct:
		for i := range theirs.NumField() {
			merge(base.Field(i), ours.Field(i), theirs.Field(i))
		}
	case theirs.Kind() == reflect.Map:
		mergeMaps(base, ours, theirs)
	case !reflect.DeepEqual(base.Interface(), ours.Interface()):
		theirs.Set(ours)
	}
}

func mergeMaps(base, ours, theirs reflect.Value) {
	out := reflect.MakeMap(theirs.Type()) // the old one may be somebody else's too
	for _, key := range theirs.MapKeys() {
		out.SetMapIndex(key, theirs.MapIndex(key))
	}
	for _, key := range base.MapKeys() {
		if !ours.MapIndex(key).IsValid() {
			out.SetMapIndex(key, reflect.Value{})
		}
	}
	for _, key := range ours.MapKeys() {
		if now, was := ours.MapIndex(key), base.MapIndex(key); !was.IsValid() || !reflect.DeepEqual(was.Interface(), now.Interface()) {
			out.SetMapIndex(key, now)
		}
	}
	if out.Len() > 0 || !theirs.IsNil() {
		theirs.Set(out)
	}
}

// Edited tells whether somebody edited the file: it is not just what Save would write of
// the settings in it. Comments and the order of what is in it are then lost with a Save.
func Edited(path string) bool {
	data, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	s, _, err := current.decode(data)
	if err != nil {
		return true
	}
	own, err := encode(s)
	return err != nil || !bytes.Equal(own, data)
}
