export type Entry = {id: string, kind: string, meta: any, data: any, [string]: any}
export type Version = {
  id: (self: Version) -> integer,
  string: (self: Version) -> string,
  previous: (self: Version) -> (Version?, error?),
  next: (self: Version) -> Version?,
}
export type Operation = {kind: string, entry: any}
export type Changes = {
  create: (self: Changes, entry: any) -> Changes,
  update: (self: Changes, entry: any) -> Changes,
  delete: (self: Changes, id: any) -> Changes,
  ops: (self: Changes) -> {Operation},
  apply: (self: Changes) -> (Version?, error?),
}
export type Snapshot = {
  get: (self: Snapshot, id: string) -> (any, error?),
  entries: (self: Snapshot) -> (any, error?),
  find: (self: Snapshot, query?: any) -> (any, error?),
  namespace: (self: Snapshot, namespace: string) -> (any, error?),
  version: (self: Snapshot) -> Version,
  changes: (self: Snapshot) -> Changes,
}
export type History = {
  versions: (self: History) -> (any, error?),
  get_version: (self: History, version: any) -> (Version?, error?),
  snapshot_at: (self: History, version: any) -> (any, error?),
}
local registry: {
  get: (id: string) -> (any, error?),
  find: (query?: any) -> (any, error?),
  parse_id: (id: string) -> {ns: string, name: string},
  snapshot: () -> (any, error?),
  snapshot_at: (version: any) -> (any, error?),
  current_version: () -> (any, error?),
  versions: () -> (any, error?),
  history: () -> (any, error?),
  apply_version: (version: any) -> (boolean?, error?),
  build_delta: (from: any, to: any) -> (any, error?),
}
return registry
