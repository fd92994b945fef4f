package config

import (
	"slices"
	"time"

	"sluice/internal/secret"
)

// setting is all there is to know about a setting. It is read into a T.
type setting[T any] struct {
	key       string     // name in the document; empty when only variables set it
	scope     Type       // of the destinations that have it; empty for all, and for global settings
	variables []variable // that set it as well; the first one that is set counts
	kind      kind[T]
	preset    string // default, as a document would say it; empty when the zero value is the default
	otherwise string // documentation of the default, when it is the zero value
	meaning   string // one or two sentences, for the documentation
	unit      string // for the documentation; empty when the kind says it
}

// variable is an environment variable. Without a kind of its own, its text is read like the setting's in the document.
type variable struct {
	name string
	kind kind[draft]
}

// variables returns variables that are read like the document.
func variables(names ...string) []variable {
	list := make([]variable, len(names))
	for i, name := range names {
		list[i].name = name
	}
	return list
}

// documentVariable holds the document, or says where it is.
const documentVariable = "SLUICE_CONFIG"

// globalSettings returns the settings at the top of the document, in the order of the documentation. For these a variable
// wins over the document.
func globalSettings() []setting[Config] {
	return append([]setting[Config]{{
		key: "tags", variables: variables("SLUICE_TAGS", "DD_TAGS"), otherwise: "none",
		kind:    tagList(func(c *Config) *[]string { return &c.Tags }),
		meaning: "Tags put on every record, in this order.",
	}, {
		key: "source", variables: variables("SLUICE_SOURCE", "DD_SOURCE"), otherwise: "found for each record",
		kind:    word(wantName, func(c *Config) *string { return &c.Source }, isName),
		meaning: "Replaces the source name of every record.",
	}, {
		key: "source_names", variables: variables("SLUICE_SOURCE_NAMES"), preset: string(SourceNamesSluice),
		kind:    choice(func(c *Config) *SourceNames { return &c.SourceNames }, SourceNamesSluice, SourceNamesForwarder),
		meaning: "How finely sources are named: one name per AWS service, or the coarse names of the Datadog Forwarder.",
	}, {
		key: "max_inflated_bytes", variables: variables("SLUICE_MAX_INFLATED_BYTES"), preset: "64MiB", unit: "bytes",
		kind: size("1MiB", "1GiB", func(c *Config) *int64 { return &c.MaxInflatedBytes }),
		meaning: "The most that one payload may hold after decompression. Of a larger one, the lines up to there are sent; " +
			"it is then kept like one that cannot be read (`dead_raw`), or the event is returned to AWS.",
	}, {
		key: "ca_bundle", variables: variables("SLUICE_CA_BUNDLE"), otherwise: "the system's certificates alone",
		kind: certificates(func(c *Config) *string { return &c.CABundle }),
		meaning: "A file of certificates to trust beside the system's, for intakes, and proxies in front of them, with an " +
			"authority of their own. AWS calls of the function itself use the system's certificates, for which " +
			"SSL_CERT_FILE can name a file. Checks of certificates cannot be switched off.",
	}}, slices.Concat(
		addressSettings(), processingSettings(func(c *Config) *Processing { return &c.Processing }, true),
		[]setting[Config]{replacementSetting()}, tagSettings(), []setting[Config]{ownerSetting()}, objectSettings(),
		[]setting[Config]{routesSetting()},
		parkSettings(), firehoseSettings())...)
}

// fill reads a mapping that stands somewhere in the document into t, after the defaults. It returns what was there, by its
// name.
func fill[T any](t *T, settings []setting[T], f field) map[string]field {
	known := make([]string, 0, len(settings))
	for _, s := range settings {
		known = append(known, s.key)
		if s.preset != "" {
			s.kind.read(t, variableField("default of "+s.key, s.preset, f.to))
		}
	}
	from := map[string]field{}
	for _, member := range f.members() {
		i := slices.Index(known, member.name)
		if i < 0 {
			member.fail(misplaced(member.name, known))
			continue
		}
		from[member.name] = member
		settings[i].kind.read(t, member)
	}
	return from
}

// misplaced is unknown for a name that does not stand at the top of the document, where it may be one.
func misplaced(name string, known []string) string {
	isTop := name == destinationsKey ||
		slices.ContainsFunc(globalSettings(), func(s setting[Config]) bool { return s.key == name && name != "" })
	if isTop {
		return "belongs at the top of the document"
	}
	return unknown(name, known)
}

// destinationSettings returns the settings of a destination, in the order of the documentation. For these the document
// wins over a variable.
func destinationSettings() []setting[draft] {
	list := everyDestination()
	list = append(list, datadogSettings()...)
	return append(list, httpSettings()...)
}

func everyDestination() []setting[draft] {
	return []setting[draft]{{
		key: "id", otherwise: "none: it has to be given",
		kind:    word("1 to 32 of a-z, 0-9 and -", func(d *draft) *string { return &d.ID }, isID),
		meaning: "Name of the destination in counts, logs and the park store. No two are the same.",
	}, {
		key: "type", otherwise: "none: it has to be given",
		kind:    choice(func(d *draft) *Type { return &d.Type }, TypeDatadog, TypeHTTP),
		meaning: "Kind of intake.",
	}, {
		key: "compression", preset: string(CompressionAuto),
		variables: []variable{{name: "SLUICE_COMPRESSION"}, {name: "DD_USE_COMPRESSION", kind: useCompression()}},
		kind: choice(func(d *draft) *Compression { return &d.Compression },
			CompressionAuto, CompressionZstd, CompressionGzip, CompressionNone),
		meaning: "Content coding of request bodies; `auto` is what suits the intake best.",
	}, {
		key: "compression_level", variables: variables("SLUICE_COMPRESSION_LEVEL", "DD_COMPRESSION_LEVEL"),
		otherwise: "the coding's own",
		kind:      number(1, 9, func(d *draft) *int { return &d.CompressionLevel }),
		meaning:   "From fast to small, for whatever coding is used.",
	}, {
		key: "oversize", variables: variables("SLUICE_OVERSIZE"), preset: string(OversizeTruncate),
		kind:    choice(func(d *draft) *Oversize { return &d.Oversize }, OversizeTruncate, OversizeSplit),
		meaning: "What becomes of a record that is too large for the intake: its message is cut, or sent in numbered parts.",
	}, {
		key: "max_in_flight", variables: variables("SLUICE_MAX_IN_FLIGHT"), preset: "8", unit: "requests",
		kind:    number(1, 64, func(d *draft) *int { return &d.MaxInFlight }),
		meaning: "The most requests under way at once, in one process.",
	}, {
		key: "attributes", variables: variables("SLUICE_ATTRIBUTES"), otherwise: "`aws` of type `http`, `off` of type `datadog`",
		kind: choice(func(d *draft) *Attributes { return &d.Attributes },
			AttributesOff, AttributesAWS, AttributesECS, AttributesOTel),
		meaning: "Sends what the line of a log that is known says as attributes beside the message, under the names of its " +
			"service's documentation, of the Elastic Common Schema or of OpenTelemetry's semantic conventions." +
			alsoTransformed + " There, `json` is like type `http`, and an answer that has no room for them goes without.",
	}, {
		key: "attempt_timeout", variables: variables("SLUICE_ATTEMPT_TIMEOUT"), preset: "15s", unit: "seconds",
		kind:    period(time.Second, time.Minute, func(d *draft) *time.Duration { return &d.AttemptTimeout }),
		meaning: "How long one request may take, its answer included.",
	}, {
		key: "allow_insecure_http", variables: variables("SLUICE_ALLOW_INSECURE_HTTP"), preset: "false",
		kind:    toggle(func(d *draft) *bool { return &d.AllowInsecureHTTP }),
		meaning: "Permits `http://` to other machines. Logs and keys then travel in the clear.",
	}, {
		key: "allow_private", variables: variables("SLUICE_ALLOW_PRIVATE"), preset: "false",
		kind:    toggle(func(d *draft) *bool { return &d.AllowPrivate }),
		meaning: "Permits addresses of private networks (RFC 1918, RFC 4193), for intakes inside a VPC.",
	}}
}

// alsoTransformed says of a setting of destinations that the transformation function has it too.
const alsoTransformed = " The variable, or `firehose_items`, is for what a delivery stream gets."

func datadogSettings() []setting[draft] {
	return []setting[draft]{{
		key: "api_key", scope: TypeDatadog, variables: keyVariables(), otherwise: "none: it has to be given",
		kind: reference("", apiKey),
		meaning: "Where the API key is kept. A plain key works and gives a warning. In the stack of template.yaml, the ARN of a " +
			"secret other than `ApiKeySecretArn` has to stand in `SecretArns`.",
	}, {
		key: "site", scope: TypeDatadog, variables: variables("SLUICE_SITE", "DD_SITE"), preset: "datadoghq.com",
		kind:    word("a site such as datadoghq.eu", func(d *draft) *string { return &d.Datadog.Site }, isHostName),
		meaning: "Datadog site.",
	}, {
		key: "url", scope: TypeDatadog, otherwise: "the intake of the site",
		variables: []variable{{"SLUICE_URL", addressOrHost()}, {"DD_URL", addressOrHost()}},
		kind:      address(baseURL, func(d *draft) *URL { return &d.URL }),
		meaning:   "Base of the intake's URL instead of the site's. A variable may also hold a host name alone.",
	}, {
		scope: TypeDatadog, variables: variables("DD_PORT"), otherwise: "443",
		kind:    number(minPort, maxPort, func(d *draft) *int { return &d.port }),
		meaning: "Port of the intake, where `DD_URL` is a host name or not set.",
	}, {
		scope: TypeDatadog, variables: variables("DD_NO_SSL"), preset: "false",
		kind: toggle(func(d *draft) *bool { return &d.noTLS }),
		meaning: "`http://` instead of `https://`, where `DD_URL` is a host name or not set. Needs " +
			"`allow_insecure_http` unless the host is this machine.",
	}, {
		key: "late", scope: TypeDatadog, variables: variables("SLUICE_LATE"), preset: string(LateDropDate),
		kind: choice(func(d *draft) *Late { return &d.Datadog.Late }, LateDropDate, LateSend),
		meaning: "Records too old for Datadog's index (18 hours): sent without their date, which an attribute then holds, " +
			"or as they are." + alsoTransformed,
	}, {
		key: "structured", scope: TypeDatadog, variables: variables("SLUICE_STRUCTURED"), preset: string(StructuredFields),
		kind: choice(func(d *draft) *Structured { return &d.Datadog.Structured }, StructuredFields, StructuredText),
		meaning: "CloudTrail records of S3 objects and EventBridge events: their members at the root of the item, as the " +
			"Datadog Forwarder sends them, or their text as the message." + alsoTransformed,
	}, {
		key: "reshape", scope: TypeDatadog, variables: variables("SLUICE_RESHAPE"), preset: "true",
		kind: toggle(func(d *draft) *bool { return &d.Datadog.Reshape }),
		meaning: "WAF logs with objects in place of their lists, such as headers by their names, and an item for each finding of " +
			"Security Hub, as the Datadog Forwarder makes them. If not, they are sent as they came." + alsoTransformed,
	}, {
		key: "event_id", scope: TypeDatadog, variables: variables("SLUICE_EVENT_ID"), preset: string(EventIDFull),
		kind:    choice(func(d *draft) *EventID { return &d.Datadog.EventID }, EventIDFull, EventIDShort, EventIDNone),
		meaning: "The id of an item, by which duplicates are found. It is a good part of what is sent for short lines." + alsoTransformed,
	}}
}

func apiKey(d *draft) *secret.Ref { return &d.Datadog.APIKey }

// keyVariables are the places of the API key in the order in which the Datadog Forwarder looks, after ours.
func keyVariables() []variable {
	return []variable{
		{name: "SLUICE_API_KEY"},
		{"DD_API_KEY_SECRET_ARN", reference(secret.SecretsManager, apiKey)},
		{"DD_API_KEY_SSM_NAME", reference(secret.ParameterStore, apiKey)},
		{"DD_KMS_API_KEY", reference(secret.KMS, apiKey)},
		{"DD_API_KEY", reference(secret.Plain, apiKey)},
	}
}

func httpSettings() []setting[draft] {
	return []setting[draft]{{
		key: "url", scope: TypeHTTP, otherwise: "none: it has to be given",
		kind:    address(wholeURL, func(d *draft) *URL { return &d.URL }),
		meaning: "The whole URL requests go to.",
	}, {
		key: "method", scope: TypeHTTP, preset: methods[0],
		kind:    choice(func(d *draft) *string { return &d.HTTP.Method }, methods...),
		meaning: "Method of requests.",
	}, {
		key: "headers", scope: TypeHTTP, kind: headers(), otherwise: "none",
		meaning: "Headers of every request. A value that starts like a reference to a secret is one (in the stack of " +
			"template.yaml, its ARN has to stand in the parameter `SecretArns`); `plain:` in front " +
			"makes any text a plain one.",
	}, {
		key: "format", scope: TypeHTTP, preset: string(FormatJSONArray),
		kind:    choice(func(d *draft) *Format { return &d.HTTP.Format }, FormatJSONArray, FormatJSONLines),
		meaning: "Shape of a body: one array of items, or an item a line.",
	}, {
		key: "fields", scope: TypeHTTP, kind: fields(), otherwise: "the same names",
		meaning: "Other names for the members of an item. An empty name leaves the member out.",
	}, {
		key: "success_codes", scope: TypeHTTP, kind: codes(), preset: "200-206,208-259,261-299",
		meaning: "Answers that mean delivered.",
	}, {
		key: "max_body_bytes", scope: TypeHTTP, preset: "1MB", unit: "bytes",
		kind:    size("1kB", "32MB", func(d *draft) *int { return &d.HTTP.MaxBodyBytes }),
		meaning: "The most a body may hold before compression.",
	}, {
		key: "max_records", scope: TypeHTTP, preset: "1000", unit: "items",
		kind:    number(1, 100_000, func(d *draft) *int { return &d.HTTP.MaxRecords }),
		meaning: "The most items in a body.",
	}, {
		key: "max_record_bytes", scope: TypeHTTP, otherwise: "`max_body_bytes`", unit: "bytes",
		kind:    size("1kB", "32MB", func(d *draft) *int { return &d.HTTP.MaxRecordBytes }),
		meaning: "The most an item may hold before compression, not above `max_body_bytes`.",
	}}
}
