package ir

import (
	"fmt"

	"apex-ai-proxy/proxy/rawjson"
)

// Protocol names an API as clients and providers speak it.
type Protocol string

// The protocols of the proxy.
const (
	OpenAIChat        Protocol = "openai-chat"
	OpenAIResponses   Protocol = "openai-responses"
	AnthropicMessages Protocol = "anthropic-messages"
	// OpenAIEmbeddings passes through or is refused: there is nothing to convert it to.
	OpenAIEmbeddings Protocol = "openai-embeddings"
)

// Request is one call for a completion.
type Request struct {
	Model  string
	Stream bool
	// IncludeUsage asks for a usage chunk at the end of a Chat stream.
	IncludeUsage bool

	System []Instruction // the instructions before the first turn, in order
	// SystemPlain tells that the instructions were one bare string.
	SystemPlain bool
	Turns       []Turn

	Tools      []Tool
	ToolChoice ToolChoice
	Parallel   Tri // may the model call several tools in one turn

	Sampling  Sampling
	MaxOutput rawjson.Value // tokens; absent when the client set no limit
	Stop      []rawjson.Escaped
	Reasoning Reasoning
	Output    Output
	Meta      Meta

	// Ext holds the fields only the protocol of origin has, by name, as they were sent.
	Ext []Field
	// Echo holds the fields that an answer of the Responses API repeats, as they were sent.
	Echo []Field
	// Origin is the protocol the request was decoded from.
	Origin Protocol
}

// Field is a member of a JSON object kept as it was.
type Field struct {
	Name  string
	Value rawjson.Value
}

// Size guesses how long the request will be in any protocol, in bytes. Arguments may become a
// string in it, in which their quotes are escaped.
func (r *Request) Size() int {
	n := 512
	for i := range r.Turns {
		for j := range r.Turns[i].Parts {
			p := &r.Turns[i].Parts[j]
			n += 128 + len(p.Text) + len(p.Media.Data) + len(p.Call.Args)*9/8
			for k := range p.Reply.Parts {
				n += 128 + len(p.Reply.Parts[k].Text) + len(p.Reply.Parts[k].Media.Data)
			}
		}
	}
	for i := range r.Tools {
		n += 128 + len(r.Tools[i].Description) + len(r.Tools[i].Schema)
	}
	for i := range r.System {
		n += 64 + len(r.System[i].Text)
	}
	return n + min(n/8, 4<<10)
}

// Tri is a switch that may have been left alone.
type Tri uint8

// The states of a Tri.
const (
	Unset Tri = iota
	Yes
	No
)

// TriOf turns a bool into a Tri.
func TriOf(b bool) Tri {
	if b {
		return Yes
	}
	return No
}

// Read sets t to a value that is true or false. Any other leaves it alone.
func (t *Tri) Read(v rawjson.Value) {
	if v.Kind() == rawjson.Bool {
		*t = TriOf(v.True())
	}
}

// Instruction is a text with the authority of the system or the developer.
type Instruction struct {
	Text  rawjson.Escaped
	Cache rawjson.Value // cache_control of the block
	At    Pos
}

// Role is who speaks in a turn. Results of tools are parts of a user turn.
type Role uint8

// The roles. RoleSystem is an instruction in the middle of the conversation.
const (
	RoleUser Role = iota
	RoleAssistant
	RoleSystem
)

// Turn is one message.
type Turn struct {
	Role  Role
	Parts []Part
	// Plain tells that the content was a bare string rather than a list of parts.
	Plain bool
	Name  string // who speaks, which only Chat Completions has
	At    Pos
}

// PartKind is what a part of a message or answer holds.
type PartKind uint8

// The kinds of parts.
const (
	Text PartKind = iota
	Image
	Document
	Audio
	ToolCall
	ToolResult
	Thinking
	RedactedThinking
	Refusal
	Opaque // known to one protocol only; Raw holds it and Type names it
	Search // a search of the web that the vendor made; Text holds its words
)

// Part is one piece of a message. Which fields count depends on Kind.
type Part struct {
	Kind PartKind

	Text  rawjson.Escaped // Text, Refusal, Thinking
	Cache rawjson.Value   // cache_control
	Media Media           // Image, Document, Audio
	Call  Call            // ToolCall
	Reply Result          // ToolResult

	Signature rawjson.Escaped // Thinking: proof of origin; RedactedThinking: the data
	Citations rawjson.Value   // Text
	Links     []Link          // Text of an answer: what it cites

	Type string        // Opaque: the type word on the wire
	Raw  rawjson.Value // Opaque: the part as it was

	At Pos
}

// Add appends a part. Parts are large: an append of its own would take room for another one
// on the stack, and goroutines keep the stack they once needed.
func Add(parts []Part, p *Part) []Part {
	parts = append(parts, Part{})
	parts[len(parts)-1] = *p
	return parts
}

// AddText appends a text. See Add.
func AddText(parts []Part, text rawjson.Escaped, at Pos) []Part {
	parts = append(parts, Part{})
	p := &parts[len(parts)-1]
	p.Text, p.At = text, at
	return parts
}

// Media is an image, document or sound. Exactly one of Data, URL, FileID, Body and Parts is present.
type Media struct {
	Data     rawjson.Escaped // base64
	URL      rawjson.Escaped
	FileID   rawjson.Escaped
	Body     rawjson.Escaped // plain text of a document
	Parts    []Part          // a document made of blocks
	Type     string          // media type, as in image/png; "wav" or "mp3" for sound
	Filename rawjson.Escaped
	Title    rawjson.Escaped
	Context  rawjson.Escaped
	Detail   string // low, high, auto, original
}

// Name is what a document is called where it must have a name.
func (m *Media) Name() rawjson.Escaped {
	switch {
	case m.Filename != nil:
		return m.Filename
	case m.Title != nil:
		return m.Title
	default:
		return rawjson.Escaped("document.pdf")
	}
}

// Call is the model's wish to use a tool.
type Call struct {
	ID   string
	Name string
	// Args is the JSON object of the arguments; absent when the client sent nothing
	// usable. Input is the free text of a custom tool instead.
	Args   rawjson.Value
	Input  rawjson.Escaped
	Custom bool
	// Builtin is the item type of a call the Responses API has a type of its own for, as
	// in "local_shell"; Args then holds its action.
	Builtin string
	// BadArgs tells that the client sent arguments that are no JSON object.
	BadArgs bool
	// Proof is the signature of the thinking that led to the call, where a model signs its
	// calls instead of its thinking, as Google's do.
	Proof rawjson.Escaped
}

// Result is what a tool answered.
type Result struct {
	CallID  string
	Parts   []Part
	IsError bool
	// Plain tells that the content was a bare string.
	Plain bool
}

// ToolKind tells function tools from the others.
type ToolKind uint8

// The kinds of tools. A BuiltinTool is executed by the vendor or has a schema only the
// protocol of origin knows: Type names it and Raw holds it.
const (
	FunctionTool ToolKind = iota
	CustomTool
	BuiltinTool
)

// Tool is something the model may call.
type Tool struct {
	Kind ToolKind
	Name string
	// Namespace and Child are what the Responses API calls a tool whose Name had to be
	// made from both.
	Namespace, Child string
	// Builtin is the type of a function tool that the Responses API has a type of its own
	// for, as in "local_shell".
	Builtin     string
	Description rawjson.Escaped
	Schema      rawjson.Value // JSON Schema of the arguments; the format of a custom tool
	// Whole tells that the schema is known to need nothing added; see ReadSchema.
	Whole bool
	// Nested tells that a Chat client wrote the tool as its protocol has it. One that did
	// not takes the calls of a custom tool as those of a function.
	Nested bool
	// Indirect: only code that runs at the vendor may call the tool, never the model.
	Indirect bool
	Strict   Tri
	Cache    rawjson.Value
	Type     string
	Raw      rawjson.Value // the tool as it was; of a namespace's tools, the whole namespace
	At       Pos
}

// ChoiceMode says how free the model is to call tools.
type ChoiceMode uint8

// The modes of a tool choice.
const (
	ChoiceUnset ChoiceMode = iota
	ChoiceAuto
	ChoiceNone
	ChoiceAny  // some tool must be called
	ChoiceTool // the named tool must be called
)

// ToolChoice restricts the use of tools. Allowed, when not empty, names the only tools
// the model may call.
type ToolChoice struct {
	Mode    ChoiceMode
	Name    string
	Allowed []string
}

// Forced tells whether the model must call a tool.
func (c ToolChoice) Forced() bool { return c.Mode == ChoiceAny || c.Mode == ChoiceTool }

// Sampling holds the knobs of token choice as the numbers the client wrote.
type Sampling struct {
	Temperature, TopP, TopK  rawjson.Value
	Seed                     rawjson.Value
	FrequencyPenalty         rawjson.Value
	PresencePenalty          rawjson.Value
	LogitBias                rawjson.Value
	N, Logprobs, TopLogprobs rawjson.Value
	Verbosity                rawjson.Value
}

// Reasoning is how much the model should think.
type Reasoning struct {
	Mode    ReasoningMode
	Effort  string // none, minimal, low, medium, high, xhigh, max
	Budget  int64  // tokens, with ReasoningBudget
	Summary string // auto, concise, detailed: the client wants to see the thinking
	Display string // Anthropic's word for what of the thinking is shown
}

// ReasoningMode tells how the client asked for thinking.
type ReasoningMode uint8

// The ways to ask for thinking.
const (
	ReasoningUnset ReasoningMode = iota
	ReasoningOff
	ReasoningBudget   // a number of tokens
	ReasoningAdaptive // the model decides, Effort may guide it
	ReasoningEffort   // a word
)

// Output is the shape the answer must have.
type Output struct {
	Kind        OutputKind
	Name        rawjson.Escaped
	Description rawjson.Escaped
	Schema      rawjson.Value
	Strict      Tri
}

// OutputKind is a kind of structured output.
type OutputKind uint8

// The kinds of output.
const (
	OutputText OutputKind = iota
	OutputJSON
	OutputSchema
)

// Meta is what is said about a request rather than to the model.
type Meta struct {
	UserID      rawjson.Escaped
	ServiceTier string
	Fast        bool // Anthropic's speed: a faster answer for more money
	Metadata    rawjson.Value
	CacheKey    rawjson.Escaped
	Store       Tri
}

// Pos is where something stood in the client's request, for warnings and errors. The
// zero Pos is nowhere.
type Pos struct {
	List   string // "messages", "system", "tools"
	Index  int
	Sub    string // "content", "tool_calls"
	SubIdx int
	HasSub bool
}

// At is the position of an element of a top-level list.
func At(list string, i int) Pos { return Pos{List: list, Index: i} }

// In is the position of an element of a list inside p.
func (p Pos) In(sub string, i int) Pos {
	p.Sub, p.SubIdx, p.HasSub = sub, i, true
	return p
}

// String is the JSON path, as in "messages[3].tool_calls[0]".
func (p Pos) String() string {
	if p.List == "" {
		return ""
	}
	if p.HasSub {
		return fmt.Sprintf("%s[%d].%s[%d]", p.List, p.Index, p.Sub, p.SubIdx)
	}
	return fmt.Sprintf("%s[%d]", p.List, p.Index)
}
