package rig

import (
	"strings"

	"sluice/e2e/stack"
)

// panicMark is what the message of an error starts with that is a fail point's panic (package failpoint of the functions).
const panicMark = "failpoint "

// afterPanic is the result of an invocation that may have ended in a panic that nobody caught. The runtime tells of it and
// ends the process: so the process is gone when the owner learns of it, and the invocation counts as one that ended, which
// prints no ledger line.
func afterPanic(f *stack.Function, result stack.Result, err error) (stack.Result, error) {
	if err != nil || result.Error == nil || !strings.HasPrefix(result.Error.Message, panicMark) {
		return result, err
	}
	result.Exited = true
	return result, f.Kill()
}
