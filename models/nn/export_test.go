package nn

// CheckpointAlways makes trainings leave a checkpoint after each epoch until what it returns is called.
func CheckpointAlways() (restore func()) {
	was := checkpointEvery
	checkpointEvery = 0
	return func() { checkpointEvery = was }
}

// CheckpointEpochs is how many epochs of training a checkpoint is after.
func CheckpointEpochs(state []byte) int {
	c, err := readCheckpoint(state)
	if err != nil {
		return -1
	}
	return c.epochs
}

// WithoutFirstArray is a checkpoint whose network lacks its first array of weights.
func WithoutFirstArray(state []byte) ([]byte, error) {
	c, err := readCheckpoint(state)
	if err != nil {
		return nil, err
	}
	c.params = c.params[1:]
	return c.write()
}
