package delivery

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// javaTime is a pattern of Java's DateTimeFormatter as layouts of package time. Text in single quotes is literal.
type javaTime []javaPart

type javaPart struct {
	layout  string // of package time, or
	literal string
}

// javaLayouts are the fields that are played, by letter and count. Java SE, class DateTimeFormatter, "Patterns for
// Formatting and Parsing".
var javaLayouts = map[string]string{
	"yyyy": "2006", "yy": "06", "uuuu": "2006", "uu": "06",
	"MM": "01", "M": "1", "MMM": "Jan", "MMMM": "January",
	"dd": "02", "d": "2", "DDD": "002", "HH": "15", "hh": "03", "h": "3", "a": "PM",
	"mm": "04", "m": "4", "ss": "05", "s": "5",
	"EEE": "Mon", "EEEE": "Monday",
}

func parseJavaTime(pattern string) (javaTime, error) {
	if pattern == "" {
		return nil, errors.New("a timestamp has no pattern")
	}
	var parts javaTime
	for rest := pattern; rest != ""; {
		var p javaPart
		var err error
		switch c := rest[0]; {
		case c == '\'':
			p.literal, rest, err = javaQuoted(rest)
		case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
			field := rest[:len(rest)-len(strings.TrimLeft(rest, rest[:1]))]
			p.layout, rest = javaLayouts[field], rest[len(field):]
			if p.layout == "" {
				err = fmt.Errorf("the timestamp field %s is not played here", field)
			}
		default:
			p.literal, rest = rest[:1], rest[1:]
		}
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// javaQuoted reads a quoted text from the front; two quotes are one.
func javaQuoted(text string) (literal, rest string, err error) {
	if rest, found := strings.CutPrefix(text, "''"); found {
		return "'", rest, nil
	}
	var b strings.Builder
	for text = text[1:]; ; {
		before, after, found := strings.Cut(text, "'")
		if !found {
			return "", "", errors.New("a quoted text in a timestamp does not end")
		}
		b.WriteString(before)
		if !strings.HasPrefix(after, "'") {
			return b.String(), after, nil
		}
		b.WriteByte('\'')
		text = after[1:]
	}
}

func (t javaTime) format(at time.Time) string {
	var b []byte
	for _, p := range t {
		b = append(b, p.literal...)
		if p.layout != "" {
			b = at.AppendFormat(b, p.layout)
		}
	}
	return string(b)
}
