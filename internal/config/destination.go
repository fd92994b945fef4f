package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sluice/internal/secret"
)

const (
	maxIDBytes = 32 // ids are part of keys in the park store (delivery contract, threat S13)

	defaultID = "datadog" // of the one destination that variables make

	// What the Datadog Forwarder uses unless DD_URL and DD_PORT are set (datadog-compat, section 6); the port for http too.
	intakePrefix = "http-intake.logs."
	httpsPort    = 443
)

// draft is a destination that is being filled.
type draft struct {
	Destination
	host  string // of the intake, perhaps with a port, when a variable holds no more than that
	port  int    // DD_PORT; 0 when not set
	noTLS bool   // DD_NO_SSL

	whole field            // the destination in the document; no node when variables make it
	from  map[string]field // where each setting was set, by its key or, without one, its variable
}

// newDraft returns a destination of a type with its defaults and what variables say: of these settings, or of all if none
// are named.
func newDraft(kind Type, env map[string]string, to *problems, only ...string) *draft {
	d := &draft{from: map[string]field{}}
	d.Type = kind
	for _, s := range destinationSettings() {
		if s.scope != "" && s.scope != kind || len(only) > 0 && !slices.Contains(only, s.key) {
			continue
		}
		if s.preset != "" {
			s.kind.read(d, variableField("default of "+s.key, s.preset, to))
		}
		for _, v := range s.variables {
			if env[v.name] == "" {
				continue
			}
			f := variableField(v.name, env[v.name], to)
			d.from[s.origin()] = f
			if v.kind.read == nil {
				v.kind = s.kind
			}
			v.kind.read(d, f)
			break
		}
	}
	return d
}

// origin is the key of a setting in draft.from.
func (s setting[T]) origin() string {
	if s.key == "" {
		return s.variables[0].name
	}
	return s.key
}

// document fills the destination from its mapping in the document.
func (d *draft) document(members []field) {
	for _, f := range members {
		if f.name == "site" || f.name == "url" {
			// Whoever names one of them in the document must not be sent elsewhere by a variable for the other.
			d.URL, d.host, d.port, d.noTLS = URL{}, "", 0, false
			delete(d.from, "url")
		}
	}
	for _, f := range members {
		d.set(f)
	}
}

func (d *draft) set(f field) {
	var known []string
	for _, s := range destinationSettings() {
		switch {
		case s.key == f.name && (s.scope == "" || s.scope == d.Type || d.Type == ""):
			d.from[s.key] = f
			s.kind.read(d, f)
			return
		case s.scope == "" || s.scope == d.Type:
			known = append(known, s.key)
		}
	}
	for _, s := range destinationSettings() {
		if s.key == f.name {
			f.fail(fmt.Sprintf("is a setting of type %s, and this destination is of type %s", s.scope, d.Type))
			return
		}
	}
	f.fail(misplaced(f.name, known))
}

// finish checks what more than one setting decides, and returns the destination.
func (d *draft) finish(env map[string]string, to *problems) Destination {
	d.Attributes = cmp.Or(d.Attributes, usualAttributes(d.Type))
	switch d.Type {
	case TypeDatadog:
		d.require("api_key", "SLUICE_API_KEY", to)
		d.compose(to)
		d.warnPlainKey(to)
		d.checkVariable("api_key", d.Datadog.APIKey, env)
	case TypeHTTP:
		d.require("url", "", to)
		d.checkHTTP()
		for _, header := range d.HTTP.Headers {
			d.checkVariable("headers", header.Value, env)
		}
	}
	if f := d.from["url"]; d.URL.insecure() && !d.AllowInsecureHTTP {
		f.wantInstead(quote(d.URL.origin),
			"https, or allow_insecure_http: true (SLUICE_ALLOW_INSECURE_HTTP) to send in the clear")
	}
	if f, set := d.from["compression_level"]; set && d.Compression == CompressionNone {
		to.warn(f.place, "has no effect without compression")
	}
	return d.Destination
}

// usualAttributes are those of a destination whose settings do not say it.
func usualAttributes(kind Type) Attributes {
	switch kind {
	case TypeDatadog:
		return AttributesOff
	case TypeHTTP:
		return AttributesAWS
	}
	return ""
}

// require reports a setting that is missing; variable would do too, when there is one.
func (d *draft) require(key, variable string, to *problems) {
	if _, set := d.from[key]; set {
		return
	}
	f, text := field{place: variable, to: to}, "is missing"
	if d.whole.node != nil {
		f = d.whole
		f.place = join(f.place, key)
	}
	if f.place != variable && variable != "" {
		text += ", and so is " + variable
	}
	for _, s := range destinationSettings() {
		if s.key == key && (s.scope == "" || s.scope == d.Type) {
			f.fail(text + ": want " + s.kind.allowed)
		}
	}
}

// compose makes one URL of what the Datadog Forwarder spreads over DD_SITE, DD_URL (a host), DD_PORT and DD_NO_SSL.
func (d *draft) compose(to *problems) {
	if !d.URL.IsZero() {
		if d.port != 0 || d.noTLS {
			to.warn("DD_PORT, DD_NO_SSL", "have no effect, because "+d.from["url"].place+" is a whole URL")
		}
		return
	}
	port := cmp.Or(d.port, httpsPort)
	if d.host == "" && port == httpsPort && !d.noTLS {
		return // the intake of the site, or a URL that is reported already
	}
	f := d.endpoint()
	host := cmp.Or(d.host, intakePrefix+d.Datadog.Site)
	switch hasPort := strings.LastIndexByte(host, ':') > strings.LastIndexByte(host, ']'); {
	case hasPort && d.port != 0:
		f.fail("names a port, and so does DD_PORT: want one of them")
		return
	case !hasPort && (port != httpsPort || d.noTLS):
		host += ":" + strconv.Itoa(port)
	}
	scheme := "https://"
	if d.noTLS {
		scheme = "http://"
	}
	u, problem := parseURL(scheme+host, baseURL)
	if problem != "" {
		f.fail(problem)
		return
	}
	d.URL, d.from["url"] = u, f
}

// endpoint is the setting to blame for a URL that was composed.
func (d *draft) endpoint() field {
	for _, origin := range []string{"url", "DD_PORT"} {
		if f, set := d.from[origin]; set {
			return f
		}
	}
	return d.from["DD_NO_SSL"]
}

// addressOrHost reads what a variable may hold: a URL, or a host name with or without a port.
func addressOrHost() kind[draft] {
	allowed := "a host name or " + baseURL.allowed
	whole := address(baseURL, func(d *draft) *URL { return &d.URL })
	return kind[draft]{allowed, func(d *draft, f field) {
		text := strings.TrimSpace(f.node.Value)
		switch {
		case strings.Contains(text, "://"):
			whole.read(d, f)
		case text == "" || strings.ContainsAny(text, "/?#@"):
			f.fail("want " + allowed)
		default:
			d.host = text
		}
	}}
}

// useCompression reads DD_USE_COMPRESSION.
func useCompression() kind[draft] {
	var use bool
	k := toggle(func(*draft) *bool { return &use })
	return kind[draft]{k.allowed, func(d *draft, f field) {
		k.read(d, f)
		if !use {
			d.Compression = CompressionNone
		}
	}}
}

func (d *draft) warnPlainKey(to *problems) {
	if d.Datadog.APIKey.Kind() == secret.Plain {
		to.warn(d.from["api_key"].place, "holds the API key itself; keep it in Secrets Manager or Parameter Store and name it "+
			"with SLUICE_API_KEY")
	}
}

// checkVariable reports a reference to a variable that is not set.
func (d *draft) checkVariable(key string, ref secret.Ref, env map[string]string) {
	if ref.Kind() == secret.Environment && strings.TrimSpace(env[ref.Locator()]) == "" {
		d.from[key].fail(ref.String() + ": want a variable that is set")
	}
}

func isID(text string) bool {
	return text != "" && len(text) <= maxIDBytes && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
