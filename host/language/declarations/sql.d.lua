export type Database = {
  query: (self: Database, query: string, args?: any) -> (any, error?),
  execute: (self: Database, query: string, args?: any) -> (any, error?),
  prepare: (self: Database, query: string) -> (any, error?),
  begin: (self: Database, options?: any) -> (any, error?),
  release: (self: Database) -> any,
  stats: (self: Database) -> (any, error?),
  type: (self: Database) -> (any, error?),
  [string]: any,
}
local sql: {
  get: (id: string) -> (Database?, error?),
  builder: any,
  as: any,
  NULL: any,
  isolation: any,
  type: any,
  [string]: any,
}
return sql
