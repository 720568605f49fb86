local uuid: {
  v1: () -> (string, error?),
  v3: (namespace: string, name: string) -> (string?, error?),
  v4: () -> (string, error?),
  v5: (namespace: string, name: string) -> (string?, error?),
  v7: () -> (string, error?),
  validate: (text: any) -> boolean,
  version: (text: string) -> (integer?, error?),
  variant: (text: string) -> (string?, error?),
  parse: (text: string) -> (any, error?),
  format: (text: string, format?: string) -> (string?, error?),
}
return uuid
