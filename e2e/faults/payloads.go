package main

import (
	"strings"

	"sluice/e2e/generate"
	"sluice/e2e/rig"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/secretstore"
)

// source is the entry by which lines come in: those that replay sends come by CloudWatch.
func (r *run) source() rig.Entry {
	if r.path == replay {
		return rig.CloudWatch
	}
	return r.path.entry()
}

// payload makes a payload for the path whose lines are filled by pad.
func (r *run) payload(lines int, pad generate.Pad) rig.Payload {
	var made rig.Payload
	r.Generate(func(g *generate.Generator, _ generate.Pad) {
		if r.path == s3Direct || r.path == s3Queue {
			o := g.Object(lines, generate.JSONLines(pad))
			made = rig.Payload{ID: o.ID, Data: o.Gzip(), Lines: o.Lines}
			return
		}
		p := g.Filled(lines, pad)
		made = rig.Payload{ID: p.ID, Data: p.Gzip(), Lines: p.Lines}
	})
	return made
}

// among is a feed of the usual lines, half of them before and half of them behind what else is fed.
func among(special ...step) step {
	return func(r *run) error {
		if r.path == replay {
			return r.parking(func(r *run) error { return r.putAmong(special) })
		}
		return r.putAmong(special)
	}
}

func (r *run) putAmong(special []step) error {
	e := r.source()
	if err := r.Feed(r.ctx, e, r.lines/2); err != nil {
		return err
	}
	for _, do := range special {
		if err := do(r); err != nil {
			return err
		}
	}
	return r.Feed(r.ctx, e, r.lines-r.lines/2)
}

// sent sends what is made.
func sent(made func(*run) rig.Payload) step {
	return func(r *run) error { return r.Send(r.ctx, r.source(), made(r)) }
}

// spoiled sends a payload of some lines after something was done to its bytes.
func spoiled(spoil func([]byte) []byte) step {
	return sent(func(r *run) rig.Payload {
		p := r.Next(r.source(), spoiledLines)
		p.Data = spoil(p.Data)
		r.spoiled += len(p.Lines)
		return p
	})
}

const spoiledLines = 100 // of a payload that is damaged

// parking feeds CloudWatch while the destinations say that they are none, which costs one request.
func (r *run) parking(put step) error {
	for _, id := range r.ids {
		r.Intake(id).SetScript(intake.Always(intake.Refuse(404)))
	}
	if err := put(r); err != nil {
		return err
	}
	if err := r.DrainEntry(r.ctx, rig.CloudWatch); err != nil {
		return err
	}
	return r.Heal()
}

// secretCalls is how often the secret store was asked.
func (r *run) secretCalls() int { return r.SecretStore.Calls(secretstore.GetSecretValue) }

// rootOf is the id of the batch that a part was split from.
func rootOf(batch string) string {
	id, _, _ := strings.Cut(batch, ".")
	return id
}
