// Package rows is what readers of files share: columns and their types ([ColumnSpec]), chunks of parsed rows ([Chunk]),
// text that is cut into records and parsed on several goroutines ([Parse]), and the table that collects the chunks of
// all files ([Builder]).
//
// It knows no file format and no data config: formats are in data/source and its neighbours, labels in data/source.
package rows
