package format

import (
	"bytes"
)

// sageMakerLog is the layout of what the containers of SageMaker print, as far as AWS's own do. Any other line stays a line.
// Source: sagemaker-training-toolkit and multi-model-server, whose log formats these are; SageMaker developer guide,
// "Log Amazon SageMaker events".
var sageMakerLog = layout{
	millis:     containerMillis,
	attributes: containerAttributes,
	fields:     []string{"timestamp", "level", "thread", "logger", "message", "metrics"},
	time:       "the time that a line begins with, where it has milliseconds",
}

var (
	keyMetrics    = named("metrics")
	keyThreadName = mapped("thread", "process.thread.name", "thread.name")
)

// containerTime is how the containers write times, with a space or a T.
const containerTime = "2006-01-02 15:04:05,000"

func containerMillis(_ *Clock, line []byte) int64 {
	if len(line) < len(containerTime) {
		return 0
	}
	seconds, ok := parseCivil(line, ' ')
	if !ok {
		if seconds, ok = parseCivil(line, 'T'); !ok {
			return 0
		}
	}
	ms, ok := parseMillis(line[civilBytes:len(containerTime)], ',')
	if !ok {
		return 0
	}
	return seconds*1000 + ms
}

// containerAttributes reads
//
//	2024-02-01 00:00:00,123 sagemaker-training-toolkit INFO     text
//	2024-02-01T00:00:03,456 [INFO ] W-9000-model_1.0 com.amazonaws.ml.mms.wlm.WorkerThread - text
//	#metrics {"Metrics": …}
func containerAttributes(a *Attributes, w *writer, _, line []byte) bool {
	if metrics, ok := bytes.CutPrefix(line, []byte("#metrics ")); ok {
		return a.metrics(w, metrics)
	}
	if containerMillis(nil, line) == 0 {
		return false
	}
	rest, ok := bytes.CutPrefix(line[len(containerTime):], []byte(" "))
	if !ok {
		return false
	}
	level, behind := cutBracket(rest)
	if level == nil {
		return toolkitAttributes(w, line[:len(containerTime)], rest)
	}
	level = bytes.TrimSpace(level)
	thread, behind, _ := bytes.Cut(behind, []byte(" "))
	logger, message, ok := bytes.Cut(behind, []byte(" - "))
	if !ok || levelOf(level) == "" {
		return false
	}
	w.text(keyTimestamp, line[:len(containerTime)])
	w.text(keyLevel, level)
	w.text(keyThreadName, thread)
	w.text(keyLogger, logger)
	w.text(keyMessage, message)
	return true
}

func toolkitAttributes(w *writer, time, rest []byte) bool {
	logger, rest, _ := bytes.Cut(rest, []byte(" "))
	level, message, _ := bytes.Cut(rest, []byte(" "))
	if levelOf(level) == "" {
		return false
	}
	w.text(keyTimestamp, time)
	w.text(keyLevel, level)
	w.text(keyLogger, logger)
	w.text(keyMessage, bytes.TrimLeft(message, " "))
	return true
}

// metrics writes the object behind #metrics as one attribute.
func (a *Attributes) metrics(w *writer, doc []byte) bool {
	w.name(keyMetrics)
	inner := writer{dst: w.dst, start: len(w.dst)}
	if !a.objects.append(&inner, doc, nil) {
		return false
	}
	w.dst = inner.close()
	return true
}
