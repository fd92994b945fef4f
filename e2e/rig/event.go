package rig

import (
	"bytes"
	"context"

	"sluice/e2e/generate"
	"sluice/e2e/stack/notify"
)

// Expect puts the lines of a payload into the manifest. It is for those that are not sent by Send.
func (r *Rig) Expect(p Payload) { r.expect(p) }

// SendEvent has Lambda invoke the function of CloudWatch with an event of any form, and puts the lines that the payload
// says are in it into the manifest.
func (r *Rig) SendEvent(event []byte, p Payload) error {
	r.expect(p)
	r.keepsAs(event, p.ID)
	r.turns[CloudWatch].Lock()
	defer r.turns[CloudWatch].Unlock()
	return r.Async.Send(p.ID, event)
}

// PutOpaque is Put for an object of which nobody can say where its lines start, or that is too large to be unpacked here.
// What is kept of it, as a pointer, stands for all of its lines that are nowhere else.
func (r *Rig) PutOpaque(ctx context.Context, p Payload) (notify.Object, error) {
	put, err := r.S3.PutObject(ctx, r.LogBucket, p.Key, bytes.NewReader(p.Data))
	if err != nil {
		return put, err
	}
	r.remember(stored{Object: put, payloads: []string{p.ID}, lines: p.Lines})
	return put, nil
}

// Generate makes something of the rig's generator, so that its ids and marks are unique in the rig. The pad is what fills
// lines by the options.
func (r *Rig) Generate(do func(g *generate.Generator, pad generate.Pad)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	do(r.generate, r.pad())
}
