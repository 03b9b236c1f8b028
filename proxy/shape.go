package proxy

import (
	"bytes"
	"mime"
	"net/http"
	"strings"
)

// shape is what the body of an answer is, by its media type.
type shape uint8

const (
	shapeUnknown shape = iota
	shapeJSON
	shapeStream
)

func shapeOf(h http.Header) shape {
	media := first(h, "Content-Type")
	if strings.IndexByte(media, ';') >= 0 || media != strings.ToLower(media) {
		media, _, _ = mime.ParseMediaType(media)
	}
	switch {
	case media == "text/event-stream":
		return shapeStream
	case media == "application/json" || strings.HasSuffix(media, "+json"):
		return shapeJSON
	default:
		return shapeUnknown
	}
}

// sniff tells the shape of a body by how it starts.
func sniff(b []byte) shape {
	b = bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\xEF\xBB\xBF")), " \t\r\n")
	switch {
	case len(b) == 0:
		return shapeUnknown
	case b[0] == '{' || b[0] == '[':
		return shapeJSON
	case b[0] == ':' || bytes.HasPrefix(b, []byte("data:")) || bytes.HasPrefix(b, []byte("event:")) ||
		bytes.HasPrefix(b, []byte("id:")) || bytes.HasPrefix(b, []byte("retry:")):
		return shapeStream
	default:
		return shapeUnknown
	}
}

// isEvents tells whether a body that is called a stream may be one, as far as its first bytes
// tell.
func isEvents(b []byte) bool {
	b = bytes.TrimLeft(bytes.TrimPrefix(b, bom), " \t\r\n")
	for _, start := range [...]string{":", "data", "event", "id", "retry"} {
		if n := min(len(b), len(start)); string(b[:n]) == start[:n] {
			return true
		}
	}
	return false
}
