local yaml: {
  encode: (value: any, options?: any) -> (string?, error?),
  decode: (text: string) -> (any, error?),
}
return yaml
