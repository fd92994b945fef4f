package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxDocumentBytes bounds the document, wherever it comes from. A thousand destinations are far smaller.
const maxDocumentBytes = 1 << 20

// parseDocument returns the mapping at the top of a YAML document, nil when there is none. An error quotes nothing of the
// text but punctuation.
func parseDocument(text []byte) (node *yaml.Node, err error) {
	if len(text) > maxDocumentBytes {
		return nil, fmt.Errorf("the document has more than %d bytes", maxDocumentBytes)
	}
	defer func() {
		// The parser panics where it believes that something cannot be ("please report"). A text must not end the process.
		if recover() != nil {
			node, err = nil, errors.New("the YAML of the document cannot be read")
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, errors.New(withoutText(err.Error()))
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, errors.New("want one YAML document, have more after it")
	}
	root := document.Content[0]
	if root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null" {
		return nil, nil
	}
	return root, nil
}

// withoutText removes what the parser quotes, except for single characters: ',' or '}' was expected.
func withoutText(message string) string {
	quotation := regexp.MustCompile("'[^']*'|`.*")
	return quotation.ReplaceAllStringFunc(strings.TrimPrefix(message, "yaml: "), func(quoted string) string {
		if len(quoted) == len("','") && quoted[0] == '\'' {
			return quoted
		}
		return "'…'"
	})
}
