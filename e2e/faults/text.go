package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"sluice/e2e/generate"
	"sluice/e2e/rig"
	"sluice/e2e/stack"
)

// F22.
func encodings() row {
	return row{
		id: "F22", fault: "invalid UTF-8, NUL, CRLF, CR alone, a byte order mark, UTF-16",
		end: "delivered as text; what had to be repaired is marked utf8_repaired",
		cells: []cell{
			{
				on: []path{cloudWatch, kinesis, transform, tee, s3Direct, s3Queue}, short: []path{kinesis, s3Direct}, what: "UTF-8 and others",
				feed: feedTexts, then: []expectation{acknowledged, deliveredAtOnce, neverDead, repaired, deliveredAll},
			},
			{
				on: ofObjects(), what: "UTF-16", feed: feedWide,
				then: []expectation{acknowledged, deliveredAtOnce, neverDead, deliveredAll},
			},
		},
		not: []exception{{[]path{replay}, "what is parked is encoded already"}},
	}
}

// feedTexts feeds lines of every kind, told apart by their text.
func feedTexts(r *run) error {
	var raw [][]byte
	p := rig.Payload{ID: "texts", Key: "app/texts.log"}
	for i := range r.lines / 4 {
		n := strconv.Itoa(i)
		for _, text := range []struct{ raw, want string }{
			{"caf\xe9 " + n, "caf\uFFFD " + n},
			{"nul\x00 " + n, "nul\x00 " + n},
			{"one\rline " + n, "one\rline " + n},
			{"Ζürich 東京 🚚 " + n, "Ζürich 東京 🚚 " + n},
		} {
			raw = append(raw, []byte(text.raw))
			p.Lines = append(p.Lines, generate.Line{Message: text.want})
		}
	}
	switch r.path {
	case cloudWatch:
		for i := range p.Lines {
			p.Lines[i].EventID = eventID(i)
		}
		p.Data = packed(subscription("checkout", raw))
	case s3Direct, s3Queue:
		p.Data = append([]byte("\uFEFF"), bytes.Join(raw, []byte("\r\n"))...)
	default:
		p.Data = bytes.Join(raw, []byte("\r\n"))
	}
	return r.Send(r.ctx, r.path.entry(), p)
}

func eventID(i int) string { return fmt.Sprintf("%056d", i+1) }

// subscription is a document of CloudWatch Logs. A message may hold any bytes: those that JSON needs escaped are.
func subscription(group string, messages [][]byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"messageType":"DATA_MESSAGE","owner":%q,"logGroup":%q,"logStream":"a","subscriptionFilters":["to-sluice"],"logEvents":[`,
		stack.Account, group)
	escape := strings.NewReplacer("\\", `\\`, `"`, `\"`, "\x00", `\u0000`, "\r", `\r`, "\n", `\n`, "\t", `\t`)
	for i, message := range messages {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":%q,"timestamp":%d,"message":"`, eventID(i), time.Now().UnixMilli())
		b.WriteString(escape.Replace(string(message)))
		b.WriteString(`"}`)
	}
	b.WriteString("]}")
	return b.Bytes()
}

// repaired wants the marks counted.
func repaired(r *run) {
	n := r.marked()["utf8_repaired"]
	r.expect(n >= r.lines/4, "%d lines are marked utf8_repaired instead of %d", n, r.lines/4)
}

// feedWide feeds an object in each order of UTF-16.
func feedWide(r *run) error {
	for name, order := range map[string]binary.AppendByteOrder{"le": binary.LittleEndian, "be": binary.BigEndian} {
		p := rig.Payload{ID: "utf-16" + name, Key: "app/utf-16" + name + ".log"}
		var text strings.Builder
		text.WriteString("\uFEFF")
		for i := range r.lines / 2 {
			line := "Ζürich 東京 🚚 " + name + strconv.Itoa(i)
			text.WriteString(line + "\r\n")
			p.Lines = append(p.Lines, generate.Line{Message: line})
		}
		for _, unit := range utf16.Encode([]rune(text.String())) {
			p.Data = order.AppendUint16(p.Data, unit)
		}
		if err := r.Send(r.ctx, r.path.entry(), p); err != nil {
			return err
		}
	}
	return nil
}
