local security: {
  actor: () -> any,
  scope: () -> any,
  can: (action: string, resource: string, meta?: any) -> boolean,
  new_actor: (id: string, meta?: any) -> any,
  new_scope: (policies?: any) -> any,
  policy: (id: string) -> (any, error?),
  named_scope: (id: string) -> (any, error?),
  token_store: (id: string) -> (any, error?),
}
return security
