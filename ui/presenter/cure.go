package presenter

import (
	"net/http"
	"strings"

	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/ui/words"
)

// remedy is what the user can do about an error. The zero remedy is none.
type remedy uint8

const (
	noRemedy remedy = iota
	fillIn
	copyKey
	checkCredentials
	addCredit
	checkModel
	listDemo
	waitOrRaise
	shorten
	replaceToken
	checkGateway
	storeKey
	tryLater
	giveTime
	changePrompt
	otherProvider
	correctRequest
	sendLess
	askOwner
	checkBaseURL
	useLoopback
	allowPage
	leaveLoop
	sendAgain
	checkNetwork
)

func (r remedy) text() string {
	switch r {
	case fillIn:
		return words.T("Fill in account, gateway and token in Settings.")
	case copyKey:
		return words.T("Copy the local key into the client again.")
	case checkCredentials:
		return words.T("Check the gateway token in Settings, and the provider's key at Cloudflare.")
	case addCredit:
		return words.T("Add credit with the provider or at Cloudflare.")
	case checkModel:
		return words.T("Check the model's name: model#provider.")
	case listDemo:
		return words.F("The demo has these models: {{.Models}}.", words.V{"Models": strings.Join(demoModels, "#demo, ") + "#demo"})
	case waitOrRaise:
		return words.T("Wait, or raise the limit with the provider or in the gateway.")
	case shorten:
		return words.T("Shorten the conversation, or use a model with a longer context.")
	case replaceToken:
		return words.T("The gateway refused the token. Replace it in Settings.")
	case checkGateway:
		return words.T("The account has no such gateway. Check both in Settings.")
	case storeKey:
		return words.T("Cloudflare holds no key of this provider. Store one there under Provider Keys, or your own in Settings.")
	case tryLater:
		return words.T("The provider cannot be reached or is failing. Try again later.")
	case giveTime:
		return words.T("The provider took too long. Try again, or allow more time in Settings.")
	case changePrompt:
		return words.T("A content rule blocked this. Change the prompt, or the rule at Cloudflare.")
	case otherProvider:
		return words.T("This cannot be converted. Use a provider that supports the client's protocol.")
	case correctRequest:
		return words.T("The provider does not take the request as it is. The message names what is wrong.")
	case sendLess:
		return words.T("The request is too large. Shorten it, or send fewer and smaller files.")
	case askOwner:
		return words.T("A rule forbids this. Ask whoever runs the gateway, or check its policies.")
	case checkBaseURL:
		return words.T("The proxy has no such address. Check the base URL in the client.")
	case useLoopback:
		return words.T("The client called the proxy by a name that is not its own. Use 127.0.0.1.")
	case allowPage:
		return words.T("This web page may not call the proxy. Allow it in Settings under Web pages.")
	case leaveLoop:
		return words.T("The gateway URL leads back to this proxy. Correct it in Settings.")
	case sendAgain:
		return words.T("The answer broke off. Send the request again.")
	case checkNetwork:
		return words.T("Check the network, DNS and VPN. Test connection in Settings tells more.")
	case noRemedy:
	}
	return ""
}

// demoModels are the models of the demo that do something of their own. Each kind of error
// is one too, beside them.
var demoModels = []string{"echo", "slow", "tools", "long", "reasoning", "error"}

// remedies are those of errors that do not tell themselves what to do, by their code.
var remedies = map[string]remedy{
	"not_configured": fillIn, "unauthenticated": copyKey, "upstream_credential": checkCredentials,
	"billing": addCredit, "quota_exceeded": addCredit, "model_not_found": checkModel, "rate_limited": waitOrRaise,
	"context_too_long": shorten,
}

// silent are the sentences of the proxy that tell what happened and not what to do. With
// noRemedy, the code or the status of the error tells more.
var silent = map[prose.Format]remedy{
	"%s could not be reached: %s":                                checkNetwork,
	"%s did not answer within %s":                                giveTime,
	"%s sent nothing for %s in the middle of its answer":         giveTime,
	"the client took nothing of the answer for %s":               giveTime,
	"%s broke off in the middle of its answer":                   sendAgain,
	"%s ended its stream early":                                  sendAgain,
	"%s reported an error in its stream":                         tryLater,
	"the provider returned %d%s: %s":                             noRemedy,
	"the provider returned %d%s without a body":                  noRemedy,
	"the provider returned %d%s with a body that cannot be read": noRemedy,
	"Cloudflare AI Gateway: %s":                                  noRemedy,
}

// noDefaultModel is what the proxy says of the model that the window and the tray choose.
const noDefaultModel prose.Format = "no default model is chosen yet: choose one on the Models page or in the tray, or add the alias default to the settings file"

// untold are the remedies of all other errors. The proxy's own sentence about such an error
// tells what to do, unless it is silent.
var untold = map[string]remedy{
	"cf_2001": checkGateway, "cf_2003": waitOrRaise, "cf_2005": tryLater, "cf_2008": checkModel, "cf_2009": replaceToken,
	"cf_2016": changePrompt, "cf_2017": changePrompt, "cf_2021": addCredit, "cf_2029": changePrompt, "cf_2030": changePrompt,
	"cf_2044": storeKey, "cf_3007": giveTime, "cf_3008": giveTime, "cf_3036": addCredit, "cf_3040": tryLater, "cf_3042": checkModel,
	"cf_5004": correctRequest, "cf_5007": checkModel, "cf_5021": shorten, "cf_7003": checkModel, "cf_7013": tryLater,
	"cf_8001": correctRequest, "cf_9106": replaceToken, "cf_10000": replaceToken,

	"invalid_api_key": copyKey, "origin_not_allowed": allowPage, "host_not_allowed": useLoopback, "unknown_url": checkBaseURL,
	"path_not_found": checkBaseURL, "proxy_loop": leaveLoop, "proxy_stopping": sendAgain,

	"upstream_error": tryLater, "bad_gateway": tryLater, "unavailable": tryLater, "overloaded": tryLater, "overloaded_error": tryLater,
	"internal": tryLater, "server_error": tryLater,
	"upstream_timeout": giveTime, "gateway_timeout": giveTime, "request_timeout": giveTime, "stream_idle": giveTime, "client_idle": giveTime,
	"rate_limit_exceeded": waitOrRaise, "insufficient_quota": addCredit, "context_length_exceeded": shorten,
	"content_policy": changePrompt, "forbidden": askOwner, "too_large": sendLess, "request_too_large": sendLess,
	"unsupported": otherProvider, "unsupported_value": otherProvider, "invalid_request": correctRequest, "unprocessable": correctRequest,
}

// untoldStatus are the remedies of errors with a code that only their provider knows.
var untoldStatus = map[int]remedy{
	http.StatusBadRequest: correctRequest, http.StatusUnauthorized: checkCredentials, http.StatusPaymentRequired: addCredit,
	http.StatusForbidden: askOwner, http.StatusNotFound: checkModel, http.StatusRequestTimeout: giveTime,
	http.StatusRequestEntityTooLarge: sendLess, http.StatusUnprocessableEntity: correctRequest, http.StatusTooManyRequests: waitOrRaise,
	http.StatusInternalServerError: tryLater, http.StatusBadGateway: tryLater, http.StatusServiceUnavailable: tryLater,
	http.StatusGatewayTimeout: giveTime, 529: tryLater, http.StatusOK: sendAgain,
}

// errorLanguage is the language of the core's errors, and mostly of the providers' words.
const errorLanguage = "en"

// cure is what the user can do about a failed exchange, "" when its message says it all.
func cure(x *event.Exchange) string {
	if x.Phase != event.Failed {
		return ""
	}
	if x.ErrorText.Format() == noDefaultModel { // which says how to choose one
		return ""
	}
	if r, ok := remedies[x.ErrorKind]; ok {
		if r == checkModel && x.Provider == demoProvider {
			r = listDemo
		}
		return r.text()
	}
	switch r, mute := silent[x.ErrorText.Format()]; {
	case r != noRemedy:
		return r.text()
	case !mute && x.ErrorText.Ours():
		return ""
	}
	r, ok := untold[x.ErrorKind]
	switch {
	case !ok:
		r = untoldStatus[x.Status]
	case r == copyKey && x.UpstreamProtocol != "": // it was a key for the provider
		r = checkCredentials
	}
	return r.text()
}
