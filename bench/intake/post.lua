-- Posts one firing alert per request, each with a fingerprint of its own, and prints the figures as one line of JSON.
local threads = 0
function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(arguments)
  token, count = arguments[1], 0
  headers = {["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/json"}
  template = '{"version":"4","groupKey":"{}:{alertname=\\"BookingSlow\\"}","truncatedAlerts":0,"status":"firing",' ..
    '"receiver":"runner","groupLabels":{"alertname":"BookingSlow"},"commonLabels":{"alertname":"BookingSlow",' ..
    '"severity":"page"},"commonAnnotations":{},"externalURL":"http://alertmanager:9093","alerts":[{"status":"firing",' ..
    '"labels":{"alertname":"BookingSlow","severity":"page","site":"colo","instance":"colo-was%d"},"annotations":' ..
    '{"summary":"Buying a ticket takes 2.4 s at the 95th percentile."},"startsAt":"2026-11-25T08:00:00.123456789Z",' ..
    '"endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://prometheus:9090/graph","fingerprint":"%016x"}]}'
end

function request()
  count = count + 1
  return wrk.format("POST", "/alerts", headers, string.format(template, count % 100, number * 100000000 + count))
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%.3f,"not_2xx":%d,"broken":%d,"p50_ms":%.2f,"p90_ms":%.2f,"p99_ms":%.2f,"max_ms":%.2f}\n',
    summary.requests, summary.duration / 1e6, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(90) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
