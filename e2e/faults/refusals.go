package main

import (
	"fmt"
	"io"
	"net/http"

	"sluice/e2e/generate"
	"sluice/e2e/rig"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/loopback"
)

// F10.
func oddities() row {
	return row{
		id: "F10", fault: "2xx with a broken body, a web page instead of an intake, 302 to another host",
		end: "a 2xx delivers whatever its body is; a page or a redirect is parked; nothing is ever sent to the other host" +
			" (items of Elasticsearch and OTLP's partial_success: there are no such destinations yet)",
		cells: []cell{
			{
				on: senders(), short: []path{cloudWatch}, what: "202 with broken JSON", inject: always(accepted([]byte(`{"errors":[`))),
				then: []expectation{deliveredAtOnce, inTime, deliveredAll},
			},
			{
				on: senders(), what: "200 with a web page", options: linked, inject: signIn,
				then: []expectation{parkedAll, inTime, frugal, neverDead, deliveredAll},
			},
			{
				on: senders(), short: []path{s3Direct}, what: "302 to another host", inject: redirected,
				then: []expectation{met, parkedAll, inTime, frugal, otherUntouched, deliveredAll},
			},
		},
		not: []exception{{[]path{transform}, sendsNothing}},
	}
}

// signIn has the way to the intake lead to a page that everybody is shown.
func signIn(r *run) error {
	var err error
	r.portal, err = loopback.Serve(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		_, _ = io.Copy(io.Discard, q.Body)
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<html>sign in</html>")
	}))
	if err != nil {
		return err
	}
	r.link.to(r.portal.URL())
	return nil
}

// redirected has the intake point to another one.
func redirected(r *run) error {
	var err error
	if r.other, err = intake.StartDatadog(); err != nil {
		return err
	}
	r.Intake().SetScript(intake.Always(intake.Redirect(http.StatusFound, r.other.URL()+"/api/v2/logs")))
	return nil
}

// otherUntouched wants no request to the host that a redirect points to.
func otherUntouched(r *run) {
	n := len(r.other.Requests())
	r.expect(n == 0, "%d requests followed the redirect, with the key", n)
}

// F11.
func invalid() row {
	return row{
		id: "F11", fault: "400 for one record of 1,000; 400 for all",
		end: "one line dead and 999 delivered; all parked as a matter of settings, with three requests a batch at most",
		cells: []cell{
			{
				on: senders(), short: []path{cloudWatch, replay}, what: "one of 1,000", options: broad, inject: poisoned,
				then: []expectation{met, inTime, deadAre(1), deadObjects(1), func(r *run) {
					r.expect(r.mid.Delivered == r.deliverable()-1, "%d lines delivered while the fault lasted", r.mid.Delivered)
				}},
			},
			{
				on: senders(), what: "all", options: broad,
				inject: always(intake.Refuse(http.StatusBadRequest)),
				then:   []expectation{met, parkedAll, inTime, neverDead, threeEach, deliveredAll},
			},
		},
		not: []exception{{[]path{transform}, sendsNothing}},
	}
}

// broad has all lines in one payload.
func broad(_ *run, o *rig.Options) error {
	o.LinesPerPayload, o.Pad = usualLines, generate.Random(300)
	return nil
}

// poisoned has the intake refuse whatever holds a certain line.
func poisoned(r *run) error {
	for _, line := range r.Lines() {
		if line.Mark.Seq > len(r.Lines())/3 {
			r.Intake().SetScript(intake.Always(intake.Step{Checks: []intake.Check{intake.Poison(inJSON(line.Mark))}}))
			return nil
		}
	}
	return fmt.Errorf("%d lines, and none of them can be refused", len(r.Lines()))
}

// inJSON is the start of a marked line as it stands in the body of a request.
func inJSON(m generate.Mark) string { return fmt.Sprintf(`{\"seq\":%d,\"src\":\"%s\"`, m.Seq, m.Src) }

// threeEach wants three requests for a batch at most, while all are refused.
func threeEach(r *run) {
	batches, refused := map[string]bool{}, 0
	for _, q := range r.since() {
		if q.Status == http.StatusBadRequest {
			batches[rootOf(q.Batch)] = true
			refused++
		}
	}
	r.expect(refused <= 3*len(batches), "%d requests in vain for %d batches", refused, len(batches))
}
