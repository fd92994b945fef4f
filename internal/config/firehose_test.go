package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Items of the transformation are those of the destination that the same variables make.
func TestTransformItems(t *testing.T) {
	usual := Items{Attributes: AttributesOff, Late: LateDropDate, Structured: StructuredFields, Reshape: true, EventID: EventIDFull}
	other := Items{Attributes: AttributesECS, Late: LateSend, Structured: StructuredText, EventID: EventIDNone}
	all := []string{"SLUICE_LATE=send", "SLUICE_STRUCTURED=message", "SLUICE_RESHAPE=false", "SLUICE_EVENT_ID=none", "SLUICE_ATTRIBUTES=ecs"}
	for name, tc := range map[string]struct {
		env  []string
		want Items
	}{
		"datadog, usual":     {nil, usual},
		"datadog, all":       {all, other},
		"json, usual":        {[]string{"SLUICE_FIREHOSE_OUTPUT=json"}, Items{Attributes: AttributesAWS}},
		"json, all":          {append(all, "SLUICE_FIREHOSE_OUTPUT=json"), Items{Attributes: AttributesECS}},
		"json, off":          {[]string{"SLUICE_CONFIG=firehose_output: json", "SLUICE_ATTRIBUTES=off"}, Items{Attributes: AttributesOff}},
		"message":            {append(all, "SLUICE_FIREHOSE_OUTPUT=message"), Items{}},
		"original":           {append(all, "SLUICE_FIREHOSE_OUTPUT=original"), Items{}},
		"the document wins":  {append(all, "SLUICE_CONFIG=firehose_items: {late: drop-date, reshape: true, attributes: off, event_id: full, structured: fields}"), usual},
		"the document, some": {[]string{"SLUICE_LATE=send", "SLUICE_CONFIG=firehose_items: {reshape: false, event_id: none, structured: message, attributes: ecs}"}, other},
		"the document, json": {[]string{"SLUICE_CONFIG={firehose_output: json, firehose_items: {late: send, attributes: otel}}"}, Items{Attributes: AttributesOTel}},
		"no key, no site":    {[]string{"SLUICE_API_KEY=plain:x", "SLUICE_SITE=not a site", "SLUICE_COMPRESSION=none"}, usual},
		"of no importance":   {[]string{"SLUICE_FIREHOSE_OUTPUT=json", "SLUICE_LATE=never"}, Items{Attributes: AttributesAWS}},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := LoadTransform(t.Context(), Environ(tc.env), stub{})
			require.NoError(t, err)
			assert.Equal(t, tc.want, c.Firehose.Items)
			assert.Empty(t, c.Destinations)
			assert.Empty(t, c.Warnings)
		})
	}
}

// Beside destinations, variables count for both; what is wrong is said once.
func TestTransformItemsWithTee(t *testing.T) {
	env := []string{
		"SLUICE_FIREHOSE_TEE=true", "SLUICE_LATE=send", "SLUICE_ATTRIBUTES=otel",
		"SLUICE_CONFIG=destinations: [{id: a, type: datadog, api_key: 'ssm:/key', late: drop-date, attributes: aws}, {id: b, type: datadog, api_key: 'ssm:/key'}]",
	}
	c, err := LoadTransform(t.Context(), Environ(env), stub{})
	require.NoError(t, err)
	assert.Equal(t, []any{AttributesOTel, LateSend}, []any{c.Firehose.Items.Attributes, c.Firehose.Items.Late}, "a destination of the document is not the stream")
	assert.Equal(t, []any{AttributesAWS, LateDropDate}, []any{c.Destinations[0].Attributes, c.Destinations[0].Datadog.Late})
	assert.Equal(t, []any{AttributesOTel, LateSend}, []any{c.Destinations[1].Attributes, c.Destinations[1].Datadog.Late})

	for name, tc := range map[string]struct{ env, want string }{
		"late":         {"SLUICE_LATE=never", `SLUICE_LATE: "never": want drop-date or send`},
		"structured":   {"SLUICE_STRUCTURED=xml", `SLUICE_STRUCTURED: "xml": want fields or message`},
		"reshape":      {"SLUICE_RESHAPE=maybe", `SLUICE_RESHAPE: "maybe": want true or false`},
		"event id":     {"SLUICE_EVENT_ID=long", `SLUICE_EVENT_ID: "long": want full, short or none`},
		"attributes":   {"SLUICE_ATTRIBUTES=json", `SLUICE_ATTRIBUTES: "json": want off, aws, ecs or otel`},
		"a text":       {"SLUICE_CONFIG=firehose_items: x", "firehose_items (line 1): a text: want a mapping of settings of a destination: attributes, late, structured, reshape, event_id"},
		"a value":      {"SLUICE_CONFIG=firehose_items: {late: never}", `firehose_items.late (line 1): "never": want drop-date or send`},
		"no such":      {"SLUICE_CONFIG=firehose_items: {event_ids: none}", "firehose_items.event_ids (line 1): this name is unknown; did you mean event_id?"},
		"not of items": {"SLUICE_CONFIG=firehose_items: {oversize: split}", "firehose_items.oversize (line 1): this name is unknown"},
	} {
		for _, tee := range []string{"SLUICE_FIREHOSE_TEE=false", "SLUICE_FIREHOSE_TEE=true"} {
			_, err := LoadTransform(t.Context(), Environ([]string{tc.env, tee, "SLUICE_API_KEY=ssm:/key"}), stub{})
			assert.EqualError(t, err, tc.want, "%s, %s", name, tee)
		}
	}
}

// Only the transformation has items of a stream.
func TestLoadHasNoItems(t *testing.T) {
	c, err := load(t, with("SLUICE_ATTRIBUTES=ecs", "SLUICE_CONFIG=firehose_items: {late: send}"))
	require.NoError(t, err)
	assert.Zero(t, c.Firehose.Items)
	_, err = load(t, with("SLUICE_CONFIG=firehose_items: {late: never}"))
	assert.ErrorContains(t, err, "firehose_items.late", "what is wrong is said whoever reads it")
}
