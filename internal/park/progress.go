package park

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"sluice/internal/failpoint"
)

// Progress is how far an object has been forwarded. All in front of it is durable, wherever it went.
// Format: delivery contract, 2.3.
type Progress struct {
	Records int64     // how many have been dealt with
	Offset  int64     // bytes after decompression that have been dealt with; 0: not known
	Hop     int       // of the continuation that wrote it; 0: the first invocation
	At      time.Time // when it was written
	Done    bool      // the whole object has been forwarded
	Event   string    // what asked for it: the id of a message or an invocation; at most 1,024 bytes are kept
}

// progressMark is a Progress as it is stored.
type progressMark struct {
	Schema  int       `json:"schema"`
	Records int64     `json:"line"`
	Offset  int64     `json:"offset"`
	Hop     int       `json:"hop"`
	At      time.Time `json:"ts"`
	Done    bool      `json:"done,omitempty"`
	Event   string    `json:"event,omitempty"`
}

func (m *progressMark) check() error {
	switch {
	case m.Schema != schema:
		return fmt.Errorf("schema is %d, want %d", m.Schema, schema)
	case m.Records < 0 || m.Offset < 0 || m.Hop < 0:
		return fmt.Errorf("line is %d, offset is %d and hop is %d, want none below 0", m.Records, m.Offset, m.Hop)
	case m.At.UTC().Year() < 1 || m.At.UTC().Year() > 9999:
		return fmt.Errorf("ts is in the year %d", m.At.UTC().Year())
	}
	return checkTexts(m.Event)
}

// PutProgress stores how far the source with an id has been forwarded, in place of what was stored before.
func (s *Store) PutProgress(ctx context.Context, id string, p Progress) error {
	key, err := s.markKey("progress", id)
	if err != nil {
		return err
	}
	m := progressMark{
		Schema: schema, Records: p.Records, Offset: p.Offset, Hop: p.Hop, At: stamp(p.At), Done: p.Done, Event: clean(p.Event),
	}
	if err := m.check(); err != nil {
		return fmt.Errorf("marker of progress: %w", err)
	}
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode a marker of progress: %w", err)
	}
	failpoint.Hit(failpoint.BeforeProgress)
	_, err = s.client.PutObject(ctx, s.input(&write{state: progressing, key: key, contentType: jsonType, body: body}))
	if err != nil {
		return s.explain(marking, key, err)
	}
	failpoint.Hit(failpoint.AfterProgress)
	return nil
}

// Progress returns how far the source with an id has been forwarded. A marker that is not there, that may not be read, or
// that is no sound one is not found: the source is read from its start.
func (s *Store) Progress(ctx context.Context, id string) (p Progress, found bool, err error) {
	key, err := s.markKey("progress", id)
	if err != nil {
		return Progress{}, false, err
	}
	var m progressMark
	_, err = s.mark(ctx, key, &m)
	switch {
	case isAbsent(err), isUnsound(err):
		return Progress{}, false, nil
	case err != nil:
		return Progress{}, false, err
	}
	return Progress{
		Records: m.Records, Offset: m.Offset, Hop: m.Hop, At: m.At.UTC(), Done: m.Done, Event: m.Event,
	}, true, nil
}

// markKey is the key of a mark. An id is made of letters and digits, with single dots between them.
func (s *Store) markKey(kind, id string) (string, error) {
	if s.o.Bucket == "" {
		return "", errNoBucket
	}
	if !isBatchID(id) {
		return "", fmt.Errorf("%s/%.40q.json: want an id of letters and digits, with single dots between them", kind, id)
	}
	return s.root + kind + "/" + id + ".json", nil
}
