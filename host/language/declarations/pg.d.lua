export type GroupSubscription = {
  channel: (self: GroupSubscription) -> Channel<any>,
  close: (self: GroupSubscription, options?: table?) -> boolean,
}
export type GroupScope = {
  join: (self: GroupScope, group: string | {string}) -> (boolean?, error?),
  leave: (self: GroupScope, group: string | {string}) -> (boolean?, error?),
  get_members: (self: GroupScope, group: string) -> ({string}?, error?),
  get_local_members: (self: GroupScope, group: string) -> ({string}?, error?),
  which_groups: (self: GroupScope) -> ({string}?, error?),
  which_local_groups: (self: GroupScope) -> ({string}?, error?),
  broadcast: (self: GroupScope, group: string, topic: string, ...any) -> (boolean?, error?),
  broadcast_local: (self: GroupScope, group: string, topic: string, ...any) -> (boolean?, error?),
  monitor: (self: GroupScope, group: string) -> (GroupSubscription, any, error?),
  events: (self: GroupScope) -> (GroupSubscription, any, error?),
  release: (self: GroupScope) -> boolean,
}
local pg: {
  open: (id: string) -> (GroupScope, error?),
}
return pg
