package flows

// tableState is what the table keeps with a connection.
type tableState struct {
	originIsB bool // the originator is the second end of the key
}
