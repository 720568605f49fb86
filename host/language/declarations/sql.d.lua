export type Row = {[string]: any}
export type Result = {last_insert_id: integer, rows_affected: integer}
export type Statement = {
  query: (self: Statement, params?: {any}) -> ({Row}, error?),
  execute: (self: Statement, params?: {any}) -> (Result, error?),
  close: (self: Statement) -> (boolean, error?),
}
export type Transaction = {
  query: (self: Transaction, query: string, params?: {any}) -> ({Row}, error?),
  execute: (self: Transaction, query: string, params?: {any}) -> (Result, error?),
  prepare: (self: Transaction, query: string) -> (Statement, error?),
  commit: (self: Transaction) -> (boolean, error?),
  rollback: (self: Transaction) -> (boolean, error?),
  savepoint: (self: Transaction, name: string) -> (boolean, error?),
  rollback_to: (self: Transaction, name: string) -> (boolean, error?),
  release: (self: Transaction, name: string) -> (boolean, error?),
  db_type: (self: Transaction) -> (string, error?),
}
export type Database = {
  query: (self: Database, query: string, params?: {any}) -> ({Row}, error?),
  execute: (self: Database, query: string, params?: {any}) -> (Result, error?),
  prepare: (self: Database, query: string) -> (Statement, error?),
  begin: (self: Database, options?: {isolation: string?, read_only: boolean?}) -> (Transaction, error?),
  release: (self: Database) -> (boolean, error?),
  stats: (self: Database) -> ({[string]: any}, error?),
  type: (self: Database) -> (string, error?),
}
local sql: {
  get: (id: string) -> (Database?, error?),
  builder: any,
  as: {
    int: (value: any) -> any,
    float: (value: any) -> any,
    text: (value: any) -> any,
    binary: (value: any) -> any,
    null: () -> any,
  },
  NULL: any,
  isolation: {
    DEFAULT: string,
    READ_UNCOMMITTED: string,
    READ_COMMITTED: string,
    WRITE_COMMITTED: string,
    REPEATABLE_READ: string,
    SERIALIZABLE: string,
  },
  type: {POSTGRES: string, MYSQL: string, SQLITE: string, UNKNOWN: string},
}
return sql
