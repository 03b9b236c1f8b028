package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"

	"apex-ai-proxy/proxy/apierror"
)

// causes are what Cloudflare's codes mean for a test.
var causes = map[int]Cause{
	2001: NoGateway, 2003: Limited, 2005: Failing, 2008: NotGateway, 2009: TokenRefused, 2021: NoKey, 2044: NoKey,
	10000: Permission, 9106: TokenRefused,
}

// judge says what an answer to a request for a list means.
func judge(a answer) Finding {
	if a.err != nil {
		return Finding{Cause: network(a), Said: plain(a.err)}
	}
	if a.status == http.StatusOK {
		if isList(a.body) {
			return Finding{Cause: OK}
		}
		return Finding{Cause: NotGateway}
	}
	e := apierror.Decode(apierror.Answer{Status: a.status, Header: a.header, Body: a.body})
	f := Finding{LogID: a.header.Get("Cf-Aig-Log-Id")}
	if digits, ok := strings.CutPrefix(e.Code, "cf_"); ok {
		f.Code, _ = strconv.Atoi(digits)
	}
	f.Cause = causes[f.Code]
	if f.Cause == "" {
		f.Cause = byStatus(a)
	}
	f.Said = strconv.Itoa(a.status) + " " + http.StatusText(a.status)
	if f.Code != 0 {
		f.Said = e.Message.String()
		if _, said, ok := strings.Cut(f.Said, "(Cloudflare "); ok {
			f.Said = "Cloudflare " + strings.TrimSuffix(strings.SplitN(said, " [log ", 2)[0], ")")
		}
	}
	return f
}

// byStatus judges an answer without a code that is known.
func byStatus(a answer) Cause {
	ours := apierror.FromGateway(a.body)
	switch {
	case a.status == http.StatusProxyAuthRequired:
		return Proxy
	case a.status >= 300 && a.status < 400: // a gateway never sends elsewhere, networks that want a login do
		return NotGateway
	case a.status == http.StatusUnauthorized && ours:
		return TokenRefused
	case a.status == http.StatusForbidden:
		return Forbidden
	case a.status == http.StatusTooManyRequests:
		return Limited
	case a.status >= http.StatusInternalServerError:
		return Failing
	default:
		return NotGateway
	}
}

// network says why there was no answer.
func network(a answer) Cause {
	var op *net.OpError
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(a.err, &op) && op.Op == "proxyconnect":
		return Proxy
	case isTLS(a.err):
		return TLS
	case errors.As(a.err, &dns) && !dns.IsTimeout:
		return NoName
	case errors.Is(a.err, context.DeadlineExceeded), errors.As(a.err, &timeout) && timeout.Timeout():
		return Slow
	case a.via != nil: // it let nothing through
		return Proxy
	default:
		return Unreachable
	}
}

func isTLS(err error) bool {
	var verify *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &verify) || errors.As(err, &record) || errors.As(err, &alert) ||
		errors.As(err, &unknown) || errors.As(err, &host) || errors.As(err, &invalid) ||
		strings.Contains(err.Error(), "server gave HTTP response to HTTPS client")
}

// plain is the innermost reason of an error, without the request's address.
func plain(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}
