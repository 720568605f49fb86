local metrics: {
  counter_inc: (name: string, labels?: table) -> (boolean?, error?),
  counter_add: (name: string, value: number, labels?: table) -> (boolean?, error?),
  gauge_set: (name: string, value: number, labels?: table) -> (boolean?, error?),
  gauge_inc: (name: string, labels?: table) -> (boolean?, error?),
  gauge_dec: (name: string, labels?: table) -> (boolean?, error?),
  histogram: (name: string, value: number, labels?: table) -> (boolean?, error?),
}
return metrics
