package rig

import "sluice/e2e/stack"

// Twin is one more function with the binary of another one and a process of its own, under a name that is no function's: a
// second way in, such as objects by a queue beside objects directly. Like the others it is killed, configured and closed
// with the rig, and found by its name.
func (r *Rig) Twin(of, name Function) (*stack.Function, error) {
	binary, err := r.lab.binary(of)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.functions[name] == nil {
		if r.functions[name], err = r.newFunction(name, binary); err != nil {
			return nil, err
		}
	}
	return r.functions[name], nil
}
