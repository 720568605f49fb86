local base64: {
  encode: (data: string) -> string,
  decode: (text: string) -> (string?, error?),
}
return base64
