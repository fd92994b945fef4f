package secret

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// Kind says where a reference points. Its text is the prefix of the reference.
type Kind string

// The kinds of reference.
const (
	SecretsManager Kind = "secretsmanager" // name or ARN, and perhaps a member of the JSON object it holds
	ParameterStore Kind = "ssm"            // name or ARN of a Systems Manager parameter, decrypted
	KMS            Kind = "kms"            // base64 ciphertext
	Environment    Kind = "env"            // name of an environment variable
	Plain          Kind = "plain"          // the text itself
)

// Limits of what a locator may be. Sources: CreateSecret and PutParameter in the AWS API references; an ARN adds to them.
const (
	maxLocatorBytes = 2048
	secretNameExtra = "/_+=.@-"
	parameterExtra  = "/_.-"
)

// wantRef says what a reference looks like.
const wantRef = "want secretsmanager:<name or ARN>[#member], ssm:<name or ARN>, kms:<base64 ciphertext>, env:<NAME> or " +
	"plain:<text>"

// Ref names a secret without holding it, except for the kinds Plain and KMS, which hold it and hide it. The zero value
// names nothing.
type Ref struct {
	kind    Kind
	locator string // name or ARN
	member  string // of the JSON object in Secrets Manager; empty when not named
	region  string // from the ARN; empty when there is none
	hidden  Value  // the text of Plain, the ciphertext of KMS
}

// HasPrefix reports whether text claims to be a reference: it starts with the name of a kind and a colon, or is the ARN
// of something in Secrets Manager. Whether it is a good one is for ParseRef to say.
func HasPrefix(text string) bool {
	kind, _ := cutKind(strings.TrimSpace(text))
	return kind != ""
}

// ParseRef reads a reference: a kind, a colon, and what the kind wants, or the bare ARN of a secret in Secrets Manager.
// Errors do not quote the text, which may be a secret somebody put in the wrong place.
func ParseRef(text string) (Ref, error) {
	kind, rest := cutKind(strings.TrimSpace(text))
	switch kind {
	case SecretsManager:
		return parseSecret(rest)
	case ParameterStore:
		return parseParameter(rest)
	case KMS:
		if _, err := base64.StdEncoding.DecodeString(rest); err != nil || rest == "" {
			return Ref{}, errors.New("want base64 ciphertext after kms:")
		}
		return Ref{kind: KMS, hidden: NewValue(rest)}, nil
	case Environment:
		if !isVariableName(rest) {
			return Ref{}, errors.New("want the name of an environment variable after env:")
		}
		return Ref{kind: Environment, locator: rest}, nil
	case Plain:
		if rest == "" {
			return Ref{}, errors.New("want a text after plain:")
		}
		return Ref{kind: Plain, hidden: NewValue(rest)}, nil
	}
	return Ref{}, errors.New(wantRef)
}

// cutKind splits a reference. The kind is empty when text does not start like one.
func cutKind(text string) (Kind, string) {
	before, rest, found := strings.Cut(text, ":")
	if !found {
		return "", text
	}
	switch kind := Kind(before); kind {
	case SecretsManager, ParameterStore, KMS, Environment, Plain:
		return kind, strings.TrimSpace(rest)
	}
	if parts := strings.SplitN(text, ":", 4); len(parts) == 4 && parts[0] == "arn" && parts[2] == string(SecretsManager) {
		return SecretsManager, text
	}
	return "", text
}

func parseSecret(text string) (Ref, error) {
	locator, member, named := strings.Cut(text, "#")
	if named && member == "" {
		return Ref{}, errors.New("want the name of a member after #")
	}
	ref := Ref{kind: SecretsManager, locator: locator, member: member}
	name := locator
	if strings.HasPrefix(locator, "arn:") {
		var err error
		if ref.region, name, err = cutARN(locator, SecretsManager, "secret:"); err != nil {
			return Ref{}, err
		}
	}
	if !consistsOf(name, secretNameExtra) || len(locator) > maxLocatorBytes {
		return Ref{}, errors.New("want the name of a secret (letters, digits and " + secretNameExtra + ") or its ARN")
	}
	return ref, nil
}

func parseParameter(text string) (Ref, error) {
	ref := Ref{kind: ParameterStore, locator: text}
	name := text
	if strings.HasPrefix(text, "arn:") {
		var err error
		if ref.region, name, err = cutARN(text, ParameterStore, "parameter/"); err != nil {
			return Ref{}, err
		}
	}
	name, selector, selected := strings.Cut(name, ":") // a version or a label
	bad := !consistsOf(name, parameterExtra) || selected && !consistsOf(selector, parameterExtra)
	if bad || len(text) > maxLocatorBytes {
		return Ref{}, errors.New("want the name of a parameter (letters, digits and " + parameterExtra + ") or its ARN")
	}
	return ref, nil
}

// cutARN checks arn:partition:service:region:account:resource and returns the region and what follows resource. The
// region decides to which host the request goes, so nothing but a region may stand there.
func cutARN(arn string, service Kind, resource string) (region, name string, err error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) == 6 && parts[2] == string(service) {
		name, found := strings.CutPrefix(parts[5], resource)
		if found && isPartition(parts[1]) && isRegion(parts[3]) && isAccount(parts[4]) {
			return parts[3], name, nil
		}
	}
	return "", "", fmt.Errorf("want an ARN such as arn:aws:%s:<region>:<account>:%s<name>", service, resource)
}

// Kind returns where the reference points; empty for the zero value.
func (r Ref) Kind() Kind { return r.kind }

// IsZero reports whether the reference names nothing.
func (r Ref) IsZero() bool { return r.kind == "" }

// Locator returns the name or ARN the reference points to; empty for Plain and KMS, which point nowhere.
func (r Ref) Locator() string { return r.locator }

// Region returns the AWS region in the reference's ARN, empty when it has none.
func (r Ref) Region() string { return r.region }

// String returns the reference as it was written, with "[redacted]" where Plain and KMS hold something.
func (r Ref) String() string {
	switch {
	case r.IsZero():
		return ""
	case !r.hidden.IsEmpty():
		return string(r.kind) + ":" + redacted
	case r.member != "":
		return string(r.kind) + ":" + r.locator + "#" + r.member
	}
	return string(r.kind) + ":" + r.locator
}

// Format writes what String returns, whatever the verb is.
func (r Ref) Format(s fmt.State, _ rune) { writeState(s, r.String()) }

// MarshalText returns what String returns.
func (r Ref) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// LogValue returns what String returns.
func (r Ref) LogValue() slog.Value { return slog.StringValue(r.String()) }

// consistsOf reports whether text has at least one byte, and only ASCII letters, digits and those of extra.
func consistsOf(text, extra string) bool {
	for i := range len(text) {
		if !isLetter(text[i]) && !isDigit(text[i]) && strings.IndexByte(extra, text[i]) < 0 {
			return false
		}
	}
	return text != ""
}

func isPartition(text string) bool {
	return strings.HasPrefix(text, "aws") && consistsOf(text, "-") && strings.ToLower(text) == text
}

func isRegion(text string) bool {
	return consistsOf(text, "-") && strings.ToLower(text) == text && strings.Count(text, "-") >= 2
}

func isAccount(text string) bool {
	return len(text) == 12 && strings.Trim(text, "0123456789") == ""
}

func isVariableName(text string) bool {
	return consistsOf(text, "_") && !isDigit(text[0])
}

func isLetter(b byte) bool { return 'a' <= b|0x20 && b|0x20 <= 'z' }

func isDigit(b byte) bool { return '0' <= b && b <= '9' }
