// Package plot draws figures from numbers: curves with bands, areas over a scale, and dots with intervals. A figure is
// SVG that a page takes as it is, that stands alone as a file, and whose numbers can be had as CSV. Colours and text
// follow classes, for which a page may have styles of its own, light and dark; a file of its own has [Style].
package plot
