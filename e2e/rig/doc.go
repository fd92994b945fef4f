// Package rig is the whole system on this machine, for one run after another: local S3 with a bucket of logs and one to
// park in, intakes as destinations, a secret store, an SQS endpoint, and for each entry the real function binary over the
// Runtime API with the AWS service that owns its events.
//
// It promises that rigs are independent of one another, so that several may run at once, that a new one costs no more than
// a few buckets and listeners (a function's process starts with its first event), and that Audit knows of every line what
// became of it. What goes wrong is scripted at the stand-ins, which are public. It decides no verdict beyond the audit's:
// what a fault may cost is for its caller to say.
//
// Waits of owners are none unless they are asked for; those of the functions are real.
//
// A cell of a fault matrix:
//
//	lab, err := rig.Open(ctx, rig.LabOptions{})       // once a process; builds functions as they are needed
//	defer lab.Close()
//
//	r, err := lab.New(ctx, rig.Options{Name: "F4 503, cloudwatch", Timeout: 10 * time.Second})
//	defer r.Close()
//	r.Intake().SetScript(intake.Always(intake.Refuse(503)))
//	err = r.Feed(ctx, rig.CloudWatch, 2000)           // 2,000 generated lines
//	err = r.Drain(ctx)                                // until no owner has anything left
//	r.Heal()                                          // every script works again
//	err = r.Replay(ctx)                               // until nothing is pending
//	result, err := r.Audit(ctx)                       // ends the processes, reads the park store, joins everything
//	fmt.Println(result)                               // one row; result.Verdict() is nil when all is well
//
// What a cell may change on the way: r.Kill, r.Configure (settings, with new processes), r.Rotate (API keys), r.Resend (the
// source repeats), r.Send with spoilt bytes, Options.EachStart with FailAt (a fail point in the first process alone),
// r.Intake().Down, r.S3.Down and r.SQS.Down (connections refused), r.InvokeReplayIn (two replays at once), r.ExpireLeases.
package rig
