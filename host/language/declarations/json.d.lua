local json: {
  encode: (value: any, options?: any) -> (string, error?),
  decode: (text: string) -> (any, error?),
  validate: (schema: any, value: any) -> (boolean, any),
  validate_string: (schema: any, text: string) -> (boolean, any),
}
return json
