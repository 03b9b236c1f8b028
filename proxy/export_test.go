package proxy

import (
	"context"
	"time"
)

// WithoutWaiting lets tries follow each other at once. told is called with how long each
// wait would have been.
func (s *Server) WithoutWaiting(told func(time.Duration)) {
	s.wait = func(ctx context.Context, d time.Duration) bool {
		told(d)
		return ctx.Err() == nil
	}
}
