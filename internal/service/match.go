package service

import "strings"

// matches reports whether s begins as outline does, in which d stands for a digit and ? for any byte.
func matches[T string | []byte](s T, outline string) bool {
	if len(s) < len(outline) {
		return false
	}
	for i := range len(outline) {
		switch outline[i] {
		case '?':
		case 'd':
			if !isDigit(s[i]) {
				return false
			}
		default:
			if s[i] != outline[i] {
				return false
			}
		}
	}
	return true
}

// only reports whether s has bytes and each of them is allowed.
func only[T string | []byte](s T, allowed func(byte) bool) bool {
	for i := range len(s) {
		if !allowed(s[i]) {
			return false
		}
	}
	return len(s) > 0
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isHexDigit(c byte) bool { return isDigit(c) || 'a' <= c && c <= 'f' }

// isNameByte knows the letters of a Lambda function, a version or alias, and a cache cluster.
func isNameByte(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '-' || c == '_'
}

// isStreamFunctionByte also knows the dot that follows the region of Lambda@Edge.
func isStreamFunctionByte(c byte) bool { return isNameByte(c) || c == '.' }

// caseBit is what tells a small letter from a capital. Other bytes too may differ in it alone: setting it rules out, no more.
const caseBit = 'a' - 'A'

// cutPrefixFold cuts a prefix of ASCII, in any letter case.
func cutPrefixFold(s, prefix string) (rest string, ok bool) {
	if prefix == "" {
		return s, true
	}
	// Prefixes of a table have their beginnings in common: the last byte tells sooner.
	last := len(prefix) - 1
	if len(s) <= last || s[last]|caseBit != prefix[last]|caseBit || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}

// hasSuffixFold reports whether s ends with a suffix, in any letter case.
func hasSuffixFold(s, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}

// containsFold reports whether s contains a word of ASCII, in any letter case.
func containsFold(s, word string) bool {
	if word == "" {
		return true
	}
	for i := 0; i+len(word) <= len(s); i++ {
		if s[i]|caseBit == word[0]|caseBit && strings.EqualFold(s[i:i+len(word)], word) {
			return true
		}
	}
	return false
}
