local payload: {
  new: (value: any) -> Payload,
  format: {[string]: string},
}
return payload
