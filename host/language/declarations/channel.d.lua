local channel: {
  new: (size?: integer) -> Channel<any>,
  select: (cases: table, default?: boolean) -> {channel: any, value: any, ok: boolean, default?: boolean},
}
return channel
