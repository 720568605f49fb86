export type Entry = {id: string, kind: string, meta: any, data: any, [string]: any}
local registry: {
  get: (id: string) -> (any, error?),
  find: (query?: any) -> (any, error?),
  snapshot: (...any) -> (any, error?),
  snapshot_at: (...any) -> (any, error?),
  current_version: () -> (any, error?),
  versions: () -> (any, error?),
  history: (...any) -> (any, error?),
  apply_version: (version: any) -> (any, error?),
  parse_id: (id: string) -> any,
  [string]: any,
}
return registry
