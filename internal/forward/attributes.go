package forward

import (
	"sluice/internal/config"
	"sluice/internal/format"
	"sluice/internal/record"
	"sluice/internal/service"
)

// attributesOf returns what a destination sends beside the line of a record: what the line says, as one JSON object. It is
// nil where nothing is to be sent. Where text is redacted, escapes in lines stay as they are: nobody has looked behind them.
func attributesOf(a config.Attributes, redacted bool) func(dst []byte, r *record.Record) (out []byte, ok bool) {
	naming, on := map[config.Attributes]format.Naming{
		config.AttributesAWS: format.AWS, config.AttributesECS: format.ECS, config.AttributesOTel: format.OTel,
	}[a]
	if !on {
		return nil
	}
	attributes := format.NewAttributes(naming)
	attributes.KeepEscapes = redacted
	var plain []byte
	return func(dst []byte, r *record.Record) ([]byte, bool) {
		line := r.Message.Bytes
		if r.Message.Escaped {
			plain = r.Message.AppendPlain(plain[:0])
			line = plain
		}
		return attributes.Append(dst, service.Log(r.Origin.Log), r.Columns, line)
	}
}
