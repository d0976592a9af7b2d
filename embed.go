// Package plumbline is the root of the module: it carries the configs that are built into the program, and
// the test of the module's architecture. The program is cmd/plumbline.
package plumbline

import "embed"

// Configs holds the shipped config files under configs/data, configs/models and configs/experiments.
//
//go:embed configs
var Configs embed.FS
