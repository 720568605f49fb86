export type Actor = {
  id: (self: Actor) -> string,
  meta: (self: Actor) -> {[string]: any},
}
export type Policy = {
  id: (self: Policy) -> string,
  evaluate: (self: Policy, actor: Actor, action: string, resource: string, meta?: {[string]: any}) -> string,
}
export type Scope = {
  with: (self: Scope, policy: Policy) -> (Scope, error?),
  without: (self: Scope, policy: string | Policy | {ns: string, name: string}) -> (Scope, error?),
  evaluate: (self: Scope, actor: Actor, action: string, resource: string, meta?: {[string]: any}) -> string,
  contains: (self: Scope, policy: string | Policy | {ns: string, name: string}) -> boolean,
  policies: (self: Scope) -> {Policy},
}
export type TokenStore = {
  create: (self: TokenStore, actor: Actor, scope: Scope, options?: { expiration?: string | number, meta?: {[string]: any} }) -> (string?, error?),
  validate: (self: TokenStore, token: string) -> (Actor?, Scope?, error?),
  revoke: (self: TokenStore, token: string) -> (boolean?, error?),
  close: (self: TokenStore) -> boolean,
}
local security: {
  actor: () -> Actor?,
  scope: () -> Scope?,
  can: (action: string, resource: string, meta?: {[string]: any}) -> boolean,
  new_actor: (id: string, meta?: {[string]: any}) -> (Actor, error?),
  new_scope: (policies?: {Policy}) -> (Scope, error?),
  policy: (id: string) -> (Policy?, error?),
  named_scope: (id: string) -> (Scope?, error?),
  token_store: (id: string) -> (TokenStore?, error?),
}
return security
