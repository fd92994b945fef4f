package firehose

// errorTypes are the folders for what Firehose could not process or deliver, as `!{firehose:error-output-type}` gives
// them. Firehose developer guide, "Custom prefixes for Amazon S3 objects", and the chapters on data delivery; those for
// decompression, OpenSearch Serverless, Snowflake and Iceberg are seen in practice.
var errorTypes = [...]string{
	"processing-failed",
	"decompression-failed",
	"format-conversion-failed",
	"elasticsearch-failed",
	"AmazonOpenSearchService-failed",
	"AmazonOpenSearchServerlessService-failed",
	"splunk-failed",
	"http-endpoint-failed",
	"snowflake-failed",
	"iceberg-failed",
}

// ErrorType returns the error folder in a key, in the spelling of the Firehose guide (`AmazonOpenSearchService-failed`);
// empty when there is none.
//
// A folder is known by its text, in any case and with `_` for `-`, at the start of the key or behind `/` or `=`. What
// stands behind it does not matter, as an error prefix may go on, or end in the folder without a slash:
// `errors/processing-failedmystream-1-…`. Of several, one that fills its part of the key goes before one that does not,
// and then the later one before the earlier.
func ErrorType(key string) string { return findErrorType(key).name }

// errorTypeAt is an error folder's place in a key. Its end is 0 when there is none.
type errorTypeAt struct {
	name string
	end  int
}

func findErrorType(key string) errorTypeAt {
	var whole, glued errorTypeAt
	for at := range len(key) {
		if at > 0 && key[at-1] != '/' && key[at-1] != '=' {
			continue
		}
		name := errorTypePrefix(key[at:])
		if name == "" {
			continue
		}
		found := errorTypeAt{name: name, end: at + len(name)}
		if found.end == len(key) || key[found.end] == '/' {
			whole = found
		} else {
			glued = found
		}
	}
	if whole.end > 0 {
		return whole
	}
	return glued
}

// errorTypePrefix returns the error folder that text starts with.
func errorTypePrefix(text string) string {
	for _, name := range errorTypes {
		if len(text) >= len(name) && sameFolder(text[:len(name)], name) {
			return name
		}
	}
	return ""
}

// sameFolder compares two texts of one length: without case, and with `_` in the first for `-` in the second.
func sameFolder(text, name string) bool {
	for i := range len(name) {
		if text[i] == '_' && name[i] == '-' {
			continue
		}
		if lower(text[i]) != lower(name[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
