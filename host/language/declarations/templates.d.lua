export type Set = {
  render: (self: Set, name: string, data?: table) -> (string?, error?),
  release: (self: Set) -> boolean,
}
local templates: {
  get: (id: string) -> (Set?, error?),
}
return templates
