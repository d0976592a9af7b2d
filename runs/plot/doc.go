// Package plot draws figures from numbers: curves with bands, areas, heat maps, dots with intervals, clouds of points,
// bars, ranks, graphs. A figure is an element of a page, whose styles say how its classes look, light and dark, or a
// file of its own: SVG, PDF or PNG (Formats), and its numbers as CSV. What a run has figures of is in runs/figures;
// tables and sentences are not here.
package plot
