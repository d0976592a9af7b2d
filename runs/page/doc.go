// Package page is the frame of every HTML page: colours in light and dark, a policy that forbids requests, tables that
// sort, figures that are saved as SVG and CSV, and one block of data in which numbers are packed. What a page shows is
// in runs/report, runs/edapage and runs/dashboard; pages are tested in a browser with runs/page/pagetest.
package page
