package apierror

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"apex-ai-proxy/proxy/rawjson"
)

// found is what could be read out of a body.
type found struct {
	message, typ, code, param string

	details  rawjson.Value
	codes    []int  // Cloudflare's numbers
	bucket   string // of a spending limit
	httpCode int

	gateway bool // Cloudflare itself refused
	failed  bool // the body says that something failed
	answer  bool // the body holds an answer nevertheless
	html    bool
}

// read extracts what a body says, in the order in which the known shapes are told apart.
func read(body []byte) found {
	var f found
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xEF\xBB\xBF")))
	r := rawjson.NewReader(body)
	v := r.Value()
	if r.Err() != nil || len(body) == 0 {
		f.html = len(body) > 0 && body[0] == '<'
		return f
	}
	if v.Kind() == rawjson.Array {
		first := firstOf(v)
		if first == nil {
			return f
		}
		v = first
	}
	switch v.Kind() {
	case rawjson.String:
		f.message = clip(v.Str())
	case rawjson.Object:
		f.object(v)
	default:
	}
	return f
}

func firstOf(v rawjson.Value) (first rawjson.Value) {
	r := rawjson.NewReader(v)
	r.Array(func(i int) {
		if e := r.Value(); i == 0 {
			first = e
		}
	})
	return first
}

// object reads an error that is a JSON object.
func (f *found) object(v rawjson.Value) {
	m := members(v)
	f.answer = m["choices"].Present() || m["content"].Present() || m["output"].Present()
	f.httpCode = number(m["httpCode"])
	success := m["success"]
	if m["name"].Text().Is("AiGatewayError") || success.Kind() == rawjson.Bool && !success.True() {
		f.gateway, f.failed = true, true
	}
	if m["state"].Text().Is("Failed") {
		f.gateway, f.failed = true, true
	}
	if m["type"].Text().Is("error") {
		f.failed = true
	}
	switch e := m["error"]; e.Kind() {
	case rawjson.Object:
		f.failed = true
		f.errorObject(e)
	case rawjson.String:
		f.failed = f.failed || e.Str() != ""
		f.message = clip(e.Str())
	case rawjson.Array:
		f.failed = true
		f.list(e)
	default:
	}
	if e := m["errors"]; e.Kind() == rawjson.Array && !e.Empty() {
		f.failed = true
		f.list(e)
	}
	if n := number(m["internalCode"]); n != 0 {
		f.codes = append([]int{n}, f.codes...)
	}
	f.flat(m)
	if f.gateway && len(f.codes) > 0 {
		f.code = "cf_" + strconv.Itoa(f.codes[0])
	}
}

// errorObject reads the object under "error".
func (f *found) errorObject(v rawjson.Value) {
	m := members(v)
	f.message = clip(m["message"].Str())
	f.typ = m["type"].Str()
	f.code = scalar(m["code"])
	f.param = m["param"].Str()
	f.details = m["details"]
	if f.details.Kind() != rawjson.Object {
		f.details = nil
	}
	if f.typ == "" && m["status"].Kind() == rawjson.String {
		f.typ = m["status"].Str() // Google
	}
	if b := m["bucket"]; b.Present() || m["limit"].Present() && m["spent"].Present() {
		f.bucket = "spending"
	}
	if f.gateway {
		if n, err := strconv.Atoi(f.code); err == nil {
			f.codes = append(f.codes, n)
		}
	}
	if inner := m["innererror"]; inner.Kind() == rawjson.Object && f.code == "" {
		f.code = inner.Get("code").Str()
	}
	if raw := m["metadata"].Get("raw"); raw.Present() {
		f.nested(raw)
	}
}

// nested unwraps, once, the provider's own error inside an aggregator's.
func (f *found) nested(raw rawjson.Value) {
	text := []byte(raw)
	if raw.Kind() == rawjson.String {
		text = []byte(raw.Str())
	}
	r := rawjson.NewReader(text)
	v := r.Value()
	if r.Err() != nil || v.Kind() != rawjson.Object {
		return
	}
	inner := v
	if e := v.Get("error"); e.Kind() == rawjson.Object {
		inner = e
	}
	if msg := inner.Get("message").Str(); msg != "" {
		f.message = clip(msg)
	}
	if f.typ == "" {
		f.typ = inner.Get("type").Str()
	}
	if code := scalar(inner.Get("code")); code != "" {
		f.code = code
	}
}

// list reads Cloudflare's lists of errors.
func (f *found) list(v rawjson.Value) {
	var messages []string
	r := rawjson.NewReader(v)
	r.Array(func(int) {
		e := r.Value()
		if e.Kind() == rawjson.String {
			messages = append(messages, e.Str())
			return
		}
		if msg := e.Get("message").Str(); msg != "" {
			messages = append(messages, msg)
		}
		if n := number(e.Get("code")); n != 0 {
			f.codes = append(f.codes, n)
			f.code = strconv.Itoa(n)
		}
	})
	if f.message == "" {
		f.message = clip(strings.Join(messages, "; "))
	}
}

// flat reads errors without an "error" member.
func (f *found) flat(m map[string]rawjson.Value) {
	if n := number(m["base_resp"].Get("status_code")); n != 0 {
		f.failed = true
		f.code = strconv.Itoa(n)
		f.message = clip(m["base_resp"].Get("status_msg").Str())
	}
	for _, key := range [...]string{"message", "detail", "msg", "error_msg", "description"} {
		if f.message != "" {
			return
		}
		switch v := m[key]; v.Kind() {
		case rawjson.String:
			f.message = clip(v.Str())
		case rawjson.Array:
			f.validation(v)
		case rawjson.Object:
			if d := v.Get("detail"); d.Kind() == rawjson.Array {
				f.validation(d)
			} else {
				f.message = clip(v.Get("message").Str())
			}
		default:
		}
	}
	if f.code == "" {
		f.code = scalar(m["code"])
	}
	if f.typ == "" && !m["type"].Text().Is("error") {
		f.typ = m["type"].Str()
	}
}

// validation reads FastAPI's list of what is wrong where.
func (f *found) validation(v rawjson.Value) {
	var parts []string
	r := rawjson.NewReader(v)
	r.Array(func(i int) {
		e := r.Value()
		at := path(e.Get("loc"))
		if i == 0 {
			f.param = at
		}
		if msg := e.Get("msg").Str(); msg != "" && at != "" {
			parts = append(parts, at+": "+msg)
		} else if msg != "" {
			parts = append(parts, msg)
		}
	})
	f.message = clip(strings.Join(parts, "; "))
}

func path(loc rawjson.Value) string {
	var parts []string
	if loc.Kind() != rawjson.Array {
		return ""
	}
	r := rawjson.NewReader(loc)
	r.Array(func(i int) {
		v := r.Value()
		if s := scalar(v); s != "" && (i > 0 || s != "body") {
			parts = append(parts, s)
		}
	})
	return strings.Join(parts, ".")
}

func members(v rawjson.Value) map[string]rawjson.Value {
	m := make(map[string]rawjson.Value, 8)
	r := rawjson.NewReader(v)
	r.Object(func(key []byte) {
		k := string(key)
		m[k] = r.Value()
	})
	return m
}

func scalar(v rawjson.Value) string {
	switch v.Kind() {
	case rawjson.String:
		return v.Str()
	case rawjson.Number:
		return string(v)
	default:
		return ""
	}
}

func number(v rawjson.Value) int {
	if n, err := strconv.Atoi(scalar(v)); err == nil {
		return n
	}
	return 0
}

// MayFail is a quick test that every body with an error passes.
func MayFail(body []byte) bool {
	for {
		i := bytes.IndexByte(body, '"') + 1
		if i == 0 || i == len(body) {
			return false
		}
		body = body[i:]
		switch body[0] {
		case 'e':
			if bytes.HasPrefix(body, []byte(`error`)) {
				return true
			}
		case 's':
			if bytes.HasPrefix(body, []byte(`success"`)) || bytes.HasPrefix(body, []byte(`state"`)) {
				return true
			}
		case 'b':
			if bytes.HasPrefix(body, []byte(`base_resp"`)) {
				return true
			}
		}
	}
}

var (
	title  = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)
	hide   = regexp.MustCompile(`(?is)<(script|style)[^>]*>.*?</(script|style)>`)
	tags   = regexp.MustCompile(`(?s)<[^>]*>`)
	spaces = regexp.MustCompile(`\s+`)
)

const excerptLen = 200

// excerpt is the start of a body that is not JSON, without markup.
func excerpt(body []byte) string {
	text := strings.ToValidUTF8(string(body), "\uFFFD")
	if strings.Contains(text, "<") {
		if m := title.FindStringSubmatch(text); m != nil {
			text = m[1]
		} else {
			text = tags.ReplaceAllString(hide.ReplaceAllString(text, " "), " ")
		}
	}
	text = strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\n' && r != '\t' && r != '\r' {
			return '\uFFFD'
		}
		return r
	}, text)
	return cut(strings.TrimSpace(spaces.ReplaceAllString(text, " ")), excerptLen)
}

// binary tells whether an excerpt is of no text: more than one of eight characters is none.
func binary(excerpt string) bool {
	return 8*strings.Count(excerpt, "\uFFFD") > utf8.RuneCountInString(excerpt)
}

const messageLen = 4000

// clip bounds a message.
func clip(s string) string { return cut(strings.TrimSpace(s), messageLen) }

func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	runes := []rune(s)
	return string(runes[:n]) + "…"
}
