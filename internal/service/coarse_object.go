package service

import (
	"strings"
	"unicode/utf8"
)

// CoarseObject returns the source of an S3 object with the names that the Datadog Forwarder has had since its version 4:
// cloudtrail, waf, kinesis, or s3 for all else. It stands in for FromObject where Coarse stands in for FromLogGroup. The
// content is not asked. key is decoded.
func CoarseObject(key string) string {
	key = strings.ToLower(key)
	_, name := splitName(key)
	switch {
	case isCoarseTrail(name):
		return "cloudtrail"
	case strings.Contains(key, "aws-waf-logs"), strings.Contains(key, "waflogs"):
		return "waf"
	case strings.Contains(key, "amazon_kinesis"):
		return "kinesis"
	}
	return sourceUnknownObject
}

// isCoarseTrail finds in a lower-case file name what the Forwarder's regular expression finds, whose dots before json and
// gz stand for any character:
//
//	\d+_CloudTrail(|-Digest|-Insight)_\w{2}(|-gov|-cn)-\w{4,9}-\d_(|.+)\d{8}T\d{4,6}Z(|.+).json.gz
func isCoarseTrail(name string) bool {
	const mark = "_cloudtrail"
	for line := range strings.SplitSeq(name, "\n") { // which a dot does not stand for
		for rest := line; ; {
			before, after, ok := strings.Cut(rest, mark)
			if !ok {
				break
			}
			if before != "" && isDigit(before[len(before)-1]) && isCoarseTrailRest(after) {
				return true
			}
			rest = after
		}
	}
	return false
}

// isCoarseTrailRest reads what follows the mark: the kind, the region, the time and the end of the name.
func isCoarseTrailRest(s string) bool {
	for _, kind := range [...]string{"", "-digest", "-insight"} {
		rest, ok := strings.CutPrefix(s, kind+"_")
		if !ok || len(rest) < 2 || !only(rest[:2], isWordByte) {
			continue
		}
		for _, partition := range [...]string{"", "-gov", "-cn"} {
			if rest, ok := strings.CutPrefix(rest[2:], partition+"-"); ok && isCoarsePlace(rest) {
				return true
			}
		}
	}
	return false
}

// isCoarsePlace reads from the middle of the region: "west-1_20240201T0005Z_Mu0KsOhtH1ar15ZZ.json.gz".
func isCoarsePlace(s string) bool {
	place, rest, ok := strings.Cut(s, "-")
	if !ok || len(place) < 4 || len(place) > 9 || !only(place, isWordByte) || !matches(rest, "d_") {
		return false
	}
	end := timeEnd(rest[len("d_"):])
	return end >= 0 && hasDocumentEnd(rest[len("d_")+end:])
}

// timeEnd returns the offset after the first time such as 20240201t0005z, with four to six digits for that of day; -1
// when there is none.
func timeEnd(s string) int {
	const date = "ddddddddt" // an outline
	for i := range len(s) {
		if !matches(s[i:], date) {
			continue
		}
		clock := s[i+len(date):]
		digits := 0
		for digits < len(clock) && isDigit(clock[digits]) {
			digits++
		}
		if digits >= 4 && digits <= 6 && matches(clock[digits:], "z") {
			return i + len(date) + digits + len("z")
		}
	}
	return -1
}

// hasDocumentEnd finds ".json.gz", with any character for a dot.
func hasDocumentEnd(s string) bool {
	for at := range s { // each rune: the first dot stands for one
		_, size := utf8.DecodeRuneInString(s[at:])
		rest, ok := strings.CutPrefix(s[at+size:], "json")
		if !ok || rest == "" {
			continue
		}
		_, size = utf8.DecodeRuneInString(rest)
		if strings.HasPrefix(rest[size:], "gz") {
			return true
		}
	}
	return false
}

func isWordByte(c byte) bool { return isDigit(c) || isLower(c) || c == '_' }
