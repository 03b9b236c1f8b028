package proxy

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/prose"
)

// maxCodings bounds how often a body may be wrapped.
const maxCodings = 2

// readBody reads the body of r from src, decoded, up to the limit. The bytes are those of the
// lease.
func readBody(r *http.Request, src io.Reader, limit int64) ([]byte, *lease, error) {
	if limit <= 0 {
		limit = DefaultMaxBody
	}
	if r.ContentLength > limit {
		return nil, nil, tooLarge(limit)
	}
	body, err := readUpTo(src, limit, r.ContentLength)
	if err != nil {
		var big *ir.Error
		if errors.As(err, &big) {
			return nil, nil, big
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, nil, &ir.Error{Kind: ir.RequestTimeout, Code: slowBody, Message: prose.New("the request body did not arrive in time")}
		}
		return nil, nil, ir.Invalid("", "the request body was cut off")
	}
	codings := splitCodings(r.Header["Content-Encoding"])
	if len(codings) > maxCodings {
		body.release()
		return nil, nil, unsupportedCoding(strings.Join(codings, ", "))
	}
	for i := len(codings) - 1; i >= 0; i-- {
		plain, err := decode(codings[i], body.buf, limit)
		body.release()
		if err != nil {
			return nil, nil, err
		}
		body = plain
	}
	if plain, ok := bytes.CutPrefix(body.buf, bom); ok {
		body.gaps.Reset() // they would stand elsewhere
		return plain, body, nil
	}
	return body.buf, body, nil
}

var bom = []byte("\xEF\xBB\xBF")

// slowBody is the code of the error for a body that stopped arriving.
const slowBody = "request_timeout"

// patient reads a body as long as it keeps coming. It is watched for silence, and its connection
// has a deadline only once there was too much: to set one and to take it back would cost more
// than to read a body that is there. The watch is set anew once an eighth of the silence is over,
// not with every read: most bodies are here by then.
type patient struct {
	io.Reader
	watch   *watch
	rc      *http.ResponseController
	silence time.Duration
	set     time.Time // when the watch was set
	late    bool      // the connection has a deadline; to be looked at when the watch rests
}

func (p *patient) Read(b []byte) (int, error) {
	if now := time.Now(); now.Sub(p.set) > p.silence/8 {
		p.set = now
		p.watch.await(p.silence, p.giveUp)
	}
	return p.Reader.Read(b)
}

// giveUp ends the read that goes on, and those that follow.
func (p *patient) giveUp() {
	p.late = true
	_ = p.rc.SetReadDeadline(time.Now()) // where there is no connection there is no silence
}

// end must be called once the body has been read, or not all of it.
func (p *patient) end(err error) {
	p.watch.rest()
	switch {
	case err != nil && !p.late: // for what the server reads of the rest
		_ = p.rc.SetReadDeadline(time.Now().Add(p.silence))
	case err == nil && p.late:
		_ = p.rc.SetReadDeadline(time.Time{})
	}
}

func splitCodings(values []string) []string {
	var out []string
	for _, v := range values {
		for _, c := range strings.Split(v, ",") {
			if c = strings.ToLower(strings.TrimSpace(c)); c != "" && c != "identity" {
				out = append(out, c)
			}
		}
	}
	return out
}

// decode undoes one content coding of a whole body.
func decode(coding string, body []byte, limit int64) (*lease, error) {
	r, err := decoder(coding, bytes.NewReader(body), limit)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	out, err := readUpTo(r, limit, int64(len(body))*4)
	var big *ir.Error
	switch {
	case errors.As(err, &big):
		return nil, big
	case errors.Is(err, zstd.ErrDecoderSizeExceeded), errors.Is(err, zstd.ErrWindowSizeExceeded):
		return nil, tooLarge(limit)
	case err != nil:
		return nil, ir.Invalid("", "the request body is not valid %s", coding)
	}
	return out, nil
}

// decoder undoes one content coding.
func decoder(coding string, r io.Reader, limit int64) (io.ReadCloser, error) {
	bad := func(error) error { return ir.Invalid("", "the request body is not valid %s", coding) }
	switch coding {
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, bad(err)
		}
		return z, nil
	case "deflate":
		return inflate(r)
	case "zstd":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(uint64(limit)+1), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, bad(err)
		}
		return z.IOReadCloser(), nil
	default:
		return nil, unsupportedCoding(coding)
	}
}

// inflate reads deflate as the standard defines it, in zlib's wrapping, and as some
// senders understand it, without.
func inflate(r io.Reader) (io.ReadCloser, error) {
	var head [2]byte
	n, err := io.ReadFull(r, head[:])
	whole := io.MultiReader(bytes.NewReader(head[:n]), r)
	if err == nil && head[0]&0x0f == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
		return zlib.NewReader(whole)
	}
	return flate.NewReader(whole), nil
}

func tooLarge(limit int64) *ir.Error {
	return &ir.Error{Kind: ir.TooLarge, Code: "request_too_large", Message: prose.New(
		"the request body is larger than %s", size(limit))}
}

func size(n int64) string {
	if n >= 1<<20 && n%(1<<20) == 0 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d bytes", n)
}

func unsupportedCoding(coding string) *ir.Error {
	return &ir.Error{Kind: ir.UnsupportedMedia, Code: "unsupported_encoding", Message: prose.New(
		"the content encoding %q is not supported: use gzip, deflate, zstd or none", printable(coding))}
}
