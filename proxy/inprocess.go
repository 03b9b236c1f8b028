package proxy

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// inProcess answers requests by calling a handler, streaming as a network would: what
// the handler writes can be read at once, and the handler's context ends with the request's.
type inProcess struct{ handler http.Handler }

// RoundTrip calls the handler and returns as soon as it has sent its headers.
func (t inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	in := req.Clone(req.Context())
	in.RequestURI = req.URL.RequestURI()
	in.Host = req.URL.Host
	in.RemoteAddr = "in-process"
	if in.Body == nil {
		in.Body = http.NoBody
	}
	r, w := io.Pipe()
	p := &pipeWriter{header: make(http.Header), ready: make(chan struct{}), pipe: w}
	go func() {
		defer func() {
			if crash := recover(); crash != nil {
				p.WriteHeader(http.StatusInternalServerError)
				_ = w.CloseWithError(fmt.Errorf("the demo failed: %v", crash))
				return
			}
			p.WriteHeader(http.StatusOK)
			_ = w.Close()
		}()
		t.handler.ServeHTTP(p, in)
	}()
	select {
	case <-p.ready:
	case <-req.Context().Done():
	}
	if err := req.Context().Err(); err != nil { // an answer may have come at the same time
		_ = r.CloseWithError(err) // what the handler still writes fails
		return nil, err
	}
	return &http.Response{
		Status: http.StatusText(p.status), StatusCode: p.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: p.sent, Body: &pipeBody{PipeReader: r, stop: cancelRead(req, r)}, ContentLength: -1, Request: req,
	}, nil
}

// cancelRead breaks the pipe when the request is cancelled.
func cancelRead(req *http.Request, r *io.PipeReader) (stop func()) {
	done := make(chan struct{})
	go func() {
		select {
		case <-req.Context().Done():
			_ = r.CloseWithError(req.Context().Err())
		case <-done:
		}
	}()
	var once sync.Once
	return func() { once.Do(func() { close(done) }) }
}

type pipeBody struct {
	*io.PipeReader
	stop func()
}

func (b *pipeBody) Close() error {
	b.stop()
	return b.PipeReader.Close()
}

// pipeWriter is the ResponseWriter of a handler that is called in process.
type pipeWriter struct {
	header http.Header
	sent   http.Header // a copy from when the status was sent
	status int
	once   sync.Once
	ready  chan struct{}
	pipe   *io.PipeWriter
}

func (p *pipeWriter) Header() http.Header { return p.header }

func (p *pipeWriter) WriteHeader(status int) {
	p.once.Do(func() {
		p.status, p.sent = status, p.header.Clone()
		close(p.ready)
	})
}

func (p *pipeWriter) Write(b []byte) (int, error) {
	p.WriteHeader(http.StatusOK)
	n, err := p.pipe.Write(b)
	if errors.Is(err, io.ErrClosedPipe) {
		err = http.ErrHandlerTimeout // as a server says when the client is gone
	}
	return n, err
}

// FlushError does nothing: every byte is handed over at once.
func (p *pipeWriter) FlushError() error { return nil }

// Flush does nothing: every byte is handed over at once.
func (p *pipeWriter) Flush() {}
