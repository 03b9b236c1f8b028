package presenter

import (
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/ui/words"
)

// lossText is what a conversion could not carry over, in a line. In another language than
// the proxy's it says less exactly what, but it can be read.
func lossText(w event.Warning) string {
	why := ""
	if words.Tag() != errorLanguage {
		why = lossOf(w.Code)
	}
	if why == "" {
		why = w.Why
	}
	if w.Path != "" {
		why = w.Path + ": " + why
	}
	return why
}

// lossOf is what a code of a loss means, "" for one that is seldom.
func lossOf(code string) string {
	switch code {
	case "field-dropped":
		return words.T("The provider does not know this field; it was left out.")
	case "sampling-dropped", "top-k-dropped", "field-refused":
		return words.T("This model does not take this setting; it was left out.")
	case "stop-dropped", "stop-sequences-cut":
		return words.T("The provider does not take all stop sequences; some were left out.")
	case "reasoning-dropped":
		return words.T("This model cannot be told how much to think.")
	case "reasoning-not-off":
		return words.T("Thinking cannot be switched off for this model.")
	case "thinking-disabled-forced-tool", "thinking-disabled-unsigned-history", "thinking-disabled-short-answer":
		return words.T("The model answers without thinking, which this request rules out.")
	case "max-tokens-raised", "max-tokens-clamped", "temperature-clamped":
		return words.T("The value was changed to the nearest one that the model takes.")
	case "part-as-text", "document-as-text":
		return words.T("The provider does not know such parts; it was sent as text.")
	case "document-dropped":
		return words.T("The provider takes only text here; a document was left out.")
	case "citations-dropped", "citation-dropped":
		return words.T("Citations could not be carried over.")
	case "tool-dropped":
		return words.T("This tool runs at its vendor and is not available with this provider.")
	case "tool-replaced":
		return words.T("The provider's own tool was used instead.")
	case "duplicate-tool":
		return words.T("A tool name is used twice; the first one counts.")
	case "custom-tool-wrapped":
		return words.T("The tool's text is sent as an argument; its grammar is not enforced.")
	case "strict-dropped", "schema-not-strict", "json-schema-not-enforced", "json-object-emulated":
		return words.T("The schema is not enforced; the answer may differ from it.")
	case "tool-choice-dropped", "allowed-tools-widened":
		return words.T("The choice of tools could not be limited as asked for.")
	case "parallel-dropped":
		return words.T("The provider cannot be told to call one tool at a time.")
	case "system-hoisted", "system-merged":
		return words.T("A later instruction was moved to the start of the conversation.")
	case "first-turn-added":
		return words.T("The conversation starts with the model; a user message was put in front.")
	case "cache-marks-cut":
		return words.T("The provider takes fewer cache marks; some were left out.")
	case "usage-estimated":
		return words.T("The provider did not tell the tokens; they are an estimate.")
	case fallbackLoss:
		return words.T("A model before this one could not answer.")
	default:
		return ""
	}
}

// fallbackLoss is the code for a model that failed before another one answered.
const fallbackLoss = "fallback"
