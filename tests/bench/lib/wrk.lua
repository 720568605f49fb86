-- For wrk: the first argument is how many milliseconds each connection waits between two requests; prints a line of JSON.
function init(arguments)
    local wait = tonumber(arguments[1]) or 0
    if wait > 0 then
        function delay()
            return wait
        end
    end
end

function done(summary, latency)
    local errors = summary.errors
    local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
    io.write(string.format('{"requests": %d, "seconds": %.6f, "p99": %.6f, "failed": %d}\n',
        summary.requests, summary.duration / 1e6, latency:percentile(99) / 1e3, failed))
end
