package llm

import "bytes"

// nameQuota takes the name of a quota that is used up.
func (r *report) nameQuota(id []byte) {
	if len(id) == 0 {
		return
	}
	r.quotaNamed = true
	var lower [256]byte
	r.perDay = r.perDay || bytes.Contains(appendLower(lower[:0], id[:min(len(id), len(lower))]), []byte("perday"))
}

// readDetails reads an object with a code (Anthropic), or the list that Google
// attaches (google/rpc/error_details.proto): ErrorInfo, QuotaFailure, RetryInfo.
func (r *report) readDetails(w *walker) {
	if w.next() != '[' {
		r.readCode(w, detailCode)
		return
	}
	for range w.elements {
		r.readDetail(w)
	}
}

func (r *report) readDetail(w *walker) {
	for key := range w.members {
		switch string(key) {
		case "reason":
			r.codes[googleReason] = w.value()
		case "metadata":
			r.readMetadata(w)
		case "violations":
			r.readViolations(w)
		case "retryDelay":
			if d, ok := goDuration(w.value()); ok {
				r.hint, r.hasHint = d, true
			}
		default:
			w.skip()
		}
	}
}

func (r *report) readViolations(w *walker) {
	for range w.elements {
		for key := range w.members {
			if string(key) == "quotaId" {
				r.nameQuota(w.value())
			} else {
				w.skip()
			}
		}
	}
}
