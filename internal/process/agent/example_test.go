package agent_test

import (
	"fmt"
	"strings"

	"sluice/internal/process/agent"
)

// A file of records of several lines, converted as the agent's configuration says.
func Example() {
	options, err := agent.Parse([]byte(`[{"optionName":"SINGLELINE"},
		{"optionName":"CSVTOJSON","customFieldNames":["sequence","text"],"delimiter":"\\t"}]`))
	if err != nil {
		fmt.Println(err)
		return
	}
	converter, err := agent.New(options, false)
	if err != nil {
		fmt.Println(err)
		return
	}
	splitter, err := agent.NewSplitter(agent.Splitting{MultiLineStartPattern: `\[SEQUENCE=`, SkipHeaderLines: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	records := splitter.Records(strings.NewReader("sequence\ttext\n[SEQUENCE=1]\tone\n  and more\n[SEQUENCE=2]\ttwo\n"))
	var out []byte
	for {
		piece, err := records.Next()
		if err != nil { // io.EOF
			break
		}
		if piece.Kind == agent.Header {
			continue
		}
		var outcome agent.Outcome
		out, outcome = converter.Append(out[:0], piece.Text)
		fmt.Printf("%d %s %s", piece.Offset, outcome, out)
	}
	// Output:
	// 14 converted {"sequence":"[SEQUENCE=1]","text":"oneand more"}
	// 42 converted {"sequence":"[SEQUENCE=2]","text":"two"}
}

// Everything that is wrong is said at once.
func ExampleParse() {
	_, err := agent.Parse([]byte(`[{"optionName":"CSVTOJSON","delimiter":"(?=,)"},
		{"optionName":"LOGTOJSON","logFormat":"SYSLOG","customFieldNames":["time","text"]}]`))
	fmt.Println(err)
	// Output:
	// [0].customFieldNames: is missing: want a name for each column
	// [0].delimiter: "(?=,)": look-around such as (?=…) is not understood: match the text itself, outside of the groups that are wanted
	// [1].customFieldNames: has 2 names: SYSLOG has 5, unless a matchPattern says otherwise
}
