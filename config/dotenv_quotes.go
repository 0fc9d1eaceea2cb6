package config

import "strings"

// quoted reads a value that begins with the quote at the start of text, and what is left of its last line.
func (p *envParser) quoted(name, text string) {
	at, mark := p.line, text[0]
	value, length := unquote(text)
	if length < 0 {
		p.fault(at, "the quote %c of %s is not closed, want another one at the end of the value", mark, name)
		p.rest = "" // where the next variable begins nobody can know
		return
	}
	p.line += strings.Count(text[:length], "\n")
	end := p.line
	line, rest, _ := strings.Cut(text[length:], "\n")
	p.rest, p.line = rest, p.line+1
	if after := strings.TrimSpace(line); after != "" && after[0] != '#' {
		p.fault(end, "there is more after the closing quote of %s, want a comment that begins with # at most; "+
			`between double quotes write \" for a quote`, name)
		return
	}
	p.set(name, value, at)
}

// unquote returns what stands between the quote at the start of text and the one that closes it, and the length of
// both with all between them, or -1 if it is not closed.
func unquote(text string) (value string, length int) {
	if text[0] == '\'' {
		end := strings.IndexByte(text[1:], '\'')
		if end < 0 {
			return "", -1
		}
		return text[1 : 1+end], end + 2
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return b.String(), i + 1
		case c == '\\' && i+1 < len(text):
			i++
			b.WriteString(unescape(text[i]))
		default:
			b.WriteByte(c)
		}
	}
	return "", -1
}

// unescape returns what a backslash before c stands for. Before any other character it stands for itself, as in a shell.
func unescape(c byte) string {
	switch c {
	case 'n':
		return "\n"
	case 'r':
		return "\r"
	case 't':
		return "\t"
	case '\n': // the line goes on
		return ""
	case '"', '\\', '$', '`':
		return string(c)
	default:
		return `\` + string(c)
	}
}
