export type Program = {
  run: (self: Program, environment?: table) -> (any, error?),
}
local expr: {
  eval: (expression: string, environment?: table) -> (any, error?),
  compile: (expression: string, environment?: table) -> (Program?, error?),
}
return expr
