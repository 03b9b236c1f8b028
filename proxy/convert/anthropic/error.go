package anthropic

import (
	"strconv"
	"strings"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// callID is a tool call's id in the form the protocol allows. A call without an id gets
// one made from the answer's.
func callID(id string, rep ir.Reply, n int) string {
	if id == "" {
		return "toolu_" + rep.ID + strconv.Itoa(n)
	}
	return ir.WrapID(id)
}

// wireError is how an error looks in this protocol. Clients parse the type as one of a
// fixed list, so no other is ever sent.
type wireError struct {
	status int
	kind   string
}

var wireErrors = map[ir.ErrorKind]wireError{
	ir.Internal:           {500, "api_error"},
	ir.InvalidRequest:     {400, "invalid_request_error"},
	ir.Unsupported:        {400, "invalid_request_error"},
	ir.ContextTooLong:     {400, "invalid_request_error"},
	ir.ContentPolicy:      {400, "invalid_request_error"},
	ir.Unauthenticated:    {401, "authentication_error"},
	ir.UpstreamCredential: {502, "api_error"},
	ir.Billing:            {402, "billing_error"},
	ir.Forbidden:          {403, "permission_error"},
	ir.ModelNotFound:      {404, "not_found_error"},
	ir.PathNotFound:       {404, "not_found_error"},
	ir.MethodNotAllowed:   {405, "invalid_request_error"},
	ir.RequestTimeout:     {408, "timeout_error"},
	ir.Conflict:           {409, "invalid_request_error"},
	ir.TooLarge:           {413, "request_too_large"},
	ir.UnsupportedMedia:   {415, "invalid_request_error"},
	ir.Unprocessable:      {400, "invalid_request_error"},
	ir.RateLimited:        {429, "rate_limit_error"},
	ir.QuotaExceeded:      {402, "billing_error"},
	ir.NotImplemented:     {501, "api_error"},
	ir.BadGateway:         {502, "api_error"},
	ir.Unavailable:        {503, "api_error"},
	ir.Overloaded:         {529, "overloaded_error"},
	ir.GatewayTimeout:     {504, "timeout_error"},
	ir.OtherClient:        {400, "invalid_request_error"},
	ir.OtherServer:        {500, "api_error"},
}

// EncodeError writes an error body and tells its status.
func (Codec) EncodeError(e *ir.Error, requestID string) (status int, body []byte) {
	w := rawjson.Writer{Buf: make([]byte, 0, 256)}
	status = appendError(&w, e, requestID)
	return status, w.Buf
}

const tooLong = "prompt is too long"

func appendError(w *rawjson.Writer, e *ir.Error, requestID string) (status int) {
	wire := wireErrors[e.Kind]
	status = wire.status
	if (e.Kind == ir.OtherClient || e.Kind == ir.OtherServer) && e.Status >= 400 && e.Status < 600 {
		status = e.Status
	}
	message := e.Message.String()
	if e.Param != "" {
		message = e.Error()
	}
	// Claude Code looks for these words to compact the conversation.
	if e.Kind == ir.ContextTooLong && !strings.HasPrefix(message, tooLong) {
		message = tooLong + ": " + message
	}
	w.Open('{')
	w.Str("type", "error")
	w.OpenKey("error", '{')
	w.Str("type", wire.kind)
	w.Str("message", message)
	w.RawIf("details", e.Details)
	w.Close('}')
	if requestID != "" {
		w.Str("request_id", requestID)
	}
	w.Close('}')
	return status
}
