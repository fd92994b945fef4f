package format

import (
	"bytes"

	"sluice/internal/jsonwalk"
	"sluice/internal/record"
	"sluice/internal/service"
)

// severities are the logs whose lines say how grave they are. Codes and statuses of requests are no such statement.
var severities = map[service.Log]func(line []byte) record.Severity{
	"":                        anySeverity,
	service.APIGatewayAccess:  objectSeverity,
	service.CloudWatchExport:  exportSeverity,
	service.ElastiCacheEngine: engineSeverity,
	service.EKSAuthenticator:  authenticatorSeverity,
	service.EKSKlog:           klogSeverity,
	service.FirehoseErrors:    failureSeverity,
	service.Lambda:            lambdaSeverity,
	service.MSKBroker:         log4jSeverity,
	service.MSKConnect:        log4jSeverity,
	service.MySQLError:        errorSeverity,
	service.PostgreSQL:        postgresSeverity,
	service.SageMaker:         containerSeverity,
	service.StorageGateway:    objectSeverity,
}

// Severity returns what a line says about how grave it is; "" when it says nothing. Of lines that are not JSON it reads
// the start alone, so that a word in the middle of a text means nothing.
func Severity(log service.Log, line []byte) record.Severity {
	if read := severities[log]; read != nil {
		return read(trimEnd(line))
	}
	return ""
}

// anySeverity reads the line of a log that nothing is known about.
func anySeverity(line []byte) record.Severity {
	if isObject(line) {
		return objectSeverity(line)
	}
	return textSeverity(line)
}

// exportSeverity reads the message behind the time of an exported line.
func exportSeverity(line []byte) record.Severity {
	if _, rest, ok := parseISO(line); ok {
		return anySeverity(bytes.TrimPrefix(rest, []byte(" ")))
	}
	return anySeverity(line)
}

// failureSeverity reads Firehose's own log, in which a line with a code is a delivery that failed.
func failureSeverity(line []byte) record.Severity {
	if memberOf(line, "errorCode") != nil {
		return record.Error
	}
	return ""
}

func containerSeverity(line []byte) record.Severity {
	if containerMillis(nil, line) == 0 {
		return anySeverity(line)
	}
	rest := bytes.TrimPrefix(line[len(containerTime):], []byte(" "))
	if level, _ := cutBracket(rest); level != nil {
		return levelOf(bytes.TrimSpace(level))
	}
	_, rest, _ = bytes.Cut(rest, []byte(" "))
	level, _, _ := bytes.Cut(rest, []byte(" "))
	return levelOf(level)
}

// objectSeverity reads the level of a JSON object: the first member that is called as levels are and has one. It looks at
// the object's own members, at ECS's log.level, and at how a platform record of Lambda's ended.
func objectSeverity(line []byte) record.Severity {
	members := jsonwalk.Object(line)
	for members.Next() {
		var buffer [maxLevelBytes]byte
		var found record.Severity
		switch string(lowered(&buffer, members.Name())) {
		case "level", "severity", "log.level", "levelname", "loglevel", "log_level", "severitytext", "severity_text":
			found = valueLevel(members.Value())
		case "log":
			found = valueLevel(memberOf(members.Value(), "level"))
		case "record":
			status, _ := jsonwalk.Text(memberOf(members.Value(), "status"))
			found = statusSeverity(status)
		}
		if found != "" {
			return found
		}
	}
	return ""
}

// valueLevel reads the name or the number of a level, which may stand in a string.
func valueLevel(value []byte) record.Severity {
	if text, ok := jsonwalk.Text(value); ok {
		if level := levelOf(text); level != "" {
			return level
		}
		value = text
	}
	return numberedLevel(value)
}
