package config

// A FieldUse is what a document does with one of its fields.
type FieldUse struct {
	Name    string
	Allowed bool
	Field   Field  // the row of the table, where the field is allowed
	Type    string // of the value: int, float, str, bool, dict, list or NoneType, the words of the specification's program

	// Value is the value as it is written. That of a field that is not allowed may be anything, such as a
	// secret that was put into the wrong place: do not show it.
	Value string
}

// Uses returns what a document does with each of its fields, in its order, together with the report of [Security].
// Of a document that is no object there is nothing but the report.
func Uses(document []byte) ([]FieldUse, Report) {
	v := validation{strict: true, report: Report{Size: len(document)}}
	if !v.read(document) {
		return nil, v.report
	}
	v.whitelist()
	uses := make([]FieldUse, 0, len(v.root.members))
	for _, m := range v.root.members {
		use := FieldUse{Name: m.key, Type: m.value.python(), Value: v.lines.text[m.value.from:m.value.to]}
		if f := findField(m.key); f != nil {
			use.Allowed, use.Field = true, *f
		}
		uses = append(uses, use)
	}
	return uses, v.report
}
