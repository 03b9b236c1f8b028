package fakegateway

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// Answer writes what an upstream answers.
type Answer func(w http.ResponseWriter, r *http.Request)

// Raw answers with exactly these bytes.
func Raw(status int, header http.Header, body string) Answer {
	return func(w http.ResponseWriter, _ *http.Request) {
		if w.Header().Get("Content-Type") == "" {
			w.Header().Set("Content-Type", "application/json")
		}
		for name, values := range header {
			w.Header()[http.CanonicalHeaderKey(name)] = values
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body) // a proxy that hung up needs no answer
	}
}

// Stream answers with an event stream. Every text from chunks is sent as one piece, as
// soon as it comes; closing the channel ends the stream.
func Stream(chunks <-chan string) Answer {
	return func(w http.ResponseWriter, r *http.Request) {
		begin(w)
		for {
			select {
			case chunk, open := <-chunks:
				if !open {
					return
				}
				send(w, chunk)
			case <-r.Context().Done():
				return
			}
		}
	}
}

// Chunks answers with an event stream of these pieces, one after the other.
func Chunks(chunks ...string) Answer {
	return func(w http.ResponseWriter, _ *http.Request) {
		begin(w)
		for _, chunk := range chunks {
			send(w, chunk)
		}
	}
}

// Cut answers with an event stream that breaks off after these pieces.
func Cut(chunks ...string) Answer {
	return func(w http.ResponseWriter, r *http.Request) {
		Chunks(chunks...)(w, r)
		panic(http.ErrAbortHandler)
	}
}

// CutHead breaks the connection before anything is answered.
func CutHead() Answer {
	return func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
}

// Hang answers nothing until release is closed, then with next. A proxy that hangs up
// ends it too.
func Hang(release <-chan struct{}, next Answer) Answer {
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
			next(w, r)
		case <-r.Context().Done():
		}
	}
}

func begin(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	flush(w)
}

func send(w http.ResponseWriter, chunk string) {
	_, _ = io.WriteString(w, chunk) // the proxy may hang up at any time
	flush(w)
}

func flush(w http.ResponseWriter) {
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
}

// The shapes in which Cloudflare itself answers errors.

// GatewayError is an error of the gateway.
func GatewayError(status, code int, message string) Answer {
	return Raw(status, nil, gatewayFault(status, code, message).body)
}

// APIError is an error of Cloudflare's API.
func APIError(status, code int, message string) Answer {
	return Raw(status, nil, fmt.Sprintf(`{"result":null,"success":false,"errors":[{"code":%d,"message":%q}],"messages":[]}`, code, message))
}

// PolicyError is a request that a policy denies.
func PolicyError(status int, message string) Answer {
	return Raw(status, nil, fmt.Sprintf(`{"success":false,"error":{"message":%q}}`, message))
}

// EdgeError is a page of Cloudflare's edge.
func EdgeError(status int) Answer {
	return Raw(status, http.Header{"Content-Type": {"text/html; charset=UTF-8"}},
		"<!DOCTYPE html>\n<html><head><title>gateway.ai.cloudflare.com | "+strconv.Itoa(status)+": Error</title></head><body>"+http.StatusText(status)+"</body></html>\n")
}

func gatewayFault(status, code int, message string) *fault {
	return &fault{
		why:    fmt.Sprintf("gateway error %d: %s", code, message),
		status: status,
		body: fmt.Sprintf(`{"success":false,"result":[],"messages":[],"error":[{"code":%d,"message":%q}],"name":"AiGatewayError","httpCode":%d,"internalCode":%d,"message":%q,"description":%q}`,
			code, message, status, code, message, message),
	}
}

// Feed sends the texts into chunks, one after the other, until ctx ends.
func Feed(ctx context.Context, chunks chan<- string, texts ...string) error {
	for _, text := range texts {
		select {
		case chunks <- text:
		case <-ctx.Done():
			return fmt.Errorf("feeding a stream: %w", ctx.Err())
		}
	}
	return nil
}
