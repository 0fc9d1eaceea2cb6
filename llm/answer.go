package llm

import (
	"github.com/trysail-go/trysail"
)

// readAnswer reads what an answer with a good status says about its end, and reports
// whether the key was its. Of several choices the first one counts.
func (r *report) readAnswer(w *walker, key []byte) bool {
	switch string(key) {
	case "choices":
		r.readChoices(w)
	case "candidates":
		r.candidates = r.candidates || filled(w)
		r.readChoices(w)
	case "promptFeedback":
		r.readFeedback(w)
	case "stop_reason", "stopReason", "finish_reason", "finishReason":
		r.end = w.value()
	case "delta": // of Anthropic and Cohere
		r.readEnd(w)
	case "incomplete_details": // of the Responses API
		r.readEnd(w)
	default:
		return false
	}
	return true
}

func (r *report) readChoices(w *walker) {
	first := true
	for range w.elements {
		if first {
			r.readEnd(w)
		} else {
			w.skip()
		}
		first = false
	}
}

// readEnd reads an object that says why the model stopped, or that it failed.
func (r *report) readEnd(w *walker) {
	for key := range w.members {
		switch string(key) {
		case "finish_reason", "finishReason", "stop_reason", "reason":
			r.end = w.value()
		case "error": // OpenRouter: the model failed after the answer had begun
			r.readError(w)
			r.announced = r.announced || r.failed
		default:
			w.skip()
		}
	}
}

func (r *report) readFeedback(w *walker) {
	for key := range w.members {
		if string(key) != "blockReason" {
			w.skip()
			continue
		}
		reason := w.value()
		r.blocked = len(reason) > 0 && string(reason) != "BLOCK_REASON_UNSPECIFIED"
	}
}

// ended judges an answer that is no error by the reason for which it ended. Most
// reasons are those of a success, and so is one that is not known.
func (r *report) ended() (finding, bool) {
	if r.blocked && !r.candidates {
		return blockedPrompt(), true
	}
	return endOf(r.end)
}

// endOf judges a model's word for why it stopped.
func endOf(word []byte) (finding, bool) {
	const longest = 32
	if len(word) == 0 || len(word) > longest {
		return finding{}, false
	}
	var buffer [longest]byte
	end := string(appendLower(buffer[:0], word))
	for _, row := range [...]struct {
		list  string
		class trysail.Class
		scope Scope
	}{
		{policyEnds, trysail.ClassContentPolicy, ScopeRequest},
		{transientEnds, trysail.ClassTransient, ScopeTarget},
		{slipEnds, trysail.ClassTransient, ScopeTarget},
		{overloadEnds, trysail.ClassOverloaded, ScopeTarget},
		{contextEnds, trysail.ClassContextLength, ScopeRequest},
		{permanentEnds, trysail.ClassPermanent, ScopeRequest},
	} {
		if reason := listed(row.list, end); reason != "" {
			return finding{row.class, row.scope, reason}, true
		}
	}
	return finding{}, false
}

func blockedPrompt() finding {
	return finding{trysail.ClassContentPolicy, ScopeRequest, "blocked prompt"}
}

// ending judges a stream that has come to its end by what it said last, as [Classify] does a plain answer.
func (i *Inspector) ending() (v Verdict, failed bool) {
	var e evidence
	e.report = &report{}
	switch found, ok := endOf([]byte(i.progress.Finished)); {
	case !i.progress.Ended:
		return Verdict{}, false
	case i.blocked:
		e.found = blockedPrompt()
	case ok:
		e.found = found
	default:
		return Verdict{}, false
	}
	return e.verdict(), true
}
