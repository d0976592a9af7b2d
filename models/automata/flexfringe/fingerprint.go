package flexfringe

import (
	"crypto/sha256"
	"encoding/hex"

	"plumbline/models/automata/machine"
)

func Fingerprint(m *machine.Machine) (string, error) {
	h := sha256.New()
	if err := WriteJSON(m, h); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
