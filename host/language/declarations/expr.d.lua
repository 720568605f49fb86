export type Program = {
  run: (self: Program, environment?: table) -> (any, error?),
}
-- A date comes back as text in RFC 3339, a duration as nanoseconds.
local expr: {
  eval: (expression: string, environment?: table) -> (any, error?),
  compile: (expression: string, environment?: table) -> (Program?, error?),
}
return expr
