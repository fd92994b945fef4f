package config

import "strings"

// nameCharacters are those of names in the document and in DNS.
const nameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

// unknown says that nothing is called name, and which of the known names may be meant.
func unknown(name string, known []string) string {
	const short, ending = 3, 2          // letters that begin too many names, and of an ending such as -es
	best, distance := "", len(name)/3+1 // a third of the letters may be wrong
	if len(name) > maxNameBytes {
		known = nil
	}
	for _, candidate := range known {
		if rest, is := strings.CutPrefix(strings.ToLower(candidate), strings.ToLower(name)); is && len(name) > short &&
			len(rest) <= ending && distance > 1 { // an ending left out is one thing: match for matches
			best, distance = candidate, 1
			continue
		}
		if d := edits(strings.ToLower(name), strings.ToLower(candidate)); d < distance && candidate != "" {
			best, distance = candidate, d
		}
	}
	if best == "" {
		return "this name is unknown"
	}
	return "this name is unknown; did you mean " + best + "?"
}

// edits is the least number of bytes to insert, delete or replace to make b of a (Levenshtein's distance).
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
