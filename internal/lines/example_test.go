package lines_test

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"sluice/internal/lines"
)

// A stream of JSON values that touch, with text behind them: values as long as there are some, then lines.
func ExampleWindow() {
	var w lines.Window
	w.Reset(strings.NewReader(`{"level":"info"}{"level":"warn"}` + "\n  stopped\nby hand"))
	next := w.Value
	for {
		p, err := next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			fmt.Println(err)
			next = w.Line
			continue
		}
		fmt.Printf("%d: %s\n", p.Offset, p.Text)
	}
	// Output:
	// 0: {"level":"info"}
	// 16: {"level":"warn"}
	// not JSON at byte 35: want a value
	// 33:   stopped
	// 43: by hand
}

func ExampleWindow_Envelope() {
	var w lines.Window
	w.Reset(strings.NewReader(`{"version":1,"Records":[{"a":1}, {"a":2}],"owner":"123456789012"}`))
	e, ok := w.Envelope("Records")
	fmt.Println(ok)
	for p, err := e.Element(); err == nil; p, err = e.Element() {
		fmt.Printf("%d: %s\n", p.Offset, p.Text)
	}
	before, after, err := e.Rest()
	fmt.Printf("%s %s %v\n", before, after, err)
	// Output:
	// true
	// 24: {"a":1}
	// 33: {"a":2}
	// "version":1 "owner":"123456789012" <nil>
}

func ExampleJoiner() {
	start, err := lines.CompileStart(`\d{4}-\d\d-\d\d `)
	if err != nil {
		fmt.Println(err)
		return
	}
	var w lines.Window
	w.Reset(lines.Decode(strings.NewReader("2024-02-01 order lost\n  at shop.Order\n  at shop.Main\n2024-02-01 order found\n")))
	next := (&lines.Joiner{Start: start, MaxLines: 500}).Join(w.Line)
	for p, err := next(); err == nil; p, err = next() {
		fmt.Printf("%d: %q\n", p.Offset, p.Text)
	}
	// Output:
	// 0: "2024-02-01 order lost\n  at shop.Order\n  at shop.Main"
	// 53: "2024-02-01 order found"
}
