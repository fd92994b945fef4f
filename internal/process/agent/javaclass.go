package agent

import (
	"strings"
	"unicode/utf8"
)

// What stands before the next item of a class.
const (
	nothingYet = iota
	oneCharacter
	manyCharacters // a class in the class, or a range
	anOpenRange    // a character and a hyphen
)

// class translates [ … ].
func (j *java) class() {
	j.take(1)
	if strings.HasPrefix(j.rest, "^") {
		j.take(1)
	}
	for before := nothingYet; j.err == nil; {
		switch {
		case j.rest == "":
			j.fail("a [ is not closed")
		case j.rest[0] == ']' && before != nothingYet:
			j.take(1)
			return
		default:
			before = j.classItem(before)
		}
	}
}

// classItem translates the next item of a class, and returns what it is to the one behind it.
func (j *java) classItem(before int) int {
	switch c := j.rest[0]; {
	case c == '[':
		j.fail(`a [ inside of [ ] joins classes in Java, which is not understood: write \[ for the character, or one class`)
	case strings.HasPrefix(j.rest, "&&"):
		j.fail("&& inside of [ ] is not understood: write the characters that are left")
	case c == ']':
		j.put(1, `\]`) // the first one is a character
	case c == '-' && before == oneCharacter:
		j.take(1)
		return anOpenRange
	case c == '\\':
		if j.classEscape() {
			if before == anOpenRange {
				j.fail("a range ends in a class: put the hyphen at the end of [ ]")
			}
			return manyCharacters
		}
	default:
		_, n := utf8.DecodeRuneInString(j.rest)
		j.take(n)
	}
	if before == anOpenRange {
		return manyCharacters
	}
	return oneCharacter
}

// classEscape translates what begins with a backslash inside of a class. It reports whether that is a class itself.
func (j *java) classEscape() (isClass bool) {
	c, n := utf8.DecodeRuneInString(j.rest[1:])
	switch {
	case n == 0:
		j.fail("a [ is not closed")
	case c == 's':
		j.put(2, javaSpace)
		return true
	case c == 'S':
		j.put(2, `[:^space:]`)
		return true
	case c == 'p', c == 'P':
		if class, n := j.property(); j.err == nil {
			j.put(n, class)
		}
		return true
	case strings.ContainsRune("bBAzZQE", c):
		j.fail(`\` + string(c) + " is not understood inside of [ ]")
	case strings.ContainsRune("dDwW", c):
		j.take(2)
		return true
	case c == 'x' && strings.HasPrefix(j.rest[2:], "{"):
		j.take(max(2, strings.IndexByte(j.rest, '}')+1))
	case c == 'x':
		j.take(min(len(`\xhh`), len(j.rest)))
	default:
		j.character(c, n)
	}
	return false
}
