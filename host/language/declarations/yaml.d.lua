local yaml: {
  encode: (value: any, options?: {field_order?: {string}, sort_unordered?: boolean}) -> (string?, error?),
  decode: (text: any) -> (any, error?),
}
return yaml
