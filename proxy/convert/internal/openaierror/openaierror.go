// Package openaierror writes the error envelope that all of OpenAI's APIs share.
package openaierror

import (
	"strings"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// wireError is how an error looks in this protocol. SDKs decide by the status whether to
// try again, so a lasting failure is never a 5xx.
type wireError struct {
	status     int
	kind, code string
}

var wireErrors = map[ir.ErrorKind]wireError{
	ir.Internal:           {500, "server_error", ""},
	ir.InvalidRequest:     {400, "invalid_request_error", ""},
	ir.Unsupported:        {400, "invalid_request_error", "unsupported_value"},
	ir.ContextTooLong:     {400, "invalid_request_error", "context_length_exceeded"},
	ir.ContentPolicy:      {400, "invalid_request_error", "content_policy_violation"},
	ir.Unauthenticated:    {401, "invalid_request_error", "invalid_api_key"},
	ir.UpstreamCredential: {502, "server_error", "upstream_error"},
	ir.Billing:            {429, "insufficient_quota", "insufficient_quota"},
	ir.Forbidden:          {403, "permission_error", ""},
	ir.ModelNotFound:      {404, "invalid_request_error", "model_not_found"},
	ir.PathNotFound:       {404, "invalid_request_error", "unknown_url"},
	ir.MethodNotAllowed:   {405, "invalid_request_error", ""},
	ir.RequestTimeout:     {408, "timeout", ""},
	ir.Conflict:           {409, "invalid_request_error", ""},
	ir.TooLarge:           {413, "invalid_request_error", "request_too_large"},
	ir.UnsupportedMedia:   {415, "invalid_request_error", ""},
	ir.Unprocessable:      {422, "invalid_request_error", ""},
	ir.RateLimited:        {429, "rate_limit_error", "rate_limit_exceeded"},
	ir.QuotaExceeded:      {429, "insufficient_quota", "insufficient_quota"},
	ir.NotImplemented:     {501, "server_error", ""},
	ir.BadGateway:         {502, "server_error", "upstream_error"},
	ir.Unavailable:        {503, "server_error", ""},
	ir.Overloaded:         {503, "server_error", "overloaded"},
	ir.GatewayTimeout:     {504, "timeout", ""},
	ir.OtherClient:        {400, "invalid_request_error", ""},
	ir.OtherServer:        {500, "server_error", ""},
}

// Encode returns an error body and its status.
func Encode(e *ir.Error) (status int, body []byte) {
	w := rawjson.Writer{Buf: make([]byte, 0, 256)}
	status = Append(&w, e)
	return status, w.Buf
}

// Append writes {"error":{…}} with all four members, which typed clients require.
func Append(w *rawjson.Writer, e *ir.Error) (status int) {
	wire := wireErrors[e.Kind]
	status = wire.status
	if (e.Kind == ir.OtherClient || e.Kind == ir.OtherServer) && e.Status >= 400 && e.Status < 600 {
		status = e.Status
	}
	code := wire.code
	// Cloudflare's codes, and those of the proxy's own errors, say more.
	if code == "" || strings.HasPrefix(e.Code, "cf_") || e.Status == 0 && e.Code != "" {
		code = e.Code
	}
	w.Open('{')
	w.OpenKey("error", '{')
	w.Str("message", e.Message.String())
	w.Str("type", wire.kind)
	if e.Param != "" {
		w.Str("param", e.Param)
	} else {
		w.Null("param")
	}
	if code != "" {
		w.Str("code", code)
	} else {
		w.Null("code")
	}
	w.Close('}')
	w.Close('}')
	return status
}
