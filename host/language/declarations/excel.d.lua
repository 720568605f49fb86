export type Cursor = {
  read: (self: Cursor, count?: integer) -> ({{string}}?, error?),
  close: (self: Cursor) -> error?,
}
export type Workbook = {
  new_sheet: (self: Workbook, name: string) -> (integer?, error?),
  get_sheet_list: (self: Workbook) -> ({string}?, error?),
  set_cell_value: (self: Workbook, sheet: string, cell: string, value: any) -> error?,
  get_rows: (self: Workbook, sheet: string) -> ({{string}}?, error?),
  rows: (self: Workbook, sheet: string) -> (Cursor?, error?),
  write_to: (self: Workbook, writer: any) -> error?,
  close: (self: Workbook) -> error?,
}
-- Cells are values: what an opened workbook has of formulas, colors, widths and charts is not written again, the format of its numbers is.
local excel: {
  new: () -> (Workbook?, error?),
  open: (reader: any) -> (Workbook?, error?),
}
return excel
