package ir

import (
	"bytes"
	"encoding/base64"
	"net/url"
	"strings"

	"apex-ai-proxy/proxy/rawjson"
)

// SniffImage tells the media type of an image from the start of its base64 text, "" when
// it is none of those the vendors take.
func SniffImage(data rawjson.Escaped) string {
	for _, s := range [...]struct{ prefix, kind string }{
		{"iVBORw0KGgo", "image/png"},
		{"/9j/", "image/jpeg"},
		{`\/9j\/`, "image/jpeg"},
		{"R0lGOD", "image/gif"},
		{"UklGR", "image/webp"},
	} {
		if bytes.HasPrefix(data, []byte(s.prefix)) {
			return s.kind
		}
	}
	return ""
}

// IsPDF tells whether base64 text is a PDF document.
func IsPDF(data rawjson.Escaped) bool { return bytes.HasPrefix(data, []byte("JVBERi")) }

// DataURL splits a data: URL into media type and base64 text. Parameters are accepted,
// percent-encoded data is turned into base64. ok is false for any other URL.
func DataURL(u rawjson.Escaped) (media string, data rawjson.Escaped, ok bool) {
	if len(u) < 5 || !strings.EqualFold(string(u[:5]), "data:") {
		return "", nil, false
	}
	comma := bytes.IndexByte(u, ',')
	if comma < 0 {
		return "", nil, false
	}
	head := u[5:comma].String()
	data = u[comma+1:]
	params := strings.Split(head, ";")
	media = strings.ToLower(strings.TrimSpace(params[0]))
	if strings.EqualFold(strings.TrimSpace(params[len(params)-1]), "base64") {
		return media, data, true
	}
	plain, err := url.PathUnescape(data.String())
	if err != nil {
		return "", nil, false
	}
	return media, rawjson.Escaped(base64.StdEncoding.EncodeToString([]byte(plain))), true
}

// AppendDataURL appends base64 data as a data: URL, without quotes.
func AppendDataURL(dst []byte, media string, data rawjson.Escaped) []byte {
	if bytes.HasPrefix(data, []byte("data:")) {
		return append(dst, data...)
	}
	dst = append(dst, "data:"...)
	dst = rawjson.AppendEscape(dst, media)
	dst = append(dst, ";base64,"...)
	return append(dst, data...)
}
