// Package e2e holds the end-to-end tests: the function binaries as they are deployed, run by package stack against
// intakes that misbehave on purpose.
//
// Every test ends with an audit of all lines: nothing lost, nothing altered, and no duplicate without one of the causes
// the delivery contract allows (2.9). Counts of requests are compared with what the contract promises (2.4, 2.5).
package e2e
