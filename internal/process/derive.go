package process

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"unicode"

	"sluice/internal/record"
)

// derivation is what a record's own content says about where it came from: pieces of its text, valid until the next
// record. The zero value says nothing.
type derivation struct {
	tags            []byte // the value of ddtags in a JSON message, as JSON
	host            []byte // the EC2 instance behind a CloudTrail event
	account, region []byte // of a centralised log group's event
	runs            []byte // how the ARNs of all executions of a state machine begin
}

// derived is an origin that a derivation has asked for, and whether tags of a resource may be missing in it.
type derived struct {
	origin *record.Origin
	known  Knowledge
}

// What a log's own text may cost when every message has tags of its own: about 4 MB of derived origins (delivery
// contract S10). Longer tags stay where they are, in the message.
const (
	maxDerived   = 256     // origins that are kept
	maxTagsBytes = 8 << 10 // of ddtags as JSON
)

// derive replaces the record's origin by one that its content asks for.
func (p *Processor) derive(r *record.Record) {
	var d derivation
	if len(r.Members) > 0 {
		d.account, d.region = systemFields(r.Members)
	}
	p.readMessage(&d, r)
	known := p.found.known
	if len(d.tags)+len(d.host)+len(d.account)+len(d.region)+len(d.runs) > 0 {
		found := p.derivedOrigin(&d, r.Origin)
		r.Origin, known = found.origin, found.known
	}
	p.untagged[known]++
}

// derivedOrigin returns what a derivation makes of an origin; the same for the same derivation, if it is still known.
func (p *Processor) derivedOrigin(d *derivation, from *record.Origin) derived {
	p.key = d.appendKey(p.key[:0])
	found, has := p.derived[string(p.key)]
	if !has {
		if p.derived == nil || len(p.derived) >= maxDerived {
			p.derived = make(map[string]derived)
		}
		found = p.apply(d, from)
		p.derived[string(p.key)] = found
	}
	return found
}

// appendKey appends what tells the derivation from others of the same origin. The lengths are in it because the parts can
// hold any byte.
func (d *derivation) appendKey(key []byte) []byte {
	for _, part := range [...][]byte{d.tags, d.host, d.account, d.region, d.runs} {
		key = append(binary.AppendUvarint(key, uint64(len(part))), part...)
	}
	return key
}

var (
	assumedRole     = []byte(":assumed-role/")
	instanceSession = []byte("/i-")
)

// mentionsTags reports whether "ddtags" stands in text. Every JSON message pays for this, so it looks for the rarest of
// the letters: bytes.Contains looks for the first one, and `d` is everywhere in a log.
func mentionsTags(text []byte) bool {
	const word, rare = "ddtags", 4
	for i := rare; ; i++ {
		if i >= len(text) {
			return false
		}
		n := bytes.IndexByte(text[i:], word[rare])
		if n < 0 {
			return false
		}
		i += n
		if start := i - rare; len(text)-start >= len(word) && string(text[start:start+len(word)]) == word {
			return true
		}
	}
}

// readMessage looks into a message that is a JSON object, if it holds one of the words that matter.
func (p *Processor) readMessage(d *derivation, r *record.Record) {
	text := r.Message.Bytes
	if len(text) == 0 || text[0] > '\\' && text[0] != '{' || text[0] >= '0' && text[0] < '\\' {
		return // most lines are no JSON, and their first byte says so
	}
	if i := firstOf(text); i < 0 || text[i] != '{' {
		return
	}
	tagged := mentionsTags(text)
	trail := r.Origin.Source == "cloudtrail" && mentionsInstance(text)
	execution := p.mentionsExecution(text)
	if !tagged && !trail && !execution {
		return
	}
	text = p.plain(r.Message)
	if tagged {
		if value, _ := member(text, "ddtags"); len(value) <= maxTagsBytes {
			d.tags = value
		}
	}
	if trail {
		find := member
		if r.Structured {
			find = firstMember
		}
		user, _ := find(text, "userIdentity")
		arn, _ := find(user, "arn")
		d.host = instanceOf(plainString(arn))
	}
	if execution {
		d.runs = runsOf(textMember(text, "execution_arn"))
	}
}

// mentionsInstance reports whether text may hold the ARN of an instance's role session. Most role sessions are those of
// people and services, so it looks for the rarer part first.
func mentionsInstance(text []byte) bool {
	return bytes.Contains(text, instanceSession) && bytes.Contains(text, assumedRole)
}

// firstOf is the place of the first byte that is no white space, be it escaped or not; -1 when there is none.
func firstOf(text []byte) int {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case ' ', '\n', '\r', '\t':
		case '\\':
			if i+1 >= len(text) || strings.IndexByte("nrt", text[i+1]) < 0 {
				return i
			}
			i++
		default:
			return i
		}
	}
	return -1
}

// apply makes the origin that a derivation asks for.
func (p *Processor) apply(d *derivation, from *record.Origin) derived {
	machine, known := p.machineTags(from, d.runs)
	made := derived{from, max(p.found.known, known)}
	if len(d.tags)+len(d.host)+len(d.account)+len(d.region)+len(machine) == 0 {
		return made
	}
	o := from.With(slices.Clone(p.tags), from.Service)
	if d.isElsewhere(from) && len(p.found.function) > 0 {
		o.Tags = p.tagsWithoutFunction(o)
	}
	d.relocate(o)
	if len(d.host) > 0 {
		o.Host = string(d.host)
	}
	if p.plan.route != nil && p.plan.route.Host != "" {
		o.Host = p.plan.route.Host
	}
	p.appendMachine(o, machine)
	p.lift(o, d.tags)
	o.Tags = p.rules.TagRules.apply(o.Tags)
	made.origin = o
	return made
}

// lift adds the tags of a message to its origin.
func (p *Processor) lift(o *record.Origin, value []byte) {
	rules := &p.rules.TagRules
	service, lifted := rules.oneService(slices.DeleteFunc(liftedTags(value), isInfrastructure))
	if service != "" {
		o.Service = service
		o.Tags = slices.DeleteFunc(slices.Clone(o.Tags), func(tag record.Tag) bool { return rules.renamed(tag) == "service" })
	}
	for _, tag := range lifted {
		if tag.Key == "env" && tag.Value != "" {
			o.Tags = withoutPlaceholder(o.Tags)
		}
		o.Tags = append(o.Tags, tag)
	}
}

// isElsewhere reports whether the log came from another account or region than its origin.
func (d *derivation) isElsewhere(o *record.Origin) bool {
	account, region := string(d.account), string(d.region)
	return isAccount(account) && account != o.Owner || isRegion(region) && region != o.Region
}

// relocate moves the origin to the account and region that the log came from. What is gathered in one log group may come
// from anywhere.
func (d *derivation) relocate(o *record.Origin) {
	if account := string(d.account); isAccount(account) {
		o.Tags = setTag(o.Tags, "aws_account", account)
		o.LambdaARN = withARNPart(o.LambdaARN, 4, account)
	}
	if region := string(d.region); isRegion(region) {
		o.Region = region
		if o.LambdaARN != "" {
			o.Tags = setTag(o.Tags, "region", region)
			o.LambdaARN = withARNPart(o.LambdaARN, 3, region)
		}
	}
	if o.LambdaARN != "" {
		o.Host = o.LambdaARN
	}
}

// isRegion reports whether s looks like a region, such as us-gov-west-1.
func isRegion(s string) bool {
	const most = 32 // twice the longest there is
	return s != "" && len(s) <= most && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// withARNPart replaces one of the parts of an ARN, which colons separate; an ARN that has no such part stays as it is.
func withARNPart(arn string, part int, value string) string {
	parts := strings.Split(arn, ":")
	if part >= len(parts) {
		return arn
	}
	parts[part] = value
	return strings.Join(parts, ":")
}

// setTag gives the last tag with this key another value, or appends one. Tags of the settings stand before ours.
func setTag(list record.Tags, key, value string) record.Tags {
	for i, tag := range slices.Backward(list) {
		if tag.Key == key {
			list[i].Value = value
			return list
		}
	}
	return append(list, record.Tag{Key: key, Value: value})
}

// infrastructure are the tags that say where a log came from. The log itself does not get to say so (contract S12).
var infrastructure = map[string]bool{
	"aws_account": true, "region": true, "functionname": true, "forwardername": true, "forwarder_version": true,
	"source_overridden": true,
}

// isInfrastructure reports whether a tag, however it is spelled, ends as one of those. Datadog lower-cases a tag, starts
// it at its first letter, and writes one underscore for any run of what it does not take.
func isInfrastructure(tag record.Tag) bool {
	text := strings.TrimLeftFunc(strings.ToLower(tag.String()), func(r rune) bool { return !unicode.IsLetter(r) })
	key, _, _ := strings.Cut(text, ":")
	words := strings.FieldsFunc(key, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-./", r)
	})
	return infrastructure[strings.Join(words, "_")]
}

// withoutPlaceholder takes away the `env:none` that stands where no environment is known.
func withoutPlaceholder(list record.Tags) record.Tags {
	if env, _ := list.Get("env"); env == "none" {
		return list.Without("env")
	}
	return list
}

// instanceOf returns the EC2 instance id in the ARN of an instance's role session; nil when it is another ARN. Its shape
// is `arn:aws:sts::<account>:assumed-role/<role>/i-<8 or 17 hex digits>`, in any partition.
func instanceOf(arn []byte) []byte {
	head, session, _ := bytes.Cut(arn, assumedRole)
	_, id, _ := bytes.Cut(session, []byte("/"))
	hex, ok := bytes.CutPrefix(id, []byte("i-"))
	if !ok || len(hex) != 8 && len(hex) != 17 || len(bytes.Trim(hex, "0123456789abcdef")) > 0 {
		return nil
	}
	if !bytes.HasPrefix(head, []byte("arn:aws")) || !bytes.Contains(head, []byte(":sts:")) {
		return nil
	}
	return id
}
