package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	_ "apex-ai-proxy/proxy/spent/spoil" // memory that was given back
)

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		if err := serve(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// TestLoad is a short soak: every kind of request there is, many at a time.
func TestLoad(t *testing.T) {
	var report bytes.Buffer
	err := run(t.Context(), options{length: 10 * time.Minute, requests: 600, clients: 16, every: time.Hour, out: &report})
	if err != nil {
		t.Errorf("%v\n%s", err, report.String())
	}
	for _, k := range kinds {
		if !bytes.Contains(report.Bytes(), []byte(k.kind)) {
			t.Errorf("no request was %s:\n%s", k.kind, report.String())
		}
	}
}
