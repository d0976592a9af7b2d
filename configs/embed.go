// Package configs carries the config files that are built into the program.
package configs

import "embed"

// Files holds the shipped config files, by folder: data, models, experiments, papers.
//
//go:embed data/*.yaml models/*.yaml experiments/*.yaml papers/*.yaml
var Files embed.FS
