package main

// matrix is every fault of the delivery contract, section 4.2, in its order.
func matrix() []row {
	return []row{
		refused(), resets(), silence(), bursts(), throttles(), limits(), rotation(), slowness(), names(), oddities(), invalid(),
		subscriptions(), damagedObjects(), vanishing(), storage(), cuts(), kills(), deadlines(), repeats(),
		bombs(), tiny(), encodings(), longLines(), trifles(), controls(), forgeries(), loops(), replays(), neighbours(), answers(),
		memory(), clocks(),
	}
}

// Reasons for which a fault does not concern a path.
const (
	sendsNothing = "the transformation alone sends nothing to a destination"
)
