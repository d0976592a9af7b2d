package record

import "time"

// Status is status.json, written last: a cell without it did not finish. It vouches for the cell's other files.
type Status struct {
	Cell     string             `json:"cell"` // the cell's name
	Status   string             `json:"status"`
	Error    string             `json:"error,omitempty"`
	Started  time.Time          `json:"started"`
	Finished time.Time          `json:"finished"`
	Files    map[string]FileSum `json:"files"` // what the cell wrote, by name
	Result   Result             `json:"result"`
}

// PlannedCell is what is known of a cell before it begins.
type PlannedCell struct {
	Cell          string `json:"cell"` // name and folder
	Data          string `json:"data"`
	Model         string `json:"model"`
	Label         string `json:"label"`
	Seed          uint64 `json:"seed"`
	Fold          string `json:"fold,omitempty"`
	Unit          string `json:"unit"`
	Input         string `json:"input"`
	Deterministic bool   `json:"deterministic,omitempty"`
}
