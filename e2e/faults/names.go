package main

import (
	"time"

	"sluice/e2e/rig"
)

// F9.
func names() row {
	return row{
		id: "F9", fault: "a name that nobody knows; certificates expired, of another host, self-signed",
		end: "parked; nothing is sent, in the clear or otherwise; replay delivers when it is mended",
		cells: []cell{
			{
				on: senders(), what: "NXDOMAIN", lines: 500, feed: feedNameless, options: nameless, heal: named,
				then: []expectation{parkedAll, inTime, nothingSent, deliveredAll},
			},
			untrusted("expired", func(id *identity) error { return id.show(time.Now().Add(-time.Hour), "", id.authority) }),
			untrusted("wrong host", func(id *identity) error {
				return id.show(time.Now().Add(time.Hour), "intake.example.com", id.authority)
			}),
			untrusted("self-signed", func(id *identity) error { return id.show(time.Now().Add(time.Hour), "", nil) }),
		},
		not: []exception{{[]path{transform}, sendsNothing}},
	}
}

// nameless has the destination at a name that cannot exist, as a label of it starts with a hyphen (RFC 1123, section 2.1):
// the resolver says so without asking a server.
func nameless(_ *run, o *rig.Options) error {
	o.Destinations[0].URL = "https://-intake.example.com"
	return nil
}

// feedNameless is what is usual: what is to be replayed is parked by the fault itself.
func feedNameless(r *run) error {
	e := r.path.entry()
	if r.path == replay {
		e = rig.CloudWatch
	}
	if err := r.Feed(r.ctx, e, r.lines); err != nil {
		return err
	}
	return r.Drain(r.ctx)
}

// named has the destination where the intake is.
func named(r *run) error {
	return r.Configure(func(o *rig.Options) { o.Destinations[0].URL = "" })
}

// untrusted is a cell with a certificate that is not to be trusted.
func untrusted(what string, show func(*identity) error) cell {
	c := cell{
		on: senders(), what: what, lines: 500, options: trusted,
		inject: func(r *run) error { return show(r.trust) },
		heal:   func(r *run) error { return r.trust.showGood() },
		then:   []expectation{parkedAll, inTime, nothingSent, shaken, deliveredAll},
	}
	if what == "expired" {
		c.short = []path{cloudWatch}
	}
	return c
}

// trusted has the intake speak TLS with a certificate of an authority that the functions know.
func trusted(r *run, o *rig.Options) error {
	var err error
	if r.trust, err = newIdentity(); err != nil {
		return err
	}
	o.Destinations[0].TLS = r.trust.config()
	o.Env = map[string]string{"SLUICE_CA_BUNDLE": r.trust.bundle}
	return nil
}

// nothingSent wants no request before the fault was over.
func nothingSent(r *run) {
	for _, q := range r.since() {
		r.expect(q.At.After(r.mended), "a request was sent while the fault lasted")
	}
}

// shaken wants that the certificate was looked at.
func shaken(r *run) { r.expect(r.trust.handshakes() > 0, "no handshake was begun") }
