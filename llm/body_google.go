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
	if !w.enter('[') {
		w.skip()
		return
	}
	for w.more() {
		r.readDetail(w)
	}
}

func (r *report) readDetail(w *walker) {
	if !w.enter('{') {
		w.skip()
		return
	}
	for key, ok := w.key(); ok; key, ok = w.key() {
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
	if !w.enter('[') {
		w.skip()
		return
	}
	for w.more() {
		if !w.enter('{') {
			w.skip()
			continue
		}
		for key, ok := w.key(); ok; key, ok = w.key() {
			if string(key) == "quotaId" {
				r.nameQuota(w.value())
			} else {
				w.skip()
			}
		}
	}
}
