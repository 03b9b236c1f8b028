package ir

// Target says what the upstream of a conversion accepts: the provider's dialect of the
// protocol and the abilities of the model.
type Target struct {
	Provider string // for messages, as in "mistral"
	Model    string // the id the upstream expects
	Dialect  Dialect
	Ability  Ability
}

// Dialect is how a provider's API differs from the vendor's own. The zero Dialect is
// the vendor's API itself.
type Dialect struct {
	MaxTokens       bool // knows max_tokens, not max_completion_tokens
	NoStreamOptions bool // refuses stream_options
	TextOnlySystem  bool // wants content strings, not arrays, in system and tool messages
	OneSystem       bool // allows only a first system message
	StopLimit       int  // most stop sequences accepted; 0 means 4
	TopK            bool // accepts top_k
	NoTools         bool // has no tools
	NoToolChoice    bool // has no tool_choice
	NoParallel      bool // refuses parallel_tool_calls
	NoFiles         bool // has no file parts
	NoJSONSchema    bool // response_format knows json_object only
	NoUser          bool // refuses user
	SafetyID        bool // has safety_identifier
	Alternate       bool // user and assistant must alternate
	GeminiSchema    bool // schemas must be cleaned for Gemini
	NineCharIDs     bool // tool call ids must be nine letters or digits
	KeepCache       bool // understands cache_control
	Reasoning       ReasoningDialect
	ReplayReasoning bool // wants reasoning_content back in assistant messages with tool calls
	LenientEOF      bool // ends streams without finish_reason and [DONE]
	NoServiceTier   bool // refuses service_tier
	NoSummary       bool // gives no summaries of reasoning
	CallProofs      bool // wants the proofs of calls back
	AnyProof        bool // wants a word in place of a proof that is missing
	NoLogprobs      bool // refuses logprobs and top_logprobs
	NoNullContent   bool // refuses null as the content of a message
	// OpenAIFields: takes what came late to OpenAI's own API: verbosity, prompt_cache_key,
	// the choice allowed_tools.
	OpenAIFields bool
}

// ReasoningDialect is how a Chat provider is told how much to think.
type ReasoningDialect uint8

// The ways to tell a Chat provider how much to think.
const (
	ReasoningEffortField ReasoningDialect = iota // reasoning_effort
	ReasoningObject                              // reasoning: {effort}
	ReasoningNone                                // no such field
)

// Ability is what a model can do and refuses, as far as conversion must know.
type Ability struct {
	Known bool // false: nothing is known of this model, and the fields below are guesses

	MaxOutput int64 // most output tokens, 0 when unknown

	// Efforts the model accepts, weakest first; empty: it cannot be told.
	Efforts []string
	// Budget: thinking is asked for with a number of tokens (Claude up to 4.5).
	Budget bool
	// Adaptive: thinking is asked for with adaptive and an effort (Claude from 4.6).
	Adaptive bool
	// AlwaysThinks: thinking cannot be switched off.
	AlwaysThinks bool

	NoSampling   bool // refuses temperature, top_p and top_k
	OneSampling  bool // refuses temperature together with top_p
	NoStop       bool // refuses stop
	NoPrefill    bool // refuses an assistant message at the end
	MidSystem    bool // accepts system messages inside the conversation
	WebSearch    bool // searches the web through Chat Completions, see web_search_options
	OutputSchema bool // has structured outputs
}

// Encoded is a request in the upstream's protocol.
type Encoded struct {
	Body   []byte
	Losses Losses
	// Names maps tool names that had to be changed back to the client's.
	Names map[string]string
	// Customs are the custom tools, by the name the upstream knows them under, that
	// were wrapped into function tools.
	Customs map[string]bool
}

// Reply is what an encoder of answers must know about the exchange.
type Reply struct {
	Model   string // as the client asked for it
	ID      string // used when the upstream gave none; without prefix
	Created int64  // seconds since 1970, used when the upstream gave none
	// IncludeUsage: the client of a Chat stream asked for a usage chunk.
	IncludeUsage bool
	// InputEstimate is shown to Anthropic clients until the upstream tells the count.
	InputEstimate int64
	// Sequence is how many events of a Responses stream the client has already.
	Sequence int64
	// Request is what is answered. Clients of the Responses API get parts of it back.
	Request *Request
}
